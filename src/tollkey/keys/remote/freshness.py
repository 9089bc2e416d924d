"""Whether the change stream is heard, and how old what it says can be at most.

That a tick arrived now does not mean that it was sent now: a proxy or a full network buffer may have held it back. So
a tick carries the server's own time up to which it has announced every change. The client knows when it asked for the
stream; the server's first tick was sent after that. From then on the server's clock says how much later each tick was
sent, at the earliest, in the client's time. The two clocks are never compared, only how far each has gone.
"""

from __future__ import annotations

from tollkey.keys.verifier import Lease

DRIFT = 1e-4  # how much faster the server's clock may run than the client's


class Freshness:
    """Renews a lease by the ticks of a stream. lease: how long the cache may be used after a tick was sent."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self._asked = 0.0
        self._first: float | None = None

    def opened(self, asked: float) -> None:
        """A stream was opened. asked: when the client asked for it, in seconds of its own monotonic clock."""
        self._asked, self._first = asked, None

    def heard(self, at: float, now: float) -> None:
        """A tick was heard. at: the server has announced all changes before it, in seconds of its monotonic clock.

        now: when it arrived, in seconds of the client's monotonic clock.
        """
        if self._first is None:
            self._first = at
        passed = (at - self._first) * (1 - DRIFT)
        self.lease.renew(min(now, self._asked + passed))

    def fresh(self, now: float) -> bool:
        """Return whether the cache may be used. now: seconds of the client's monotonic clock."""
        return self.lease.fresh(now)
