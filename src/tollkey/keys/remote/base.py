"""What the blocking and the asynchronous client have in common: everything but sending."""

from __future__ import annotations

import os
import ssl
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from random import random

from tollkey.db import forking
from tollkey.keys.errors import UnknownPermission
from tollkey.keys.key import Checked, Denied, Key, Reason
from tollkey.keys.once import current_request
from tollkey.keys.remote.answers import Question
from tollkey.keys.remote.cache import AnswerCache, Ticket
from tollkey.keys.remote.feed import ChangeFeed
from tollkey.keys.remote.freshness import Freshness
from tollkey.keys.remote.listener import Listener
from tollkey.keys.remote.requests import Address, Reply
from tollkey.keys.remote.transport import Connecting
from tollkey.keys.remote.verdicts import Verdicts
from tollkey.keys.token import Brand
from tollkey.keys.verifier import Lease

_LONGEST_PERMISSION = 500


class RemoteBase(forking.ForkAware, ABC):
    """The memory of a client of a key server, and the thread that corrects it.

    url: of the key server, ``https://keys.example.com``. token: a service key with the permission ``key_verify_write``;
        to list and change keys it needs ``key_read`` and ``key_write``.
    capacity: maximum number of answers in memory; 0: ask the server each time, and follow no change stream.
    brand: the prefixes of keys; texts that cannot be a key are then refused without asking. None: ask for all.
    timeout: seconds for a request with all its attempts. attempts: how often a request is sent at most.
    connections: at once. ssl_context: for example with a certificate authority of your own.
    clock: returns UTC epoch seconds. monotonic: returns seconds of a monotonic clock. sleep: waits that many seconds.
    chance: returns a number from 0 to 1. random_bytes: returns as many random bytes as asked for.
    Raises ValueError for a URL, a token or a number that cannot be right.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        capacity: int = 100_000,
        brand: Brand | None = None,
        timeout: float = 2.0,
        attempts: int = 2,
        connections: int = 20,
        ssl_context: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        if capacity < 0:
            raise ValueError("the capacity must not be negative")
        self._address = Address(url, token)
        self._connecting = Connecting(timeout, attempts, connections, ssl_context, monotonic, sleep, chance)
        self._cache = AnswerCache(capacity, random_bytes)
        freshness = Freshness(Lease())
        self._feed = ChangeFeed(self._cache, freshness)
        self._listener = Listener(self._address, self._feed, self._connecting)
        self._verdicts = Verdicts(self._cache, freshness, brand=brand, clock=clock, monotonic=monotonic)
        self._listens = capacity > 0
        self._finalizer = weakref.finalize(self, self._listener.stop)
        self._connect()
        forking.register(self)

    @abstractmethod
    def _connect(self) -> None:
        """Make what sends requests."""

    def _stop(self) -> None:
        """End the change stream, and use nothing from memory any more."""
        self._listens = False
        self._listener.stop()
        self._verdicts.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._address!r})"

    def after_fork_in_child(self) -> None:
        """Start with an empty memory, no thread and no connections; the first use brings new ones."""
        self._cache.forget()
        self._listener.after_fork_in_child()

    def _readable(self, text: str | bytes | None) -> str | Checked:
        """Return the text of a key, or the answer if it cannot be one."""
        forking.detect_fork()
        return self._verdicts.readable(text)

    def _known(self, question: Question) -> Checked | None:
        """Return the answer from memory, or None if the server must be asked."""
        _, permission, _, _, _, cost, _ = question
        if cost < 0:
            raise ValueError("the cost of a request cannot be negative")
        if permission is not None and not (permission.isprintable() and len(permission) <= _LONGEST_PERMISSION):
            raise UnknownPermission(permission[:100])
        if self._listens:
            self._listener.start()
        return self._verdicts.known(question)

    def _to_ask(self, question: Question) -> tuple[Question, Ticket]:
        """Return what the server is asked: in one request (see a gate) a key pays the highest of its costs, once."""
        paid = self._paid(question)
        return question._replace(cost=max(0, question.cost - paid)), self._verdicts.begin()

    def _paid(self, question: Question) -> int:
        request = current_request()
        return 0 if request is None else request.paid.get(self._name(question), (0, None))[0]

    def _name(self, question: Question) -> str:
        return f"remote {self._cache.digest(question.text, None).hex()}"

    def _learn(self, reply: Reply, question: Question, asked: Question, ticket: Ticket) -> Checked:
        """Return the server's answer. Raises RemoteRefused, UnknownPermission, KeyRefused, RemoteUnavailable."""
        checked = self._verdicts.learn(reply, asked.request(), asked, ticket)
        request = current_request()
        if request is not None and checked and question.cost > self._paid(question):
            request.paid[self._name(question)] = (question.cost, checked.limits)
        return checked


def verified(checked: Checked) -> Key | Denied:
    """Return the result of ``check`` as that of ``verify``."""
    if checked.key is not None:
        return checked.key
    reason = checked.reason or Reason.unavailable
    return Denied(reason, checked.masked, checked.known, limit=checked.limit, retry_after=checked.retry_after)
