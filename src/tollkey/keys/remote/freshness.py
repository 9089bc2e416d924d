"""Whether the change stream is heard, and how old what it says can be at most.

That a tick arrived now does not mean that it was sent now: a proxy or a full network buffer may have held it back. So
a tick carries the server's clock: when it was sent, and up to when the server itself has heard of every change. The
client knows when it asked for the stream, and that the first tick was sent after that. How far the server's clock went
since then says when a later tick was sent at the earliest. The two clocks are never compared, only how far each went.
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

    def heard(self, sent: float, known: float, now: float) -> None:
        """A tick was heard.

        sent: when the server sent it. known: up to when it tells of every change. Both in seconds of the server's
        monotonic clock. now: when it arrived, in seconds of the client's.
        """
        if self._first is None:
            self._first = sent
        passed = known - self._first
        self.lease.renew(min(now, self._asked + passed - DRIFT * abs(passed)))

    def fresh(self, now: float) -> bool:
        """Return whether the cache may be used. now: seconds of the client's monotonic clock."""
        return self.lease.fresh(now)
