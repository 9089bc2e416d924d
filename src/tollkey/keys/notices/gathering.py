"""Finds what notices are about: in the audit log, among expiries, addresses, leaks and used-up quotas.

Everything is found in the database, so that a key that a command revoked is announced by the server, and once, also
when several nodes look. The audit log is read in order: its writers are serialised, so no entry appears behind the last
one that was read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from tollkey.db import Row, Scope, Tx
from tollkey.keys.authority import Authority
from tollkey.keys.key import Key
from tollkey.keys.notices import store
from tollkey.keys.notices.events import ACTIONS, Event
from tollkey.keys.usage import DAY

_BATCH = 200
EXPIRY_DAYS = (1, 7, 30)
_LEAKS_SEEN_SECONDS = 7 * DAY  # an older report was announced, or nobody listened then
_IGNORED = {"version"}


class Unused(NamedTuple):
    """A key that nobody uses. last_used_at: UTC epoch seconds; None for never."""

    key: Key
    last_used_at: int | None


class Gatherer:
    """Finds events of a database, a batch at a time. Call its methods in one transaction under a lock.

    authority: reads keys. new_id: returns the id of an event.
    """

    def __init__(self, authority: Authority, new_id: Callable[[], str]) -> None:
        self._authority, self._new_id = authority, new_id

    def events(self, tx: Tx, now: int) -> Iterator[Event]:
        """Yield what happened since the last call. now: UTC epoch seconds. Raises StorageError."""
        entries = self._entries(tx)
        changed = sorted({entry[3] for entry in entries})
        yield from self._logged(tx, entries)
        yield from self._expiring(tx, changed, now)
        yield from self._expired(tx, changed, now)
        yield from self._new_addresses(tx)
        yield from self._leaks(tx, now)
        yield from self._quotas(tx, now)

    def _event(self, tx: Tx, type: str, at: int, key_id: str, **about: object) -> Iterator[Event]:
        """Yield an event of a key, if there still is one with this id."""
        key = self._authority.find(tx, key_id)
        if key is not None:
            yield Event(self._new_id(), type, at, key, about)

    def _entries(self, tx: Tx) -> list[Row]:
        """Return the next entries of the audit log."""
        after = store.position(tx, "key_audit")
        if after is None:  # notices begin with what happens from now on
            newest = tx.execute("SELECT coalesce(max(seq), 0) FROM key_audit")[0][0]
            store.advance(tx, "key_audit", int(newest))
            return []
        rows = tx.execute(
            "SELECT seq, at, action, key_id, actor_kind, actor_id, became FROM key_audit WHERE seq > ?"
            " ORDER BY seq LIMIT ?",
            (after, _BATCH),
        )
        if rows:
            store.advance(tx, "key_audit", rows[-1][0])
        return rows

    def _logged(self, tx: Tx, entries: Sequence[Row]) -> Iterator[Event]:
        for _, at, action, key_id, actor_kind, actor_id, became in entries:
            if action in ACTIONS:
                changed = sorted(set(json.loads(became)) - _IGNORED)
                about = {"by": f"{actor_kind}:{actor_id}"}
                more = {"changed": changed} if action == "updated" else {}
                yield from self._event(tx, ACTIONS[action], at, key_id, **about, **more)

    def _expiring(self, tx: Tx, changed: Sequence[str], now: int) -> Iterator[Event]:
        """Yield keys that expire in 30, 7 or 1 day; a key that was made for less than that is not announced then."""
        for days in EXPIRY_DAYS:
            what = f"expiring_{days}"
            for key_id, expires_at in store.reaching(tx, what, now, now, days * DAY, changed, _BATCH):
                if store.announce(tx, key_id, what, expires_at) and self._nearest(expires_at, now, days):
                    yield from self._event(tx, "key.expiring", now, key_id, days=days)

    def _nearest(self, expires_at: int, now: int, days: int) -> bool:
        """Return whether no smaller number of days fits: a server that was off announces an expiry once."""
        return not any(expires_at <= now + less * DAY for less in EXPIRY_DAYS if less < days)

    def _expired(self, tx: Tx, changed: Sequence[str], now: int) -> Iterator[Event]:
        for key_id, expires_at in store.reaching(tx, "expired", now - 7 * DAY, now, 0, changed, _BATCH):
            if store.announce(tx, key_id, "expired", expires_at):
                yield from self._event(tx, "key.expired", expires_at, key_id)

    def _new_addresses(self, tx: Tx) -> Iterator[Event]:
        rows = tx.execute(
            "SELECT key_id, address, first_at FROM key_addresses WHERE known = 0 ORDER BY first_at LIMIT ?", (_BATCH,)
        )
        for key_id, address, first_at in rows:
            tx.execute("UPDATE key_addresses SET known = 1 WHERE key_id = ? AND address = ?", (key_id, address))
            yield from self._event(tx, "key.used_from_new_ip", first_at, key_id, ip=address)

    def _leaks(self, tx: Tx, now: int) -> Iterator[Event]:
        rows = tx.execute(
            "SELECT seq, key_id, at, source, url, outcome FROM key_leaks AS l WHERE at > ? AND NOT EXISTS (SELECT 1"
            " FROM key_notices_announced AS a WHERE a.key_id = l.key_id AND a.what = 'leaked' AND a.mark = l.seq)"
            " ORDER BY at, seq LIMIT ?",
            (now - _LEAKS_SEEN_SECONDS, _BATCH),
        )
        for seq, key_id, at, source, url, outcome in rows:
            if store.announce(tx, key_id, "leaked", seq):
                yield from self._event(tx, "key.leaked", at, key_id, source=source, url=url, outcome=outcome)

    def _quotas(self, tx: Tx, now: int) -> Iterator[Event]:
        """Yield keys whose quota was used up today (UTC), once a day."""
        today = now - now % DAY
        rows = tx.execute(
            "SELECT DISTINCT key_id FROM key_request_counts AS c WHERE step = ? AND since = ?"
            " AND outcome = 'quota_exceeded' AND NOT EXISTS (SELECT 1 FROM key_notices_announced AS a"
            " WHERE a.key_id = c.key_id AND a.what = 'quota' AND a.mark = c.since) ORDER BY key_id LIMIT ?",
            (DAY, today, _BATCH),
        )
        for (key_id,) in rows:
            if store.announce(tx, key_id, "quota", today):
                yield from self._event(tx, "key.quota_reached", now, key_id)


def unused(tx: Tx, authority: Authority, scope: Scope, before: int, now: int) -> list[Unused]:
    """Return active keys of an account that were made and last used before a time, the longest unused first.

    before, now: UTC epoch seconds. Raises StorageError.
    """
    usages = authority.usages(tx, scope)
    found = [
        Unused(key, usage.last_used_at if (usage := usages.get(key.id)) else None)
        for key in authority.list(tx, scope, active_at=now)
        if key.created < before
    ]
    idle = [one for one in found if one.last_used_at is None or one.last_used_at < before]
    return sorted(idle, key=lambda one: (one.last_used_at or 0, one.key.created))
