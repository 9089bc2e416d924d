"""What happens to a key that somebody reports as leaked: it is revoked or rolled, and the report is recorded.

Whoever sends the text of a key has it, and could use it: to end it they need no other proof ("revocation by
possession"). A report is one transaction, together with the change of the key. Reporting twice has no further effect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tollkey.db import Migration, Scope, SQLite, StorageError, Tx, migrate
from tollkey.keys.actors import Actor
from tollkey.keys.errors import KeyRefused
from tollkey.keys.header import without_keys
from tollkey.keys.key import Key
from tollkey.keys.limits import LONGEST_ROLL_SECONDS
from tollkey.keys.service import KeyService
from tollkey.keys.store import ORDER

#: What a report does to a key. ``record``: nothing, the report is only recorded.
Policy = Literal["revoke", "roll", "record"]
#: What a report did. ``expired``: a key that was rolled before ended at once. ``none``: it had ended before.
Outcome = Literal["revoked", "rolled", "expired", "recorded", "none"]

MIGRATION = Migration(
    "key_leaks",
    (
        """CREATE TABLE key_leaks (
            seq {key},
            key_id TEXT NOT NULL,
            account TEXT NOT NULL,
            livemode {bool} NOT NULL,
            at {int} NOT NULL,
            source TEXT NOT NULL,
            url TEXT NOT NULL,
            outcome TEXT NOT NULL,
            replaced_by TEXT,
            UNIQUE (key_id, source, url)
        )""",
        "CREATE INDEX key_leaks_of_account ON key_leaks (account, livemode, seq)",
        "CREATE INDEX key_leaks_by_time ON key_leaks (at)",
        "DROP INDEX key_leaks_of_account",
        f"CREATE INDEX key_leaks_of_account ON key_leaks (account, livemode, ({ORDER}))",
    ),
)
_LONGEST_URL = 500
_ATTEMPTS = 3  # a change by somebody else at the same time makes the report start again


@dataclass(frozen=True, slots=True)
class Leak:
    """A report about a key.

    at: UTC epoch seconds. source: who reported it, for example ``github``. url: where it was found, without keys; empty
    if that was not told. outcome: what was done. replaced_by: id of the successor, if it was rolled.
    """

    key_id: str
    account: str
    livemode: bool
    at: int
    source: str
    url: str
    outcome: Outcome
    replaced_by: str | None = None


class Leaks:
    """Takes reports about leaked keys.

    service: the keys. now: returns UTC epoch seconds. policy: what a report does to a key.
    grace_seconds: for ``roll``, how long the old key goes on working, 1 to 604800; its successor is sealed for one
        reveal by its owner, so the two overlap for a second at least.
    on_leak: called with each new report in its transaction, for example to send a webhook. Raises StorageError, and
    ValueError for a grace that is out of range.
    """

    def __init__(
        self,
        service: KeyService,
        now: Callable[[], float],
        *,
        policy: Policy = "revoke",
        grace_seconds: int = 1,
        on_leak: Callable[[Tx, Leak], None] | None = None,
    ) -> None:
        if not 1 <= grace_seconds <= LONGEST_ROLL_SECONDS:
            raise ValueError(f"the grace of a leaked key must be 1 to {LONGEST_ROLL_SECONDS} seconds")
        self._service = service
        self._now = now
        self._policy: Policy = policy
        self._grace = grace_seconds
        self._on_leak = on_leak
        migrate(service.database, [MIGRATION])
        if isinstance(service.database, SQLite):
            service.database.close_connections()  # so that none is open when a preloaded application forks

    def report(
        self, text: str, *, source: str, url: str = "", policy: Policy | None = None, actor: Actor | None = None
    ) -> Leak | None:
        """Take a report and return what was done; None if this is no secret key of ours.

        text: the key, as it was found. source: who reports it, up to 40 characters. url: where it was found.
        policy: None for that of this object. actor: for the audit log; by default the source.
        A publishable key is public: it is no leak, and nothing is done. Raises StorageError, also if others change the
        key again and again at the same time.
        """
        key = self._service.find(text)
        if key is None or key.kind == "publishable" or not _is_text(key, text):
            return None
        who = actor or Actor("leak_report", source[:40])
        for _ in range(_ATTEMPTS):
            try:
                return self._service.database.write(
                    lambda tx: self._handle(
                        tx, key.scope, key.id, who, source[:40], _shown(url), policy or self._policy
                    )
                )
            except KeyRefused as refused:  # somebody else changed the key between our read and our write
                if refused.code != "api_key_changed":
                    raise
        raise StorageError("the reported key was changed by others at the same time, again and again")

    def of_account(self, account: str, livemode: bool = True, limit: int = 100) -> tuple[Leak, ...]:
        """Return reports about the keys of an account in this mode, newest first. Raises StorageError."""
        rows = self._service.database.read(
            lambda tx: tx.execute(
                "SELECT key_id, account, livemode, at, source, url, outcome, replaced_by FROM key_leaks"
                f" WHERE account = ? AND livemode = ? ORDER BY {ORDER} DESC LIMIT ?",
                (account, int(livemode), limit),
            )
        )
        return tuple(Leak(row[0], row[1], bool(row[2]), *row[3:]) for row in rows)

    def _handle(
        self, tx: Tx, scope: Scope, key_id: str, actor: Actor, source: str, url: str, policy: Policy
    ) -> Leak | None:
        now, authority = int(self._now()), self._service.authority
        key = authority.get(tx, scope, key_id)
        if key is None:
            return None
        outcome: Outcome = "none"
        successor: str | None = None
        if key.ended(now):
            pass
        elif policy == "record":
            outcome = "recorded"
        elif policy == "revoke" or key.disabled_at is not None:  # a paused key cannot be rolled, and nothing uses it
            authority.revoke(tx, scope, key_id, actor=actor, now=now)
            outcome = "revoked"
        elif key.replaced_by is not None:
            authority.expire_now(tx, scope, key_id, actor=actor, now=now)
            outcome = "expired"
        else:
            _, new, _ = authority.roll(tx, scope, key_id, self._grace, actor=actor, now=now)
            outcome, successor = "rolled", new.id
        leak = Leak(key_id, key.account, key.livemode, now, source, url, outcome, successor)
        stored = tx.execute(
            "INSERT INTO key_leaks (key_id, account, livemode, at, source, url, outcome, replaced_by)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key_id, source, url) DO NOTHING RETURNING seq",
            (key_id, key.account, int(key.livemode), now, source, url, outcome, successor),
        )
        if stored and self._on_leak is not None:
            self._on_leak(tx, leak)
        return leak


def _is_text(key: Key, text: str) -> bool:
    """Whether a key was found by its text: ``find`` takes its id as well, which proves nothing."""
    return key.id != text


def _shown(url: str) -> str:
    """An address as it may be stored: one line, without keys."""
    return without_keys("".join(c for c in url if c.isprintable()))[:_LONGEST_URL]
