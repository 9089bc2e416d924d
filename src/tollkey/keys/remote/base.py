"""What the blocking and the asynchronous client have in common: everything but sending."""

from __future__ import annotations

import os
import ssl
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from random import random

from tollkey.db import Ids, forking
from tollkey.keys.errors import UnknownPermission
from tollkey.keys.key import Checked, Denied, Key, Reason
from tollkey.keys.lease import Lease
from tollkey.keys.once import current_request, first_use
from tollkey.keys.remote.answers import Question
from tollkey.keys.remote.cache import AnswerCache, Ticket
from tollkey.keys.remote.feed import ChangeFeed
from tollkey.keys.remote.freshness import Freshness
from tollkey.keys.remote.listener import Listener
from tollkey.keys.remote.reporting import UseReporter
from tollkey.keys.remote.requests import Address, Reply
from tollkey.keys.remote.transport import Connecting
from tollkey.keys.remote.verdicts import Verdicts
from tollkey.keys.token import Brand, mask_unknown

_LONGEST_PERMISSION = 500


class ServersNames:
    """The names of permissions, which only the server knows."""

    names: Collection[str] = ()

    def canonical(self, name: str) -> str:
        """Return the name as it is. Raises UnknownPermission for one that no server can declare."""
        if not (name.isprintable() and len(name) <= _LONGEST_PERMISSION):
            raise UnknownPermission(name[:100])
        return name


_NAMES = ServersNames()


class RemoteBase(forking.ForkAware, ABC):
    """The memory of a client of a key server, and the thread that corrects it.

    url: of the key server, ``https://keys.example.com``. token: a service key with the permission ``key_verify_write``;
        to list and change keys it needs ``key_read`` and ``key_write``.
    capacity: maximum number of answers in memory; 0: ask the server each time, and follow no change stream.
    brand: the prefixes of keys; texts that cannot be a key are then refused without asking. None: ask for all.
    routes: the server declares routes (``[[routes]]`` in its configuration): gates then tell it the method and path of
        each request, and answers are remembered for each path.
    timeout: seconds for a request with all its attempts. attempts: how often a request is sent at most.
    connections: at once. ssl_context: for example with a certificate authority of your own.
    report_seconds: how often the uses of keys that were answered from memory are reported; 0: never.
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
        routes: bool = False,
        timeout: float = 2.0,
        attempts: int = 2,
        connections: int = 20,
        ssl_context: ssl.SSLContext | None = None,
        report_seconds: float = 10.0,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        if capacity < 0:
            raise ValueError("the capacity must not be negative")
        if report_seconds < 0:
            raise ValueError("report_seconds must not be negative")
        self._address = Address(url, token)
        self._connecting = Connecting(timeout, attempts, connections, ssl_context, monotonic, sleep, chance)
        self._cache = AnswerCache(capacity, random_bytes)
        freshness = Freshness(Lease())
        self._feed = ChangeFeed(self._cache, freshness)
        self._listener = Listener(self._address, self._feed, self._connecting)
        self._verdicts = Verdicts(self._cache, freshness, brand=brand, clock=clock, monotonic=monotonic)
        self._listens, self._routes = capacity > 0, routes
        self._clock = clock
        ids = self._ids = Ids(random_bytes)
        self._uses = UseReporter(self._address, self._connecting, report_seconds, clock, lambda: ids.text(24))
        self._finalizer = weakref.finalize(self, _stop, self._listener, self._uses)
        self._connect()
        forking.register(self)

    @abstractmethod
    def _connect(self) -> None:
        """Make what sends requests."""

    def _new_name(self) -> str:
        return self._ids.text(24)

    def _stop(self) -> None:
        """End the change stream, and use nothing from memory any more."""
        self._listens = False
        self._listener.stop()
        self._verdicts.close()
        self._uses.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._address!r})"

    def after_fork_in_child(self) -> None:
        """Start with an empty memory, no thread and no connections; the first use brings new ones."""
        self._cache.forget()
        self._listener.after_fork_in_child()
        self._uses.after_fork_in_child()

    @property
    def permission_names(self) -> ServersNames:
        """The names of permissions: the server says which are declared."""
        return _NAMES

    @property
    def declares_routes(self) -> bool:
        """Whether the server declares routes, as this client was told."""
        return self._routes

    def _readable(self, text: str | bytes | None) -> str | Checked:
        """Return the text of a key, or the answer if it cannot be one."""
        forking.detect_fork()
        return self._verdicts.readable(text)

    def _known(self, question: Question) -> Checked | None:
        """Return the answer that needs no server, mostly from memory, or None if it must be asked."""
        permission, cost = question.permission, question.cost
        if cost is not None and cost < 0:
            raise ValueError("the cost of a request cannot be negative")
        if permission is not None:
            self.permission_names.canonical(permission)
        if not question.has_usable_route:
            return Checked(None, Reason.forbidden, masked=mask_unknown(question.text))
        if self._listens:
            self._listener.start()
        known = self._verdicts.known(question)
        if known is not None and known.key is not None and first_use(known.key.id):
            self._uses.count(known.key, question)
        return known

    def _to_ask(self, question: Question) -> tuple[Question, Ticket]:
        """Return what the server is asked: in one request (see a gate) a key pays the highest of its costs, once."""
        paid = self._paid(question)
        cost = question.cost if paid is None else max(0, (question.cost or 0) - paid)
        return question._replace(cost=cost), self._verdicts.begin()

    def _paid(self, question: Question) -> int | None:
        """Return what the key has paid in this request; None for nothing."""
        request = current_request()
        found = None if request is None else request.paid.get(self._name(question))
        return None if found is None else found[0]

    def _name(self, question: Question) -> str:
        """Return what a payment is noted under. What a declared route costs is not known here, so it is kept apart."""
        route = question.route or "" if question.cost is None else None
        return f"remote {self._cache.digest(question.text, route).hex()}"

    def _learn(self, reply: Reply, question: Question, asked: Question, ticket: Ticket) -> Checked:
        """Return the server's answer. Raises RemoteRefused, UnknownPermission, KeyRefused, RemoteUnavailable."""
        checked = self._verdicts.learn(reply, asked.request(), asked, ticket)
        if checked.key is not None:
            # The server has counted it. What this request checks from memory now is the same use.
            first_use(checked.key.id)
        request = current_request()
        if request is not None and checked:
            paid = max(question.cost or 0, self._paid(question) or 0)
            request.paid = {**request.paid, self._name(question): (paid, checked.limits)}
        return checked


def _stop(listener: Listener, uses: UseReporter) -> None:
    """End the threads of a client that is not used any more."""
    listener.stop()
    uses.stop()


def verified(checked: Checked) -> Key | Denied:
    """Return the result of ``check`` as that of ``verify``."""
    if checked.key is not None:
        return checked.key
    reason = checked.reason or Reason.unavailable
    return Denied(reason, checked.masked, checked.known, limit=checked.limit, retry_after=checked.retry_after)
