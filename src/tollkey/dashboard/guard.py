"""HTTP security: headers, cookies, the CSRF token, the Origin check, safe redirects."""

from __future__ import annotations

import hmac
from urllib.parse import quote, unquote

from tollkey.dashboard.address import Address
from tollkey.keys.keyring import Keyring

#: Sent with every response. Only scripts, styles and images of this server are allowed, none inline.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src"
    " 'self';"
    " font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_HSTS = "max-age=31536000"


def headers(secure: bool) -> dict[str, str]:
    """Security headers of a response. secure: whether the request came over TLS (RFC 6797 forbids HSTS otherwise)."""
    return {**HEADERS, "Strict-Transport-Security": _HSTS} if secure else dict(HEADERS)


# -- cookies


def cookie_name(name: str, secure: bool) -> str:
    """The full name of a cookie; over TLS with the ``__Host-`` prefix: only this host can set it (RFC 6265bis)."""
    return f"__Host-tollkey_{name}" if secure else f"tollkey_{name}"


def set_cookie(name: str, value: str, secure: bool, seconds: int | None = None) -> str:
    """The value of a Set-Cookie header. seconds: Max-Age; 0 deletes the cookie, None makes it a session cookie."""
    life = "" if seconds is None else f"; Max-Age={seconds}"
    return (
        f"{cookie_name(name, secure)}={quote(value, safe='')}; Path=/; HttpOnly; "
        f"SameSite=Lax{life}{'; Secure' if secure else ''}"
    )


def read_cookies(header: str, secure: bool) -> dict[str, str]:
    """The Dashboard's cookies by short name, from a Cookie header. Malformed pairs are ignored."""
    start = cookie_name("", secure)
    pairs = [
        pair.strip().partition("=") for pair in header.split(";")
    ]  # RFC 6265, section 5.4; ours hold nothing that needs quotes
    return {name[len(start) :]: unquote(value) for name, equals, value in pairs if equals and name.startswith(start)}


# -- cross-site requests


def csrf_token(keyring: Keyring, token: str) -> str:
    """The form token. token: of the session cookie or, when signed out, the visitor cookie."""
    return keyring.digest(f"csrf:{token}").hex()


def csrf_valid(keyring: Keyring, token: str, given: str) -> bool:
    """Whether ``given`` is the form token that belongs to the cookie's token."""
    return bool(token) and hmac.compare_digest(csrf_token(keyring, token).encode(), given.encode("utf-8", "replace"))


def same_origin(headers: dict[str, str], address: Address, secure: bool) -> bool:
    """Whether a POST was sent by a page of this server.

    Pages with a no-referrer policy send ``Origin: null``; then Sec-Fetch-Site decides. For browsers that send neither,
    only the form token protects.
    """
    site = headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = headers.get("origin", "null")
    return origin == "null" or address.is_own_origin(origin, headers.get("host", ""), secure)


def safe_path(text: str) -> str:
    """A redirect target on this server, or "/" for text that could lead to another host."""
    plain = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and "\\" not in text
    return text if plain and len(text) < 2_000 else "/"
