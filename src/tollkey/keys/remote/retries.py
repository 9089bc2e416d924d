"""When a request is sent again, and how long all of its attempts together may take."""

from __future__ import annotations

from tollkey.keys.remote.backoff import Backoff
from tollkey.keys.remote.errors import RemoteUnavailable

#: Statuses by which a server or a proxy says that it has not handled a request.
AGAIN = (502, 503, 504)


def too_late() -> RemoteUnavailable:
    """Return the error for a request whose time is over."""
    return RemoteUnavailable("the key server did not answer in time")


class Attempts:
    """The attempts of one request.

    backoff: the waits between them. most: how many. deadline: when the last must have ended, in seconds of a monotonic
    clock. repeatable: an attempt that may have reached the server may be repeated.
    """

    def __init__(self, backoff: Backoff, most: int, deadline: float, *, repeatable: bool) -> None:
        self._backoff, self._left, self._deadline = backoff, most - 1, deadline
        self._repeatable = repeatable

    def remaining(self, now: float) -> float:
        """Return the seconds that are left. Raises RemoteUnavailable if there are none."""
        left = self._deadline - now
        if left <= 0:
            raise too_late()
        return left

    def wait(self, now: float, *, sent: bool) -> float | None:
        """Return the seconds to wait before the next attempt, or None if there is none.

        sent: the last attempt may have reached the server.
        """
        if self._left <= 0 or (sent and not self._repeatable):
            return None
        self._left -= 1
        wait = self._backoff.next()
        return wait if now + wait < self._deadline else None
