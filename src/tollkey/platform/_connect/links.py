"""Account links are single-use: the first browser that opens one claims it, and only that browser can continue.

    made ──opened within 5 minutes──▶ taken by one browser, for an hour ──submitted──▶ done
      └──────── opened late, by a second browser, or when done: to the link's ``refresh_url`` ────────┘

The platform makes a new link there (Stripe's docs, "Account Links", on ``refresh_url``).
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from tollkey.db import Migration
from tollkey.wire import Call

LINK_SECONDS = 300
_TAKEN_SECONDS = 3600
_COOKIE = "tollkey_onboarding"

MIGRATION = Migration(
    "account_links",
    (
        "CREATE TABLE account_links (id TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL, livemode {bool} NOT NULL,"
        " connected TEXT NOT NULL, return_url TEXT NOT NULL, refresh_url TEXT NOT NULL, ends_at {int} NOT NULL,"
        " browser TEXT, done {bool} NOT NULL)",
    ),
)


class Link(NamedTuple):
    """One link. connected: the account it is for. ends_at: UTC epoch seconds; an hour after it was taken once it is.

    browser: the digest of the cookie of the browser that took it. done: its form was submitted.
    """

    id: str
    connected: str
    return_url: str
    refresh_url: str
    ends_at: int
    browser: str | None
    done: bool


def add(call: Call, connected: str, return_url: str, refresh_url: str, seconds: int = LINK_SECONDS) -> Link:
    """Create a link. seconds: how long it is valid."""
    made = Link(call.ids.new("acclink"), connected, return_url, refresh_url, call.now + seconds, None, False)
    call.tx.execute(
        "INSERT INTO account_links (id, account, livemode, connected, return_url, refresh_url, ends_at, done)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
        (made.id, call.account, int(call.livemode), *made[1:5]),
    )
    return made


def find(call: Call, id: str) -> Link | None:
    """A link of this account and mode, or None. id: of the link."""
    rows = call.tx.execute(
        "SELECT id, connected, return_url, refresh_url, ends_at, browser, done FROM account_links"
        " WHERE id = ? AND account = ? AND livemode = ?",
        (id, call.account, int(call.livemode)),
    )
    return Link(*rows[0])._replace(done=bool(rows[0][6])) if rows else None


def take(call: Call, link: Link) -> str | None:
    """Claim a link for the browser that sends the request.

    Returns the cookie to set, "" when the browser already has it, None when the link is expired or claimed by another.
    """
    if link.done or call.now >= link.ends_at:
        return None
    if link.browser is not None:
        return "" if _digest(_sent(call)) == link.browser else None
    secret = call.ids.text(43)
    values = (
        _digest(secret),
        call.now + _TAKEN_SECONDS,
        link.id,
    )  # compared in the statement: of two browsers one is too late
    if not call.tx.execute(
        "UPDATE account_links SET browser = ?, ends_at = ? WHERE id = ? AND browser IS NULL RETURNING id", values
    ):
        return None
    secure = "; Secure" if call.setup.base_url.startswith("https:") else ""
    return (
        f"{_COOKIE}={secret}; Path=/connect/onboarding/{call.path['token']}; Max-Age={_TAKEN_SECONDS}; HttpOnly; "
        f"SameSite=Lax{secure}"
    )


def finish(call: Call, link: Link) -> bool:
    """Delete a link that was used. Returns False when it was already used."""
    return bool(call.tx.execute("UPDATE account_links SET done = 1 WHERE id = ? AND done = 0 RETURNING id", (link.id,)))


def _sent(call: Call) -> str:
    """The value of the link's cookie (RFC 6265 section 5.4), or ""."""
    headers = call.origin.headers or {}
    pairs = (part.strip().partition("=") for part in headers.get("cookie", "").split(";"))
    return next((value for name, _, value in pairs if name == _COOKIE), "")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
