"""The lease of what a process has in memory: it is used only while changes made elsewhere are heard of."""

from __future__ import annotations


class Lease:
    """How long cached keys may be used after announcements were last known to arrive.

    bound_seconds: a revoked key is refused by all processes within this time, also when they lose the database.
    until: when it expires, in seconds of the monotonic clock. A new lease has expired: the cache is not used before the
        first ``renew``.
    """

    __slots__ = ("bound_seconds", "until")

    def __init__(self, bound_seconds: float = 1.0) -> None:
        self.bound_seconds = bound_seconds
        self.until = float("-inf")

    def renew(self, now_monotonic: float) -> None:
        """Extend the lease. now_monotonic: all announcements made before this time have been received, in seconds of a
        monotonic clock; pass the time from before the check.
        """
        self.until = max(self.until, now_monotonic + self.bound_seconds)

    @property
    def heard_at(self) -> float:
        """The time of the last ``renew``, in seconds of the monotonic clock; minus infinity before the first."""
        return self.until - self.bound_seconds

    def expire(self) -> None:
        """Expire the lease until the next ``renew``."""
        self.until = float("-inf")

    def fresh(self, now_monotonic: float) -> bool:
        """Return whether cached keys may be used at this time, in seconds of a monotonic clock."""
        return now_monotonic < self.until
