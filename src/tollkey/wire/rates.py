"""The global request rate of an account.

Source: Stripe's documentation, "Rate limits": 100 requests a second in live mode and 25 in a sandbox, counted by
account, whatever its keys.
"""

from __future__ import annotations

from collections.abc import Callable

from tollkey.db import Database, Tx
from tollkey.keys import Key
from tollkey.keys.limiting import Bucket, MemoryLimiter, SharedLimiter


class RequestRate:
    """Says whether an account may make one more request now.

    test, live: requests per second and at once, for each account; 0 for no limit.
    database: with PostgreSQL, nodes exchange their counts through it (``exchange``). now: returns UTC epoch seconds.
    """

    def __init__(self, test: int, live: int, database: Database, now: Callable[[], float]) -> None:
        self._rates = {False: test, True: live}
        self._now = now
        # A bucket is full again after a second: reading what another node stored of it would come too late.
        self._shared = SharedLimiter(database, reads=False) if database.dialect == "postgres" else None
        self._limiter = self._shared or MemoryLimiter()

    def __call__(self, key: Key) -> bool:
        """Count a request with this key and return whether it is accepted."""
        rate = self._rates[key.livemode]
        if not rate:
            return True
        bucket = Bucket(f"requests:{key.livemode:d}:{key.account}", "requests", rate, float(rate))
        return self._limiter.take([bucket], 1, self._now()).accepted

    @property
    def unwritten(self) -> bool:
        """Whether other nodes do not know of some requests yet."""
        return self._shared is not None and self._shared.unwritten

    def exchange(self, tx: Tx) -> bool:
        """Exchange counts with other nodes. Returns whether there may be more. Raises StorageError."""
        return self._shared is not None and self._shared.exchange(tx, self._now())
