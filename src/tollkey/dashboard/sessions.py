"""Sessions: a random token in a cookie, its digest in the database.

A session ends 30 days after sign-in, or after 7 days without use. Signing in always creates a new token, which prevents
session fixation. ``confirmed_at`` is the time of the last proof of identity; pages that reveal, roll or create keys
require it to be recent.
"""

from __future__ import annotations

from typing import NamedTuple

from tollkey.db import Ids, Tx
from tollkey.keys.keyring import Keyring

LIFE_SECONDS = 30 * 86400
IDLE_SECONDS = 7 * 86400
CONFIRMED_SECONDS = 15 * 60
SECOND_STEP_SECONDS = 10 * 60
_SEEN_STEP = 300  # seconds between updates of "last seen"
_TOKEN = 43


class Session(NamedTuple):
    """One sign-in on one device. stage: ``second`` while the second factor is missing, then ``full``.

    Times: UTC epoch seconds.
    """

    id: str
    person: str
    stage: str
    created: int
    seen: int
    confirmed_at: int
    ip: str | None
    agent: str

    def confirmed(self, now: int) -> bool:
        """Whether the person proved their identity recently. now: UTC epoch seconds.

        A proof that lies ahead, because the clock was set back since, is as old as it is far ahead.
        """
        return abs(now - self.confirmed_at) < CONFIRMED_SECONDS


_COLUMNS = "id, person, stage, created, seen, confirmed_at, ip, agent"


def start(tx: Tx, keyring: Keyring, ids: Ids, *, person: str, stage: str, now: int, ip: str | None, agent: str) -> str:
    """Create a session and delete the person's expired ones. Returns the token for the cookie.

    stage: ``second`` while the second factor is missing, otherwise ``full``. now: UTC epoch seconds. agent: User-Agent.
    """
    old = (person, now - LIFE_SECONDS, now - IDLE_SECONDS)
    tx.execute("DELETE FROM dash_sessions WHERE person = ? AND (created <= ? OR seen <= ?)", old)
    token = ids.text(_TOKEN)
    made = Session(ids.new("ses"), person, stage, now, now, now if stage == "full" else 0, ip, agent[:200])
    tx.execute(
        f"INSERT INTO dash_sessions ({_COLUMNS}, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*made, keyring.digest(f"session:{token}")),
    )
    return token


def find(tx: Tx, keyring: Keyring, token: str, now: int) -> Session | None:
    """The session of a cookie's token; None when there is none or it has ended. now: UTC epoch seconds."""
    for _, digest in keyring.digests(f"session:{token}"):
        rows = tx.execute(f"SELECT {_COLUMNS} FROM dash_sessions WHERE digest = ?", (digest,))
        if rows:
            session = Session(*rows[0])
            return session if _alive(session, now) else None
    return None


def _alive(session: Session, now: int) -> bool:
    if session.stage == "second":
        return now < session.created + SECOND_STEP_SECONDS
    return now < session.created + LIFE_SECONDS and now < session.seen + IDLE_SECONDS


def of_person(tx: Tx, person: str, now: int) -> list[Session]:
    """The full sessions of a person, last seen first. now: UTC epoch seconds."""
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM dash_sessions WHERE person = ? AND stage = 'full' ORDER BY seen DESC, id", (person,)
    )
    return [session for session in (Session(*row) for row in rows) if _alive(session, now)]


def needs_touch(session: Session, now: int) -> bool:
    """Whether "last seen" is due to be updated. now: UTC epoch seconds."""
    return now >= session.seen + _SEEN_STEP


def touch(tx: Tx, session: str, now: int, ip: str | None) -> None:
    """Update when and from which IP address a session was last used. now: UTC epoch seconds."""
    tx.execute("UPDATE dash_sessions SET seen = ?, ip = ? WHERE id = ?", (now, ip, session))


def confirm(tx: Tx, session: str, now: int) -> None:
    """Record that the person has just proved their identity. now: UTC epoch seconds."""
    tx.execute("UPDATE dash_sessions SET confirmed_at = ? WHERE id = ?", (now, session))


def end(tx: Tx, person: str, session: str) -> bool:
    """End a session of a person. Returns False when they have no such session."""
    return bool(tx.execute("DELETE FROM dash_sessions WHERE person = ? AND id = ? RETURNING id", (person, session)))


def end_others(tx: Tx, person: str, keep: str | None) -> int:
    """End every session of a person except ``keep`` (None: all). Returns how many."""
    return len(tx.execute("DELETE FROM dash_sessions WHERE person = ? AND id <> ? RETURNING id", (person, keep or "")))
