"""Whether the change stream is heard, and how old what it says can be at most.

That a tick arrived now does not mean that it was sent now: a proxy or a full network buffer may have held it back. So
a tick carries a time of the server's clock: up to then it tells of every change, of all nodes. The client knows when it
asked for the stream, and that the first tick's time is later. How far the server's clock went since then says from when
a later tick is at the earliest. The two clocks are never compared, only how far each went.
"""

from __future__ import annotations

from tollkey.keys.lease import Lease

DRIFT = 1e-4  # how much faster the server's clock may run than the client's


class Freshness:
    """Renews a lease by the ticks of a stream. lease: the cache may be used until so long after a tick."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self._asked = 0.0
        self._first: float | None = None

    def opened(self, asked: float) -> None:
        """A stream was opened. asked: when the client asked for it, in seconds of its own monotonic clock."""
        self._asked, self._first = asked, None

    def heard(self, at: float, now: float) -> None:
        """A tick was heard.

        at: it tells of every change before this time, in seconds of the server's monotonic clock. now: when it arrived,
        in seconds of the client's.
        """
        if self._first is None:
            self._first = at
        passed = (at - self._first) * (1 - DRIFT)
        self.lease.renew(min(now, self._asked + passed))

    def fresh(self, now: float) -> bool:
        """Return whether the cache may be used. now: seconds of the client's monotonic clock."""
        return self.lease.fresh(now)
