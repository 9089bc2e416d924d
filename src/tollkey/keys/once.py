"""One request counts once, however often its key is verified within it: by a gate, then by the handler, say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tollkey.keys.limits import Limiter


class _Request:
    __slots__ = ("admitted", "counted")

    def __init__(self) -> None:
        self.admitted: set[str] = set()  # ids of keys that the rate limiter let in
        self.counted: set[str] = set()  # ids of keys whose use was counted


_current: ContextVar[_Request | None] = ContextVar("tollkey_request", default=None)


@contextmanager
def one_request() -> Iterator[None]:
    """What is verified within the block, on this task and in threads with its context, belongs to one request.

    Within another such block it is that one's request.
    """
    if _current.get() is not None:
        yield
        return
    token = _current.set(_Request())
    try:
        yield
    finally:
        _current.reset(token)


def first_use(key_id: str) -> bool:
    """Whether this use is to be counted: it is the first of the request, or belongs to none."""
    request = _current.get()
    if request is None:
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
        request = _current.get()
        if request is not None and key_id in request.admitted:
            return True
        allowed = self._limiter.allow(key_id, now)
        if allowed and request is not None:
            request.admitted.add(key_id)
        return allowed
