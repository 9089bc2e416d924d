"""Portal sessions: who may do what, for how long. Tokens are stored as keyed digests only."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args
from urllib.parse import urlsplit

from tollkey.db import Migration, Row, Tx
from tollkey.keys import rules, store
from tollkey.keys.actors import SYSTEM, Actor
from tollkey.keys.authority import Authority
from tollkey.keys.errors import KeyRefused
from tollkey.keys.hiding import repr_without
from tollkey.keys.key import SERVICE_ACCOUNT

Clock = Callable[[], float]
Verb = Literal["create", "roll", "revoke"]
UiMode = Literal["hosted", "component"]
VERBS: tuple[Verb, ...] = get_args(Verb)
LINK_SECONDS = 600  # how long a link can be opened
SESSION_SECONDS = 3600  # how long an opened page, or the token of a component, can be used
_TOKEN_CHARACTERS = 43  # 256 bits of 62 characters
_TOKEN = re.compile(r"ps_(?:link|page|token)_[0-9A-Za-z]{43}")
_LONGEST_URL = 2_000
SESSION_ENDED = "This session has ended. Open the page again from where you came."

MIGRATION = Migration(
    "portal_sessions",
    (
        """CREATE TABLE portal_sessions (
            id TEXT PRIMARY KEY,
            account TEXT NOT NULL,
            livemode {bool} NOT NULL,
            return_url TEXT,
            may TEXT NOT NULL,
            permissions TEXT NOT NULL,
            ui_mode TEXT NOT NULL CHECK (ui_mode IN ('hosted', 'component')),
            created {int} NOT NULL,
            created_by TEXT NOT NULL,
            link {blob} UNIQUE,
            link_ends_at {int},
            token {blob} UNIQUE,
            ends_at {int} NOT NULL
        )""",
        "CREATE INDEX portal_sessions_ended ON portal_sessions (ends_at)",
    ),
)
_COLUMNS = "id, account, livemode, return_url, may, permissions, ends_at"
_BY_KEY = "api_key:"  # how the actor begins that is a service key


@dataclass(frozen=True, slots=True)
class Rights:
    """What an open session may do.

    id: of the session, ``ps_…``. account, livemode: whose keys. return_url: where its page leads back to, or None.
    may: the verbs. permissions: the grants that its keys can have. ends_at: UTC epoch seconds.
    """

    id: str
    account: str
    livemode: bool
    return_url: str | None
    may: frozenset[Verb]
    permissions: frozenset[str]
    ends_at: int

    @property
    def actor(self) -> Actor:
        """Who changes a key, for the audit log: the session."""
        return Actor("portal", self.id)


class NewSession(NamedTuple):
    """A new session. Keep its token and URL out of logs; they are not part of its repr.

    id: ``ps_…``. ui_mode: ``hosted`` or ``component``. expires_at: of the token, UTC epoch seconds.
    url: the one-time URL of the page; None for a component. token: what a component signs in with; None for a page.
    """

    id: str
    ui_mode: UiMode
    expires_at: int
    url: str | None
    token: str | None

    def __repr__(self) -> str:
        return repr_without(self, "url", "token")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a session is created with; see ``Portal.create_session``."""

    account: str
    livemode: bool = True
    may: Iterable[str] = VERBS
    permissions: Iterable[str] = ()
    return_url: str | None = None
    ui_mode: str = "hosted"
    actor: Actor = field(default=SYSTEM)


def create_session(tx: Tx, authority: Authority, wanted: Wanted, base_url: str, now: int) -> NewSession:
    """Create a session. base_url: of the portal. now: UTC epoch seconds. Raises KeyRefused, StorageError."""
    may = frozenset(wanted.may)
    rules.check_account(wanted.account)
    if may - set(VERBS):
        raise KeyRefused("may_invalid", f"A session may only: {', '.join(VERBS)}.", "may")
    if wanted.ui_mode not in get_args(UiMode):
        raise KeyRefused("ui_mode_invalid", "Use hosted or component.", "ui_mode")
    permissions = authority.catalogue.check_known(wanted.permissions)
    if "create" in may and not permissions:
        raise KeyRefused("permissions_required", "Name the permissions that its keys can have.", "permissions")
    return_url = None if wanted.return_url is None else _checked_url(wanted.return_url)
    hosted = wanted.ui_mode == "hosted"
    id, token = authority.ids.new("ps"), _new_token(authority, "link" if hosted else "token")
    digest, ends_at = authority.keyring.digest(token), now + (LINK_SECONDS if hosted else SESSION_SECONDS)
    tx.execute("DELETE FROM portal_sessions WHERE ends_at < ?", (now,))
    tx.execute(
        "INSERT INTO portal_sessions (id, account, livemode, return_url, may, permissions, ui_mode, created,"
        " created_by, link, link_ends_at, token, ends_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(id, wanted.account, int(wanted.livemode), return_url, json.dumps(sorted(may))),
            *(json.dumps(sorted(permissions)), wanted.ui_mode, now, str(wanted.actor)),
            *(digest if hosted else None, ends_at if hosted else None, None if hosted else digest, ends_at),
        ),
    )
    if hosted:
        return NewSession(id, "hosted", ends_at, f"{base_url}/start/{token}", None)
    return NewSession(id, "component", ends_at, None, token)


