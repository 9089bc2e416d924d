"""A request and an answer as the wire sees them, whatever web framework carries them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tollkey.db import Tx
from tollkey.wire._incoming import Incoming

__all__ = ["COMMON", "Incoming", "Request", "Response", "Rest"]

#: On every answer, also on refusals (reference section 1.3).
COMMON = {
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Allow-Methods": "GET, HEAD, PUT, PATCH, POST, DELETE",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Request-Id, Stripe-Manage-Version, Stripe-Should-Retry,"
    " X-Stripe-External-Auth-Required,"
    " X-Stripe-Privileged-Session-Required",
    "Access-Control-Max-Age": "300",
    "Cache-Control": "no-cache, no-store",
    "Content-Security-Policy": "base-uri 'none'; default-src 'none'; form-action 'none'; frame-ancestors 'none';"
    " img-src 'self';"
    " script-src 'self'; style-src 'self'",
    "Vary": "Origin",
    "X-Robots-Tag": "none",
}


LONG_BODY = 512 * 1024  # bytes


@dataclass(slots=True)
class Request:
    """One HTTP request.

    headers: names in lower case. path: as sent, still percent-encoded. ip: the caller's address.
    acting_for: the account of ``Stripe-Account``, once it is known that the key may act for it.
    incoming: the body while it is not read; without it, ``body`` is all of it. given: the parameters, once they are
        decoded.
    """

    method: str
    path: str
    query: bytes = field(repr=False)  # what may hold a secret is not shown
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    ip: str | None = None
    secure: bool = False
    acting_for: str | None = None
    incoming: Incoming | None = field(default=None, repr=False)
    given: dict[str, Any] = field(default_factory=dict, repr=False)
    decoded: bool = False

    @property
    def bodiless(self) -> bool:
        """Whether it carries no body, read or unread."""
        return not self.body and (self.incoming is None or self.incoming.finished)

    @property
    def long(self) -> bool:
        """Whether its body, which has been read, is longer than any that is no file."""
        return len(self.body) > LONG_BODY


class Rest(NamedTuple):
    """What is read and sent after the first piece of a long answer.

    size: bytes of the whole. pieces: how many, the first one with them. read: a piece by its number, from a
        transaction.
    """

    size: int
    pieces: int
    read: Callable[[int, Tx], bytes]


@dataclass(slots=True)
class Response:
    """One HTTP answer.

    guess: a wrong secret was answered, see ``ApiError``.
    rest: what follows ``body``, for one that is too long to be held in memory.
    kept: what may be stored of the body, where it shows a secret; None when that is all of it.
    """

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    request_id: str | None = None
    code: str | None = None
    kept: bytes | None = None
    guess: bool = False
    rest: Rest | None = None

    @property
    def length(self) -> int:
        """Bytes of the whole body."""
        return len(self.body) if self.rest is None else self.rest.size

    @property
    def storable(self) -> bytes:
        """The body without secrets."""
        return self.body if self.kept is None else self.kept
