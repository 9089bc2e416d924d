"""A call that may be passed on, and what leaves with it."""

from __future__ import annotations

import hashlib
import re
from typing import Final, NamedTuple

from tollkey.keys import Key
from tollkey.upstream.operations import Operation
from tollkey.upstream.store import Passed, Upstream
from tollkey.wire import ApiError
from tollkey.wire.messages import Request

#: Says through how many gateways a call has come, so that accounts connected in a circle do not pass it on for ever.
HOPS: Final = "Tollkey-Hops"
_AMOUNT = re.compile(r"[0-9]{1,15}")
#: Headers that name the account a call is for.
ACCOUNTS: Final = ("stripe-account", "stripe-context")
_ACCOUNT = re.compile(r"[A-Za-z0-9_]+(?:/[A-Za-z0-9_]+)*")
_LONGEST_KEY = 255  # characters of an idempotency key
#: Headers that are not passed on: hop by hop (RFC 9110, section 7.6.1), of this connection, or made anew.
_NOT_ASKED: Final = frozenset(
    ("accept-encoding", "authorization", "connection", "content-length", "cookie", "expect", "forwarded", "host",
     "idempotency-key", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
     "transfer-encoding", "upgrade",
     "x-http-method", "x-http-method-override", "x-method-override", "x-original-url", "x-rewrite-url")
)  # fmt: skip


class Asked(NamedTuple):
    """A call that may be passed on.

    given: names and values of its parameters, where they were read. headers: those that leave. base: scheme, host and
    port. name: its idempotency key as it leaves, or the id of the request. repeats: whether that is one of ours, so
    that the call may be sent again.
    """

    request: Request
    key: Key
    upstream: Upstream
    operation: Operation | None
    given: list[tuple[str, str]]
    headers: dict[str, str]
    base: str
    request_id: str
    name: str
    repeats: bool

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        return self.request.method not in ("GET", "HEAD")

    @property
    def path(self) -> str:
        """The declared path of its operation; of an unknown one the beginning of what was sent."""
        return self.operation.path if self.operation is not None else self.request.path[:200]

    @property
    def target(self) -> bytes:
        """Its path and query, as they were sent."""
        request = self.request
        return request.path.encode("latin-1") + (b"?" + request.query if request.query else b"")

    @property
    def mark(self) -> bytes:
        """A hash of the whole call, so that a person approves this one and no other."""
        request, digest = self.request, hashlib.blake2b(digest_size=20)
        said = (request.headers.get(name, "").encode() for name in (*ACCOUNTS, "stripe-version"))
        for part in (request.method.encode(), self.target, request.body, *said):
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.digest()

    def record(self, state: str, now: int) -> Passed:
        """Return it as it is recorded. now: UTC epoch seconds."""
        amount = next((int(value) for name, value in self.given if name == "amount" and _AMOUNT.fullmatch(value)), None)
        currency = next((value.lower() for name, value in self.given if name == "currency"), None)
        return Passed(
            self.request_id, self.key.id, self.request.method, self.path,
            amount, currency[:3] if currency else None, state, None, None, now,
        )  # fmt: skip


def passed_headers(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers of a request that are passed on as they are.

    Those that some servers take for another are not: ``Stripe_Account`` for ``Stripe-Account`` (CGI's variables), and
    what replaces the method or the path.
    """
    return {
        name: value
        for name, value in headers.items()
        if name not in _NOT_ASKED and "_" not in name and not name.startswith(("x-forwarded-", "tollkey-"))
    }


def own_headers(key: str) -> dict[str, str]:
    """Return the headers that every request to an upstream account has. key: its key."""
    return {
        "Authorization": f"Bearer {key}",
        "Accept-Encoding": "identity",  # the mask of its key is looked for in the answer
    }


def check_accounts(headers: dict[str, str]) -> None:
    """Raise ApiError 400 for headers that servers may take for another account, or for none: empty, a list, or two."""
    named = {headers[name].strip() for name in ACCOUNTS if name in headers}
    if len(named) > 1 or not all(map(_ACCOUNT.fullmatch, named)):
        raise ApiError(
            400,
            message="Invalid request: Stripe-Account or Stripe-Context must name one account. Send only one of them.",
        )


def named_account(headers: dict[str, str], upstream: Upstream) -> str | None:
    """Return the account that a call is for, None for the upstream account itself."""
    named = {headers[name].strip() for name in ACCOUNTS if name in headers}
    return next(iter(sorted(named - {upstream.id})), None)


def forwarded_key(key: Key, said: str) -> str:
    """Return the idempotency key that the upstream account gets: accounts of this server have keys of their own."""
    start = hashlib.blake2b(f"{key.account}/{key.livemode}".encode(), digest_size=8).hexdigest()
    whole = f"tk_{start}_{said}"
    if len(whole) <= _LONGEST_KEY:
        return whole
    return f"tk_{start}_{hashlib.blake2b(said.encode(), digest_size=32).hexdigest()}"