def open_link(tx: Tx, authority: Authority, link: str, now: int) -> str | None:
    """Use up a link, and return the token of its page; None for a link that is unknown, used up or too old.

    Raises StorageError.
    """
    if not link_is_open(tx, authority, link, now):
        return None
    token = _new_token(authority, "page")
    digests = _digests(authority, link)
    rows = tx.execute(
        f"UPDATE portal_sessions SET link = NULL, token = ?, ends_at = ? WHERE link IN ({_marks(digests)})"
        " AND link_ends_at > ? RETURNING id",
        (authority.keyring.digest(token), now + SESSION_SECONDS, *digests, now),
    )
    return token if rows else None


def link_is_open(tx: Tx, authority: Authority, link: str, now: int) -> bool:
    """Return whether ``open_link`` would open a link. It writes nothing. Raises StorageError."""
    if not _TOKEN.fullmatch(link):
        return False
    digests = _digests(authority, link)
    rows = tx.execute(
        f"SELECT created_by FROM portal_sessions WHERE link IN ({_marks(digests)}) AND link_ends_at > ?",
        (*digests, now),
    )
    return bool(rows) and _still_granted(tx, authority, rows[0][0], now)


def _still_granted(tx: Tx, authority: Authority, created_by: str, now: int) -> bool:
    """Return whether who created a session may still do so: a key that has ended or is paused may not.

    A service key needs its permission, too. A host that names another key has decided by itself what that key may do.
    """
    if not created_by.startswith(_BY_KEY):
        return True
    key = store.by_id_anywhere(tx, created_by.removeprefix(_BY_KEY), authority.catalogue)
    if key is None or key.status(now) != "active":
        return False
    return key.kind == "secret" or key.account != SERVICE_ACCOUNT or "portal_write" in key.permissions


def rights_of(tx: Tx, authority: Authority, token: str, ui_mode: UiMode, now: int) -> Rights | None:
    """Return what the session with this token may do; None if there is none, or it has ended.

    It ends with the service key that created it. Raises StorageError.
    """
    if not _TOKEN.fullmatch(token):
        return None
    digests = _digests(authority, token)
    rows = tx.execute(
        f"SELECT created_by, {_COLUMNS} FROM portal_sessions WHERE token IN ({_marks(digests)}) AND ui_mode = ?"
        " AND ends_at > ?",
        (*digests, ui_mode, now),
    )
    if not rows or not _still_granted(tx, authority, rows[0][0], now):
        return None
    return _rights(rows[0][1:])


def check_open(tx: Tx, authority: Authority, rights: Rights, now: int) -> None:
    """Raise KeyRefused ``session_ended`` unless a session is still open in this transaction, which acts for it.

    now: UTC epoch seconds. Raises StorageError.
    """
    rows = tx.execute("SELECT created_by FROM portal_sessions WHERE id = ? AND ends_at > ?", (rights.id, now))
    if not rows or not _still_granted(tx, authority, rows[0][0], now):
        raise KeyRefused("session_ended", SESSION_ENDED)


def end(tx: Tx, session_id: str) -> None:
    """End a session. Raises StorageError."""
    tx.execute("DELETE FROM portal_sessions WHERE id = ?", (session_id,))


def _rights(row: Row) -> Rights:
    id, account, livemode, return_url, may, permissions, ends_at = row
    verbs = frozenset(json.loads(may))
    return Rights(id, account, bool(livemode), return_url, verbs, frozenset(json.loads(permissions)), ends_at)


def _digests(authority: Authority, token: str) -> list[bytes]:
    """Return the digests under which a token may be stored: with the current digest key, and with retired ones."""
    return [digest for _, digest in authority.keyring.digests(token)]


def _marks(digests: Sequence[bytes]) -> str:
    return ", ".join("?" * len(digests))


def _new_token(authority: Authority, kind: str) -> str:
    return f"ps_{kind}_{authority.ids.text(_TOKEN_CHARACTERS)}"


def _checked_url(url: str) -> str:
    """Return an http or https URL. Raises KeyRefused."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable() and " " not in url
    except ValueError:
        sound = False
    if not sound or len(url) > _LONGEST_URL:
        raise KeyRefused("url_invalid", "The return URL must be an http or https URL.", "return_url")
    return url
