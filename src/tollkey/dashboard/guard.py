"""What keeps strangers out: headers, cookies, the CSRF token, the Origin check."""

from __future__ import annotations

import hmac
from urllib.parse import quote, unquote

from tollkey.dashboard.address import Address
from tollkey.keys import Keyring

#: On every answer. No inline script or style anywhere; only this server's own modules and images.
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
    """The headers of an answer. secure: it was asked for over TLS (RFC 6797 forbids HSTS otherwise)."""
    return {**HEADERS, "Strict-Transport-Security": _HSTS} if secure else dict(HEADERS)


# -- cookies


def cookie_name(name: str, secure: bool) -> str:
    """Over TLS the ``__Host-`` prefix: no other host, no other path and no plain HTTP can set it (RFC 6265bis)."""
    return f"__Host-tollkey_{name}" if secure else f"tollkey_{name}"


def set_cookie(name: str, value: str, secure: bool, seconds: int | None = None) -> str:
    """A Set-Cookie header. seconds: its life; 0 ends it, None keeps it until the browser closes."""
    life = "" if seconds is None else f"; Max-Age={seconds}"
    return (
        f"{cookie_name(name, secure)}={quote(value, safe='')}; Path=/; HttpOnly; "
        f"SameSite=Lax{life}{'; Secure' if secure else ''}"
    )


def read_cookies(header: str, secure: bool) -> dict[str, str]:
    """Our cookies by their short names; what cannot be read is not there."""
    start = cookie_name("", secure)
    pairs = [
        pair.strip().partition("=") for pair in header.split(";")
    ]  # RFC 6265, section 5.4; ours hold nothing that needs quotes
    return {name[len(start) :]: unquote(value) for name, equals, value in pairs if equals and name.startswith(start)}


# -- cross-site requests


def csrf_token(keyring: Keyring, token: str) -> str:
    """The token that every form carries: bound to the session's (or, signed out, to the visitor's) cookie."""
    return keyring.digest(f"csrf:{token}").hex()


def csrf_right(keyring: Keyring, token: str, given: str) -> bool:
    """Whether that is the form token of this cookie."""
    return bool(token) and hmac.compare_digest(csrf_token(keyring, token).encode(), given.encode("utf-8", "replace"))


def same_origin(headers: dict[str, str], address: Address, secure: bool) -> bool:
    """Whether a request that changes something comes from a page of ours.

    Forms of pages without referrer send ``Origin: null``; then the browser's own Sec-Fetch-Site decides. A browser that
    sends neither is left to the form token.
    """
    site = headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = headers.get("origin", "null")
    return origin == "null" or address.ours(origin, headers.get("host", ""), secure)


def local_path(text: str) -> str:
    """A path of this server to go on to after signing in, or "/": never another host."""
    plain = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and "\\" not in text
    return text if plain and len(text) < 2_000 else "/"
