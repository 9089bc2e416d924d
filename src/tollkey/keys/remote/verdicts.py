"""Decides what may be answered from memory, and remembers what the server answered. Shared by both clients."""

from __future__ import annotations

import logging
from collections.abc import Callable

from tollkey.keys.header import decode_key
from tollkey.keys.key import Checked, Denied, Key, Reason
from tollkey.keys.remote.answers import Question, read_answer
from tollkey.keys.remote.cache import AnswerCache, Ticket
from tollkey.keys.remote.errors import RemoteUnavailable
from tollkey.keys.remote.freshness import Freshness
from tollkey.keys.remote.requests import Reply, Request, understood
from tollkey.keys.token import Brand, mask_unknown, parse

_MOST_NAMES = 10_000  # names of permissions that the server is known to declare
_log = logging.getLogger(__name__)


class Verdicts:
    """Answers from memory, and reads answers of the server.

    cache: of answers. freshness: whether it may be used. brand: the prefixes of keys, so that other texts are refused
    without asking; None: every text is asked for. clock: returns UTC epoch seconds. monotonic: seconds of a monotonic
    clock.
    """

    def __init__(
        self,
        cache: AnswerCache,
        freshness: Freshness,
        *,
        brand: Brand | None,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._cache, self._freshness, self._brand = cache, freshness, brand
        self._clock, self._monotonic = clock, monotonic
        self._declared: set[str] = set()

    def readable(self, text: str | bytes | None) -> str | Checked:
        """Return the text of a key, or the answer if it cannot be one. text: as the caller sent it."""
        found = decode_key(text)
        if isinstance(found, Denied):
            return Checked(None, found.reason, masked=found.masked)
        if not found.isprintable() or (self._brand is not None and parse(found, self._brand) is None):
            return Checked(None, Reason.unknown, masked=mask_unknown(found))
        return found

    def known(self, question: Question) -> Checked | None:
        """Return the answer from memory, or None if the server must be asked.

        Only acceptance is answered from memory: the server counts every refused request.
        """
        now = self._monotonic()
        if not self._freshness.fresh(now):
            return None
        entry = self._cache.get(self._cache.digest(question.text, question.route), now)
        return entry.checked if entry is not None and self._accepts(entry.key, question) else None

    def _accepts(self, key: Key, question: Question) -> bool:
        if key.expires_at is not None and self._clock() >= key.expires_at:
            return False
        if question.account is not None and key.account != question.account:
            return False
        if key.kind == "publishable" and not question.publishable:
            return False
        permission = question.permission
        return permission is None or (permission in self._declared and key.allows(permission))

    def close(self) -> None:
        """Answer nothing from memory any more."""
        self._freshness.lease.expire()
        self._cache.forget()

    def begin(self) -> Ticket:
        """Return what ``learn`` needs to know about the time before the server was asked."""
        return self._cache.begin(self._monotonic())

    def learn(self, reply: Reply, request: Request, question: Question, ticket: Ticket) -> Checked:
        """Return the server's answer, and remember it where that is allowed.

        Raises RemoteRefused, UnknownPermission, KeyRefused, RemoteUnavailable.
        """
        answer = read_answer(understood(reply, request), question, ticket.began)
        if question.permission is not None:
            if len(self._declared) >= _MOST_NAMES:
                self._declared.clear()
            self._declared.add(question.permission)
        if answer.entry is not None:
            self._cache.store(self._cache.digest(question.text, question.route), answer.entry, ticket)
        return answer.checked


def unavailable(error: RemoteUnavailable, text: str) -> Checked:
    """Return the answer when the server cannot be asked: nobody is accepted."""
    _log.error("a key could not be checked: %s", error)
    return Checked(None, Reason.unavailable, masked=mask_unknown(text))
