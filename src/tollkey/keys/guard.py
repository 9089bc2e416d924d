"""The check of a request that gates and adapters share: from the values of a header to a key, or why there is none."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import quote

from tollkey.db.engine import TollkeyError
from tollkey.keys.accepted import Accepted
from tollkey.keys.checking import KeyChecking
from tollkey.keys.checks import Checks
from tollkey.keys.errors import UnknownPermission
from tollkey.keys.header import Presented, read_authorization, read_bare
from tollkey.keys.key import Checked, Denied, Key, Reason
from tollkey.keys.needs import Need, declared
from tollkey.keys.refusal import Forbidden, OnDenied, Refusal, Refused, refused_of, rfc6750
from tollkey.keys.short_check import ShortCheck

RequestT = TypeVar("RequestT")
AUTHORIZATION = "authorization"
_log = logging.getLogger(__name__)


class Asked(NamedTuple, Generic[RequestT]):
    """What a guard must know of a request.

    request: the framework's own object. values: of the header with the key. parameters: of the path.
    ip: the caller's address. endpoint: stored as the key's last use. target: method and path, to be compared with
    declared routes, see ``target_of``. route: the template of the path, if it is known.
    """

    request: RequestT
    values: Sequence[str]
    parameters: Mapping[str, object]
    ip: str | None
    endpoint: str
    target: str
    route: str | None = None


def target_of(method: str, path: str) -> str:
    """Return method and path in the form that declared routes are compared with: ``GET /reports/1``.

    path: decoded, as servers and frameworks pass it on. It is encoded again, so that a ``?`` or ``%`` that was sent
    encoded is not read as the beginning of a query or of an escape: the application takes it for a part of the path.
    """
    return f"{method} {quote(path, errors='replace')}"


class Plan(NamedTuple):
    """One call of ``KeyService.check``: what is asked of a request, worked out once.

    cost, route: see ``KeyService.check``.
    unfit: the caller's path has a value that no permission can have, so only a secret key will do.
    """

    text: str
    permission: str | None
    cost: int | None
    route: str | None
    unfit: bool


class Guard:
    """Checks requests with a ``KeyService`` or ``RemoteKeys``.

    keys: opened. header: the header with the key, in lower case. ``authorization``: a bearer token or
    the user name of Basic; any other: the key itself. on_denied: returns the response to a refused request.
    """

    def __init__(self, keys: Checks, *, header: str = AUTHORIZATION, on_denied: OnDenied | None = None) -> None:
        self.keys = keys
        self.header = header.lower()
        self._at_once = keys.check_at_once if isinstance(keys, KeyChecking) else None
        self._catalogue = keys.permission_names
        self._on_denied: OnDenied = on_denied or (lambda refused: rfc6750(refused, header=self.header))

    def need(
        self,
        permission: str | None,
        *,
        cost: int | Callable[[RequestT], int] | None = None,
        route: str | None = None,
        optional: bool = False,
        publishable: bool = False,
    ) -> Need[RequestT]:
        """Return what a route needs. Raises ValueError for a permission that is not declared, or a cost below 0."""
        if isinstance(cost, int) and cost < 0:
            raise ValueError("the cost of a request cannot be negative")
        if permission is not None:
            permission = declared(permission, self._catalogue)
        need: Need[RequestT] = Need(permission, cost, route, optional, publishable)
        return replace(need, short=self.short_check(need))

    def short_check(self, need: Need[RequestT]) -> ShortCheck | None:
        """Return the check of the usual request that needs this; None if each request has to be looked at."""
        if need.varies or not isinstance(self.keys, KeyChecking):
            return None
        prefix = b"Bearer " if self.header == AUTHORIZATION else b""
        return self.keys.short_check(need.permission, need.cost if isinstance(need.cost, int) else 1, prefix)

    def presented(self, values: Sequence[str]) -> Presented | Denied:
        """Return the key in the values of the header; Denied for none, several, or a value without a key."""
        if len(values) > 1:
            return Denied(Reason.unusable_header)
        value = values[0] if values else None
        return read_authorization(value) if self.header == AUTHORIZATION else read_bare(value)

    def check(self, asked: Asked[RequestT], need: Need[RequestT]) -> Accepted | Refused | None:
        """Return an accepted request, why it is refused, or None for an optional key that was not sent.

        Raises MissingParameter if the permission has a parameter that the path lacks.
        """
        plan = self._plan(asked, need)
        if not isinstance(plan, Plan):
            return plan
        return self._check(plan, asked, need)

    async def acheck(self, asked: Asked[RequestT], need: Need[RequestT]) -> Accepted | Refused | None:
        """Do what ``check`` does without blocking the event loop."""
        answer = self.check_at_once(asked, need)
        return await self.acheck_planned(answer, asked, need) if isinstance(answer, Plan) else answer

    def check_at_once(self, asked: Asked[RequestT], need: Need[RequestT]) -> Accepted | Refused | Plan | None:
        """Do what ``check`` does without waiting; return the plan, for ``acheck_planned``, if that cannot be."""
        plan = self._plan(asked, need)
        if self._at_once is None or not isinstance(plan, Plan):
            return plan
        try:
            checked = self._at_once(
                plan.text, plan.permission, ip=asked.ip, endpoint=asked.endpoint, route=plan.route, cost=plan.cost,
                publishable=need.publishable,
            )  # fmt: skip
        except TollkeyError as error:
            return _unavailable(error)
        return plan if checked is None else self._concluded(plan, need, checked)

    def _check(self, plan: Plan, asked: Asked[RequestT], need: Need[RequestT]) -> Accepted | Refused:
        try:
            checked = self.keys.check(
                plan.text, plan.permission, ip=asked.ip, endpoint=asked.endpoint, route=plan.route, cost=plan.cost,
                publishable=need.publishable,
            )  # fmt: skip
        except TollkeyError as error:
            return _unavailable(error)
        return self._concluded(plan, need, checked)

    async def acheck_planned(self, plan: Plan, asked: Asked[RequestT], need: Need[RequestT]) -> Accepted | Refused:
        """Do what ``acheck`` does, by a plan that ``check_at_once`` has returned."""
        try:
            checked = await self.keys.acheck(
                plan.text, plan.permission, ip=asked.ip, endpoint=asked.endpoint, route=plan.route, cost=plan.cost,
                publishable=need.publishable,
            )  # fmt: skip
        except TollkeyError as error:
            return _unavailable(error)
        return self._concluded(plan, need, checked)

    def check_again(self, earlier: Accepted, asked: Asked[RequestT], need: Need[RequestT]) -> Accepted | Refused:
        """Check what another part of the application needs of a request that was accepted.

        earlier: the result of its first check. Only a cost above that of the first check is paid, up to the difference.
        """
        if self._costs_more(earlier, asked, need):
            return self._check(self._plan_for(earlier.values[0], asked, need), asked, need)
        refused = self.lacks(earlier.key, need, asked.parameters)
        return earlier if refused is None else refused

    async def acheck_again(self, earlier: Accepted, asked: Asked[RequestT], need: Need[RequestT]) -> Accepted | Refused:
        """Do what ``check_again`` does without blocking the event loop."""
        if self._costs_more(earlier, asked, need):
            return await self.acheck_planned(self._plan_for(earlier.values[0], asked, need), asked, need)
        return self.check_again(earlier, asked, need)

    @staticmethod
    def _costs_more(earlier: Accepted, asked: Asked[RequestT], need: Need[RequestT]) -> bool:
        return (need.cost_of(asked.request) or 0) > earlier.cost

    def lacks(self, key: Key, need: Need[RequestT], parameters: Mapping[str, object]) -> Forbidden | None:
        """Return why a valid key may not do what a route needs, or None if it may.

        Raises MissingParameter if the permission has a parameter that the path lacks.
        """
        try:
            permission = need.permission_for(parameters, self._catalogue)
        except UnknownPermission:  # a value that no permission can have: only a secret key may ask for it
            return None if key.kind == "secret" else Forbidden(need.permission, key)
        if permission is not None and not key.allows(permission):
            return Forbidden(permission, key)
        return Forbidden(None, key) if key.kind == "publishable" and not need.publishable else None

    def _plan(self, asked: Asked[RequestT], need: Need[RequestT]) -> Plan | Denied | None:
        presented = self.presented(asked.values)
        if isinstance(presented, Denied):
            return None if need.optional and presented.reason is Reason.missing else presented
        return self._plan_for(presented.text, asked, need)

    def _plan_for(self, text: str, asked: Asked[RequestT], need: Need[RequestT]) -> Plan:
        route = need.route or (asked.target if self.keys.declares_routes else asked.route)
        try:
            permission = need.permission_for(asked.parameters, self._catalogue)
        except UnknownPermission:
            return Plan(text, need.general, need.cost_of(asked.request), route, True)
        return Plan(text, permission, need.cost_of(asked.request), route, False)

    @staticmethod
    def _concluded(plan: Plan, need: Need[RequestT], checked: Checked) -> Accepted | Refused:
        key, known = checked.key, checked.known
        lacking = checked.permission is not None or (key is not None and key.kind != "secret")
        if plan.unfit and lacking and known is not None:
            return Forbidden(need.permission, known)
        if key is None:
            return refused_of(checked)
        return Accepted(key, checked.limits, 1 if plan.cost is None else plan.cost, plan.text)

    def refusal(self, refused: Refused) -> Refusal:
        """Return the response to a refused request."""
        return self._on_denied(refused)


def _unavailable(error: TollkeyError) -> Denied:
    """Return the answer for a fault of the configuration that only a key server could tell of: nobody is accepted."""
    _log.error("a request could not be checked: %s", error)
    return Denied(Reason.unavailable)
