"""The settings of a ``Service``: its rules for requests, and what it passes to the request log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from tollkey.db import Scope, Tx
from tollkey.keys import Denied, Key
from tollkey.wire.guesses import GuessLimiter
from tollkey.wire.messages import Request, Response
from tollkey.wire.versions import LATEST, Spoken, read_version


class Logged(NamedTuple):
    """A request and its response for the request log, which removes secrets before it stores them.

    account: the account acted for. started: UTC epoch seconds. seconds: the duration.
    """

    request: Request
    response: Response
    key: Key
    account: str
    request_id: str
    started: float
    seconds: float


class Log(Protocol):
    """Stores request logs. It must not block; exceptions are logged and do not fail the request."""

    def __call__(self, entry: Logged) -> None:
        """Store one entry."""


class Elsewhere(Protocol):
    """Answers the calls of accounts whose objects are at another server."""

    def serves(self, key: Key, path: str) -> bool:
        """Return whether ``answer`` has to be asked for this call. path: as sent."""

    async def answer(self, request: Request, key: Key, request_id: str) -> Response | None:
        """Return the answer, with all its headers; None when the call is to be answered here.

        ``request.verify_again`` verifies the key anew. Raises ApiError, StorageError.
        """


class Outside(Protocol):
    """Does what a request needs outside of its transactions."""

    async def settle(self, references: Sequence[str]) -> bool:
        """Do it, and wait for it as long as a request waits. Returns whether all of it has ended. Raises StorageError.

        What has not ended then goes on without the request.
        """

    async def is_open(self, references: Sequence[str]) -> bool:
        """Return whether any of it has not ended. Raises StorageError."""


class Apart(Protocol):
    """Keeps what a request brings and the database must not hold, such as the numbers of cards, in another place."""

    def concerns(self, given: Mapping[str, Any]) -> bool:
        """Return whether parameters may have something of that kind. It is quick: most have not."""

    async def keep(self, given: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Keep it durably, before the request's transaction. given: the decoded parameters. scope: acted in.

        Returns what each became (``Call.apart``); usually nothing. Raises StorageError.
        """

    async def release(self, kept: Mapping[str, Any]) -> None:
        """Delete those that no object holds, after the transaction. kept: what ``keep`` returned."""


@dataclass
class Policy:
    """A server's rules for requests.

    connected: ``(tx, platform's scope, account)`` -> whether the platform may act for the account.
    platform_of: see ``Owners``. require_https: refuse unencrypted HTTP. dashboard_url: used in error messages.
    limit: ``(key)`` -> whether the rate limit lets the key make a request now; None for no limit.
    special_keys: the first word of a key's text (``ek``) -> ``(tx, key's text, now)`` -> authenticates such a key;
    None for a text that is no such key. It may raise ApiError.
    guess_limiter: counts wrong secrets by address and delays answers; None for no limit.
    refused: ``(denied, ip, now)``, called for each refused key; must not block (``keys.attempts.Attempts``).
    default_version: the API version of requests that name none.
    most_requests, request_seconds: see ``Admission``.
    later_versions: further API versions to accept, published since this program was written.
    elsewhere: answers the calls of accounts whose objects are at another server; None if there are none.
    outside: does what requests need outside of their transactions; None when none of them does.
    apart: keeps what the database must not hold; None when there is no other place.
    """

    connected: Callable[[Tx, Scope, str], bool]
    platform_of: Callable[[Tx, Scope], str | None] = lambda tx, scope: None
    require_https: bool = False
    dashboard_url: str = "https://dashboard.stripe.com"
    limit: Callable[[Key], bool] | None = None
    special_keys: Mapping[str, Callable[[Tx, str, int], Key | Denied | None]] = field(default_factory=dict)
    refused: Callable[[Denied, str | None, int], None] | None = None
    guess_limiter: GuessLimiter | None = None
    later_versions: frozenset[str] = frozenset()
    default_version: str = LATEST
    most_requests: int = 1000
    request_seconds: float = 30.0
    elsewhere: Elsewhere | None = None
    outside: Outside | None = None
    apart: Apart | None = None

    def read_version(self, text: str | None) -> Spoken:
        """Return the version that a request speaks. text: its ``Stripe-Version``.

        Raises ApiError 400 for a version that was never published.
        """
        return read_version(text or self.default_version, self.later_versions)
