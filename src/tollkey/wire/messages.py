"""Requests and responses, independent of ASGI."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tollkey.db import Tx
from tollkey.keys import Denied, Key
from tollkey.wire._incoming import Incoming

__all__ = ["COMMON", "Incoming", "Later", "Request", "Response", "Rest", "is_v2"]

#: Headers of every response, also of errors (reference section 1.3).
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


def is_v2(path: str) -> bool:
    """Return whether a path belongs to the v2 API, with bodies in JSON and errors of their own form."""
    return path.startswith("/v2/")


@dataclass(slots=True)
class Request:
    """One HTTP request.

    path: as sent, still percent-encoded. headers: names in lower case. ip: the client's address.
    secure: whether HTTPS was used.
    acting_for: the account of ``Stripe-Account``, once the key is known to have access to it.
    incoming: the body while it is unread; None when ``body`` holds all of it.
    given: the decoded parameters. decoded: whether they have been decoded.
    needed: grants that it needed besides that of its endpoint, for objects that it names or expands.
    apart: what the database must not hold, and what it became elsewhere (``policy.Apart``).
    verify_again: verifies its key anew, from a transaction; None when the key is gone.
    """

    method: str
    path: str
    query: bytes = field(repr=False)  # excluded from repr: it may hold a secret
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    ip: str | None = None
    secure: bool = False
    acting_for: str | None = None
    incoming: Incoming | None = field(default=None, repr=False)
    given: dict[str, Any] = field(default_factory=dict, repr=False)
    decoded: bool = False
    needed: set[str] = field(default_factory=set)
    apart: Mapping[str, Any] = field(default_factory=dict, repr=False)
    verify_again: Callable[[Tx], Key | Denied | None] = field(default=lambda tx: None, repr=False)

    @property
    def media_type(self) -> str:
        """The media type of the body in lower case, "" if none is given (RFC 9110, section 8.3.1)."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def repeatable(self) -> bool:
        """Whether an ``Idempotency-Key`` counts: for POST, and in the v2 API for DELETE (reference section 1.8)."""
        return self.method == "POST" or (self.method == "DELETE" and is_v2(self.path))

    @property
    def bodiless(self) -> bool:
        """Whether the request has no body, read or unread."""
        return not self.body and (self.incoming is None or self.incoming.finished)


class Later(NamedTuple):
    """What a response waits for: things that are done outside of a transaction.

    references: of those. object, id: the object that the response shows then. paths: what it expands. first: the id of
    the first request with its idempotency key; None for that request itself.
    """

    references: tuple[str, ...]
    object: str
    id: str
    paths: tuple[str, ...] = ()
    first: str | None = None


class Rest(NamedTuple):
    """The part of a long response that is read from storage while it is sent, after the first piece.

    size: bytes of the whole body. pieces: their number, including the first.
    read: ``(number, tx)`` -> the bytes of a piece.
    """

    size: int
    pieces: int
    read: Callable[[int, Tx], bytes]


@dataclass(slots=True)
class Response:
    """One HTTP response.

    code: the error's code, for the request log. guess: see ``ApiError``.
    rest: the remaining pieces of a body that is too long for memory. drawn: see ``Reply``; None once it was called.
    kept: the body without secrets, for logs and idempotency records; None when ``body`` has none.
    later: what it waits for, and what it shows then; None for a response that is complete.
    """

    status: int
    body: bytes = field(repr=False)
    headers: dict[str, str] = field(repr=False, default_factory=dict)
    content_type: str = "application/json"
    request_id: str | None = None
    code: str | None = None
    kept: bytes | None = field(default=None, repr=False)
    guess: bool = False
    rest: Rest | None = None
    later: Later | None = None
    drawn: Callable[[], bytes] | None = field(default=None, repr=False)

    @property
    def length(self) -> int:
        """The length of the whole body in bytes."""
        return len(self.body) if self.rest is None else self.rest.size

    @property
    def storable(self) -> bytes:
        """The body without secrets."""
        return self.body if self.kept is None else self.kept
