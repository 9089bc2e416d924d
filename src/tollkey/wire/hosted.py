"""Hosted pages, which need no key: a 3-D Secure challenge, a checkout page, an account link, an invoice.

The URL of such a page contains an unguessable token, stored as a digest, which stands for an account and mode, an
object and a kind of page. Whoever has the URL may do what the page offers and nothing else. An endpoint with
``public=True`` and a path like ``/3ds/{token}`` or ``/3ds/{token}/complete`` runs in that scope, with the object's id
in ``call.path["id"]``.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from tollkey.db import Migration, Scope, Tx
from tollkey.db.held import inserting
from tollkey.keys import Key
from tollkey.keys.authority import Authority
from tollkey.wire.languages import ENGLISH, Language
from tollkey.wire.page_style import STYLE
from tollkey.wire.resource import Reply
from tollkey.wire.urls import is_return_url

if TYPE_CHECKING:
    from tollkey.wire.call import Call

MIGRATION = Migration(
    "hosted",
    (
        "CREATE TABLE hosted (digest TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL, livemode {bool} NOT NULL,"
        " platform TEXT NOT NULL,"
        " kind TEXT NOT NULL, id TEXT NOT NULL, expires_at {int})",
        "ALTER TABLE hosted ADD COLUMN key_id TEXT",
        "ALTER TABLE hosted ADD COLUMN needs TEXT",
    ),
)

_TOKEN = inserting(
    "hosted",
    ("digest", "account", "livemode", "platform", "kind", "id", "expires_at", "key_id", "needs"),
    "ttitttitt",
)
_TOKEN_LENGTH = 41  # characters of 0-9A-Za-z, 244 bits, after seven characters that encode the time
_PLACE = 5
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_HOST = re.compile(
    r"[A-Za-z0-9.:\[\]_-]+"
)  # allowed in a Content-Security-Policy: a semicolon would start another directive


class Grant(NamedTuple):
    """What the token in a page's URL stands for.

    platform: the account whose key created it. kind: the kind of page. id: the object it is about.
    expires_at: UTC epoch seconds from which it is refused, or None.
    key_id, needs: the key that created it and the permission that key must still have; None when the token does not
    depend on a key.
    """

    scope: Scope
    platform: str
    kind: str
    id: str
    expires_at: int | None
    key_id: str | None = None
    needs: str | None = None


def hosted_url(call: Call, kind: str, id: str, *, expires_at: int | None = None, needs: str | None = None) -> str:
    """Create and return the URL ``<base_url>/<kind>/<token>`` of a page about that object.

    kind: the path before the token, for example ``3ds``; its endpoints are ``/<kind>/{token}`` and below.
    expires_at: UTC epoch seconds from which the URL is refused; None for never.
    needs: for a page that grants access, the permission that the creating key must still have whenever the URL is
    used. When that key has ended or lost the permission, the URL is refused.
    """
    key = call.key.id if call.key is not None and needs is not None else None
    token = call.ids.time_ordered(_TOKEN_LENGTH)
    call.tx.hold(
        _TOKEN,
        (_digest(token), call.account, int(call.livemode), call.platform, kind, id, expires_at, key, needs),
    )
    return f"{call.setup.base_url}/{kind}/{token}"


def grant_of(tx: Tx, kind: str, token: str, now: int) -> Grant | None:
    """Return the grant of a token, or None when it is unknown, expired or for another kind of page.

    now: UTC epoch seconds.
    """
    rows = tx.execute(
        "SELECT account, livemode, platform, kind, id, expires_at, key_id, needs FROM hosted WHERE digest = ?",
        (_digest(token),),
    )
    if not rows:
        return None
    account, livemode, platform, found, id, expires_at, key_id, needs = rows[0]
    if found != kind or (expires_at is not None and now >= expires_at):
        return None
    return Grant(Scope(account, bool(livemode)), platform, found, id, expires_at, key_id, needs)


def granting_key(
    tx: Tx, authority: Authority, key_id: str, platform: str, scope: Scope, needs: str, now: int
) -> Key | None:
    """Return the key that granted something in a scope if it is valid, not paused and has the permission, else None.

    platform: the key's account. needs: the permission; for another account than the key's, its permissions for
    connected accounts count. now: UTC epoch seconds.
    """
    key = authority.get(tx, Scope(platform, scope.livemode), key_id)
    if key is None or key.status(now) != "active" or not key.allows(needs, connected=scope.account != platform):
        return None
    return key


def valid_grant(
    tx: Tx, authority: Authority, connected: Callable[[Tx, Scope, str], bool], kind: str, token: str, now: int
) -> Grant | None:
    """Return the grant of a token if the key and the platform that created it still have access, else None.

    connected: returns whether an account is connected to a platform; URLs for accounts that have disconnected are
    refused. now: UTC epoch seconds.
    """
    grant = grant_of(tx, kind, token, now)
    if grant is None or grant.needs is None:
        return grant
    scope, platform = grant.scope, grant.platform
    if (
        grant.key_id is not None
        and granting_key(tx, authority, grant.key_id, platform, scope, grant.needs, now) is None
    ):
        return None
    return grant if scope.account == platform or connected(tx, Scope(platform, scope.livemode), scope.account) else None


def kind_of(path: str) -> str:
    """Return the kind of page that a path serves: the part before ``{token}``."""
    return path.partition("/{token}")[0].lstrip("/")


def _digest(token: str) -> str:
    """Return the stored digest; it begins with the token's time, so that new rows are adjacent in the index."""
    return token[:_PLACE] + hashlib.sha256(token.encode()).hexdigest()


