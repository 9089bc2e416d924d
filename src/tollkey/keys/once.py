"""One request counts once, however often its key is verified within it: by a gate, then by the handler, say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tollkey.keys.limits import Limiter


class Request:
    """What was verified in one request.

    over: it has ended. Tasks that it left behind have its context for ever, but what they verify counts as any other
        use.
    """

    __slots__ = ("admitted", "counted", "over")

    def __init__(self) -> None:
        self.admitted: set[str] = set()  # ids of keys that the rate limiter let in
        self.counted: set[str] = set()  # ids of keys whose use was counted
        self.over = False


_newest: ContextVar[Request | None] = ContextVar("tollkey_request", default=None)


def _current() -> Request | None:
    request = _newest.get()
    return None if request is None or request.over else request


@contextmanager
def one_request() -> Iterator[Request]:
    """What is verified within the block, on this task and in threads and tasks with its context, belongs to one
    request.

    Within another such block it is that one's request.
    """
    around = _current()
    if around is not None:
        yield around
        return
    request = Request()
    token = _newest.set(request)
    try:
        yield request
    finally:
        request.over = True
        _newest.reset(token)


def first_use(key_id: str) -> bool:
    """Whether this use is to be counted: it is the first of the request, or belongs to none."""
    request = _newest.get()  # ``_current``, written out: this is asked each time that a key is verified
    if request is None or request.over:
        return True
    if key_id in request.counted:
        return False
    request.counted.add(key_id)
    return True


class OncePerRequest:
    """A rate limiter that takes one token of a key for a request, not one for each time that it is verified."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter

    def allow(self, key_id: str, now: float) -> bool:
        """As ``Limiter`` says. A no is not remembered: nothing that was refused becomes a yes by it."""
        request = _current()
        if request is not None and key_id in request.admitted:
            return True
        allowed = self._limiter.allow(key_id, now)
        if allowed and request is not None:
            request.admitted.add(key_id)
        return allowed
