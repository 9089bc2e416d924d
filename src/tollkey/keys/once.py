"""Counts a request once even if its key is verified several times in it, for example by a gate and by the handler."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from types import MappingProxyType
from typing import TypeVar

from tollkey.keys.key import Denied, Key, LimitState, Reason
from tollkey.keys.limits import Limits

_NOTHING_PAID: Mapping[str, tuple[int, tuple[LimitState, ...]]] = MappingProxyType({})


class VerifiedRequest:
    """What was verified in one request.

    counted: ids of keys whose use was counted.
    paid: what keys have paid to ``Limits``, by key id: the cost, and the answer.
    used: ids of keys with ``max_uses`` that it took a use of.
    over: the request has ended. Background tasks that it started keep its context, but their uses are counted.
    """

    __slots__ = ("_token", "counted", "over", "paid", "used")

    def __init__(self) -> None:
        self._token: Token[VerifiedRequest | None] | None = None
        self.counted: tuple[str, ...] = ()
        self.paid: Mapping[str, tuple[int, tuple[LimitState, ...]]] = _NOTHING_PAID
        self.used: tuple[str, ...] = ()
        self.over = False


Answer = TypeVar("Answer", tuple[LimitState, ...] | Denied, tuple[LimitState, ...] | Denied | None)
_log = logging.getLogger(__name__)
_newest: ContextVar[VerifiedRequest | None] = ContextVar("tollkey_request", default=None)


def _current() -> VerifiedRequest | None:
    request = _newest.get()
    return None if request is None or request.over else request


class one_request(VerifiedRequest):  # used as a function
    """A context manager: what is verified in its block, and in threads and tasks with its context, is one request.

    Nested blocks share the request of the outer one.
    """

    __slots__ = ()

    def __enter__(self) -> VerifiedRequest:
        around = _newest.get()
        if around is not None and not around.over:
            return around
        self._token = _newest.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            self.over = True
            _newest.reset(self._token)


def current_request() -> VerifiedRequest | None:
    """Return the request that this code runs in, or None."""
    return _current()


def first_use(key_id: str) -> bool:
    """Return whether to count this use: it is the first of the key in this request, or there is no request."""
    request = _newest.get()  # ``_current`` inlined, as this runs for every verification
    if request is None or request.over:
        return True
    if key_id in request.counted:
        return False
    request.counted += (key_id,)
    return True


def take_once(limits: Limits, key: Key, route: str | None, cost: int, now: float) -> tuple[LimitState, ...] | Denied:
    """Take what a request costs from the limits; in one request a key pays the highest of its costs.

    The arguments and the result are those of ``Limits.take``; if it raises, the key is refused as ``unavailable``.
    """
    return _paid(key, cost, lambda more: limits.take(key, route, more, now))


def take_once_at_once(
    limits: Limits, key: Key, route: str | None, cost: int, now: float
) -> tuple[LimitState, ...] | Denied | None:
    """Do what ``take_once`` does without blocking; None if that is needed."""
    return _paid(key, cost, lambda more: limits.take_at_once(key, route, more, now))


def _paid(key: Key, cost: int, take: Callable[[int], Answer]) -> Answer | tuple[LimitState, ...] | Denied:
    request = _current()
    paid = None if request is None else request.paid.get(key.id)
    if paid is not None and cost <= paid[0]:
        return paid[1]
    try:
        taken = take(cost - (0 if paid is None else paid[0]))
    except Exception:  # a failure of the limits must not accept the key
        _log.exception("the limits failed")
        return Denied(Reason.unavailable, key.masked, key)
    if request is not None and isinstance(taken, tuple):
        request.paid = {**request.paid, key.id: (cost, taken)}
    return taken