def safe_link(url: str | None) -> str:
    """Return the URL if a page may link to it (http, https, a path on this server, an app's scheme), else ``/``."""
    text = url or ""
    here = text.startswith("/") and text[1:2] not in ("/", "\\") and not _UNPRINTABLE.search(text)
    return text if here or is_return_url(text) else "/"


def with_query(url: str, **params: str) -> str:
    """Return the URL with these query parameters added."""
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *params.items()])
    return urlunsplit(parts._replace(query=query))


def redirect(url: str) -> Reply:
    """Return a 303 redirect to that URL; an unsafe URL becomes ``/`` (``safe_link``)."""
    return Reply(b"", "text/html; charset=utf-8", 303, {"Location": safe_link(url), "Referrer-Policy": "no-referrer"})


class Look(NamedTuple):
    """How a page differs from the common style.

    style: more CSS, such as values of the style's variables; the caller must have checked what it is made of.
    images: the URL of an image on another server, else None.
    framed: whether pages of any origin may show it in a frame. wide: whether its two parts, the first of the class
    ``order``, stand beside one another where there is room.
    """

    style: str = ""
    images: str | None = None
    framed: bool = False
    wide: bool = False


def html_page(
    title: str,
    body: str,
    *,
    status: int = 200,
    leads_to: str | None = None,
    script: str = "",
    look: Look | None = None,
    language: Language = ENGLISH,
) -> Reply:
    """Return an HTML page with the common style and a Content-Security-Policy.

    title: plain text. body: HTML of the main part; the caller must escape untrusted text.
    leads_to: a ``return_url`` that forms of the page may redirect to, besides this server.
    script: the source of a JavaScript module, the only script that may run. look: what differs from the common style.
    language: of the texts.
    """
    look = look or Look()
    more = f"\n<style>{look.style}</style>" if look.style else ""
    tail = f'<script type="module">{script}</script>\n' if script else ""
    html = f"""<!doctype html>
<html lang="{language.tag}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{escape(title)}</title>
<style>{STYLE}</style>{more}
</head>
<body>
<main{' class="wide"' if look.wide else ""}>
{body}
</main>
{tail}</body>
</html>
"""
    return Reply(html.encode(), "text/html; charset=utf-8", status, _headers(leads_to, script, look))


def _headers(leads_to: str | None, script: str, look: Look) -> dict[str, str]:
    target = urlsplit(safe_link(leads_to))
    place = target.netloc.rpartition("@")[2]
    web = target.scheme in ("http", "https")
    form = (
        f" {target.scheme}://{place}"
        if web and _HOST.fullmatch(place)
        else f" {target.scheme}:"
        if target.scheme
        else ""
    )
    styles = " ".join(f"'{_source(each)}'" for each in (STYLE, look.style) if each)
    around = "" if look.framed else " frame-ancestors 'none';"
    policy = (
        f"default-src 'none'; base-uri 'none';{around} img-src 'self'{_origin(look.images)};"
        f" form-action 'self'{form}; connect-src 'self'; style-src {styles}"
        + (f"; script-src '{_source(script)}'" if script else "")
    )
    return {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }


def _origin(url: str | None) -> str:
    """Return the origin of an http or https URL after a space, for a Content-Security-Policy; empty for any other."""
    parts = urlsplit(url or "")
    place = parts.netloc.rpartition("@")[2]
    return f" {parts.scheme}://{place}" if parts.scheme in ("http", "https") and _HOST.fullmatch(place) else ""


def is_image_url(url: str) -> bool:
    """Whether a page can show the image at that URL: it has the scheme http or https, and a plain host."""
    try:
        return not _UNPRINTABLE.search(url) and bool(_origin(url))
    except ValueError:  # such as "https://["
        return False


def _source(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
