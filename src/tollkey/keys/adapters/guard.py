"""The check that all adapters share: from the values of a header to a key or the answer to a refused request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from tollkey.keys.adapters.needs import Need, declared
from tollkey.keys.header import Presented, read_authorization, read_bare
from tollkey.keys.key import Denied, Key, Reason
from tollkey.keys.refusal import Forbidden, OnDenied, Refusal, Refused, rfc6750
from tollkey.keys.service import KeyService
from tollkey.keys.threads import in_thread

RequestT = TypeVar("RequestT")
AUTHORIZATION = "authorization"
_NOTHING_SENT = (Reason.missing, Reason.unusable_header)


class Guard:
    """Checks requests with a ``KeyService``.

    keys: an open ``KeyService``. header: the header with the key, in lower case. ``authorization``: a bearer token or
    the user name of Basic; any other: the key itself. on_denied: returns the response to a refused request.
    """

    def __init__(self, keys: KeyService, *, header: str = AUTHORIZATION, on_denied: OnDenied | None = None) -> None:
        self.keys = keys
        self.header = header.lower()
        self._on_denied: OnDenied = on_denied or (lambda refused: rfc6750(refused, header=self.header))

    def need(
        self,
        permission: str | None,
        *,
        cost: int | Callable[[RequestT], int] = 1,
        route: str | None = None,
        optional: bool = False,
        publishable: bool = False,
    ) -> Need[RequestT]:
        """Return what a route needs. Raises ValueError for a permission that is not declared, or a cost below 0."""
        if isinstance(cost, int) and cost < 0:
            raise ValueError("the cost of a request cannot be negative")
        if permission is not None:
            permission = declared(permission, self.keys.authority.catalogue)
        return Need(permission, cost, route, optional, publishable)

    def presented(self, values: Sequence[str]) -> Presented | Denied:
        """Return the key in the values of the header; Denied for none, several, or a value without a key."""
        if len(values) > 1:
            return Denied(Reason.unusable_header)
        value = values[0] if values else None
        return read_authorization(value) if self.header == AUTHORIZATION else read_bare(value)

    def check(
        self, values: Sequence[str], need: Need[RequestT], permission: str | None, *, ip: str | None, endpoint: str
    ) -> Key | Refused | None:
        """Return the key of a request, why it is refused, or None for an optional key that was not sent.

        values: of the header. permission: of this request. ip: the caller's address. endpoint: stored as the last use.
        """
        presented = self.presented(values)
        if isinstance(presented, Denied):
            return None if need.optional and presented.reason is Reason.missing else presented
        return self.authorize(self.keys.verify(presented.text, ip=ip, endpoint=endpoint), need, permission)

    async def acheck(
        self, values: Sequence[str], need: Need[RequestT], permission: str | None, *, ip: str | None, endpoint: str
    ) -> Key | Refused | None:
        """Do what ``check`` does without blocking the event loop."""
        presented = self.presented(values)
        if isinstance(presented, Denied):
            return None if need.optional and presented.reason is Reason.missing else presented
        answer = self.keys.verify_cached(presented.text, ip, endpoint)
        if answer is None:
            answer = await in_thread(partial(self.keys.verify, presented.text, ip=ip, endpoint=endpoint))
        return self.authorize(answer, need, permission)

    @staticmethod
    def authorize(answer: Key | Denied, need: Need[RequestT], permission: str | None) -> Key | Refused:
        """Return a verified key if it may do what the route needs, else why not."""
        if isinstance(answer, Denied):
            return answer
        if permission is not None and not answer.allows(permission):
            return Forbidden(permission, answer)
        if answer.kind == "publishable" and not need.publishable:
            return Forbidden(None, answer)
        return answer

    def refusal(self, refused: Refused) -> Refusal:
        """Return the response to a refused request."""
        return self._on_denied(refused)
