"""Admit a request: its endpoint exists in its API version, and its key may call it now."""

from __future__ import annotations

from typing import NamedTuple

from tollkey.db import Scope
from tollkey.keys import Key
from tollkey.wire import refusals
from tollkey.wire._headers import check_mode, requested_account
from tollkey.wire._permissions import check_permission
from tollkey.wire.errors import unknown_url
from tollkey.wire.messages import Request
from tollkey.wire.policy import Policy
from tollkey.wire.router import Hit, Route
from tollkey.wire.versions import Spoken


class Admitted(NamedTuple):
    """A request that its key may make.

    names: the values of the names in its path. spoken: its API version. account: that of ``Stripe-Account``, or None.
    scope: what it acts in. now: UTC epoch seconds.
    """

    request: Request
    key: Key
    route: Route
    names: dict[str, str]
    spoken: Spoken
    account: str | None
    scope: Scope
    request_id: str
    now: int

    @property
    def elsewhere(self) -> bool:
        """Whether it acts for another account than that of its key."""
        return self.scope.account != self.key.account

    @property
    def caller(self) -> str:
        """Whose reads are limited together (``Edge.read``)."""
        return self.key.scope.name


def admit(policy: Policy, request: Request, key: Key, hit: Hit | None, request_id: str, now: int) -> Admitted:
    """Return the request as admitted, and count it for the rate limit.

    hit: what the router found. now: UTC epoch seconds.
    Raises ApiError: 404 for a URL that the API version does not have, 403 for a permission that the key lacks, 429 when
    its account has made too many requests, 400 for a header that contradicts the key.
    """
    spoken = policy.read_version(request.headers.get("stripe-version"))
    if hit is None or hit[0].endpoint.ended(spoken.date):
        raise unknown_url(request.method, request.path)
    route, names = hit
    account = requested_account(request.headers, key)
    check_permission(key, route, account, policy.dashboard_url)
    if policy.limit is not None and not policy.limit(key):
        raise refusals.too_many_requests(key.livemode)
    check_mode(request.headers, key)
    return Admitted(
        request, key, route, names, spoken, account, Scope(account or key.account, key.livemode), request_id, now
    )
