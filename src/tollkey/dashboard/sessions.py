"""Sessions: a random token in a cookie, its digest in the database.

A session ends 30 days after sign-in, or after 7 days without use. Signing in always makes a new
token, so that a planted one is worth nothing. ``confirmed_at`` is when the person last proved who
they are: revealing, rolling and making keys asks for that to be recent.
"""

from __future__ import annotations

from typing import NamedTuple

from tollkey.db import Ids, Tx
from tollkey.keys import Keyring

LIFE_SECONDS = 30 * 86400
IDLE_SECONDS = 7 * 86400
CONFIRMED_SECONDS = 15 * 60
SECOND_STEP_SECONDS = 10 * 60
_SEEN_STEP = 300  # seconds: how exact "last seen" is
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
        """Whether the person proved recently who they are."""
        return now < self.confirmed_at + CONFIRMED_SECONDS


_COLUMNS = "id, person, stage, created, seen, confirmed_at, ip, agent"


def start(tx: Tx, keyring: Keyring, ids: Ids, *, person: str, stage: str, now: int, ip: str | None, agent: str) -> str:
    """A new session; returns the token for the cookie. What has ended of this person's is cleared away."""
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
    """The session of that token, unless it has ended."""
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
    """The full sessions of a person, last seen first."""
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM dash_sessions WHERE person = ? AND stage = 'full' ORDER BY seen DESC, id", (person,)
    )
    return [session for session in (Session(*row) for row in rows) if _alive(session, now)]


def touched_late(session: Session, now: int) -> bool:
    """Whether it is time to write down again that the session is in use."""
    return now >= session.seen + _SEEN_STEP


def touch(tx: Tx, session: str, now: int, ip: str | None) -> None:
    """Write down that the session is in use."""
    tx.execute("UPDATE dash_sessions SET seen = ?, ip = ? WHERE id = ?", (now, ip, session))


def confirm(tx: Tx, session: str, now: int) -> None:
    """The person has just proved who they are."""
    tx.execute("UPDATE dash_sessions SET confirmed_at = ? WHERE id = ?", (now, session))


def end(tx: Tx, person: str, session: str) -> bool:
    """End one session of this person; False when they have no such session."""
    return bool(tx.execute("DELETE FROM dash_sessions WHERE person = ? AND id = ? RETURNING id", (person, session)))


def end_others(tx: Tx, person: str, keep: str | None) -> int:
    """End every session of a person but one, and return how many."""
    return len(tx.execute("DELETE FROM dash_sessions WHERE person = ? AND id <> ? RETURNING id", (person, keep or "")))
