"""Who still uses the old key after a roll, so that one knows whether it may expire."""

from __future__ import annotations

from typing import NamedTuple

from tollkey.db import Tx
from tollkey.keys.key import Key
from tollkey.keys.lookup import Lookup
from tollkey.keys.store import Usage
from tollkey.keys.usage import UsageQuery, report

_MINUTE = 60


class OldKeyUse(NamedTuple):
    """The use of a rolled key since its roll, as of the last flush.

    key: the old key. rolled_at: UTC epoch seconds. last: its last use, with address and endpoint; None if it was never
    used. requests: how many it made since the roll, counted from the next full minute, accepted and refused ones.
    """

    key: Key
    rolled_at: int
    last: Usage | None
    requests: int

    @property
    def used_since(self) -> bool:
        """Whether the old key was accepted since the roll: somebody has not changed to the new one."""
        return self.last is not None and self.last.last_used_at > self.rolled_at


def old_key_use(tx: Tx, keys: Lookup, key: Key) -> OldKeyUse | None:
    """Return the use of the key that ``key`` has replaced, or of ``key`` itself if it was rolled; None for others.

    keys: finds them. Raises StorageError.
    """
    old: Key | None = key
    new: Key | None = key
    if key.replaced_by is not None:
        new = keys.get(tx, key.scope, key.replaced_by)
    else:
        old = None if key.rolled_from is None else keys.get(tx, key.scope, key.rolled_from)
    if old is None or new is None or old.replaced_by is None:
        return None  # it was not rolled, or the roll was cancelled
    since = -(-new.created // _MINUTE) * _MINUTE
    rows = report(tx, UsageQuery(by=("minute",), key=old.id, since=since))
    last = keys.usages(tx, old.scope, [old.id]).get(old.id)
    return OldKeyUse(old, new.created, last, sum(row.requests for row in rows))
