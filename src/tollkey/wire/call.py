"""The context of a handler's call: caller, scope, time and transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from tollkey.db import Ids, Scope, Tx
from tollkey.keys import Key, Permission
from tollkey.wire import refusals
from tollkey.wire.jobs import Schedule
from tollkey.wire.live import Capability
from tollkey.wire.noted_ids import NotedIds
from tollkey.wire.objects import Objects
from tollkey.wire.services import Services
from tollkey.wire.tables import Tables
from tollkey.wire.versions import LATEST

if TYPE_CHECKING:
    from tollkey.wire.api import EventType


class EventSink(Protocol):
    """Stores events; the server passes the implementation of ``platform``."""

    def __call__(self, call: Call, type: str, value: Mapping[str, Any], previous: Mapping[str, Any] | None) -> None:
        """Store an event in the call's transaction.

        value: the object after the change. previous: ``previous_attributes``, or None.
        """


@dataclass(frozen=True)
class Setup:
    """What all calls of a server share; built once by the composition root.

    ids: creates object ids. emit: stores events. base_url: the server's own address, for hosted pages.
    services: what handlers need besides storage (key authority, settings).
    provided: returns whether a live call's account has a provider of a capability.
    """

    tables: Tables
    ids: Ids
    emit: EventSink
    services: Services
    base_url: str = "http://127.0.0.1:8420"
    provided: Callable[[Call, Capability], bool] = lambda call, capability: False


@dataclass(frozen=True)
class Origin:
    """The request that caused a call; background jobs have one with empty fields.

    request_id: ``req_…``. version: the date of the caller's API version. ip: the client's address.
    path: as sent. headers: names in lower case.
    """

    request_id: str | None = None
    idempotency_key: str | None = None
    version: str = LATEST[:10]
    ip: str | None = None
    method: str = ""
    path: str = ""
    user_agent: str | None = None
    headers: dict[str, str] = field(default_factory=dict, repr=False)


class Call:
    """What a handler gets besides its parameters.

    scope: the account and mode it acts in. now: UTC epoch seconds, of a test clock where one applies.
    key: the authenticated key; None for background jobs and hosted pages.
    path: the values of the names in braces in the endpoint's path.
    platform: the account of the key; differs from ``account`` when ``Stripe-Account`` names a connected account.
    owner: the platform that the account belongs to, whose webhook endpoints receive the account's events; default
    ``platform``. It gives the key no permissions.
    memo: a cache for this request, by name; shared with calls derived by ``at`` and ``within``.
    notices: texts for the response header ``Stripe-Notice``.
    needed: grants that the request needed besides that of its endpoint; shared like ``memo``.
    outside: references of what has to be done outside of the transaction once that is durable; shared like ``memo``.
    apart: what the database must not hold, and what it became elsewhere (``policy.Apart``); shared like ``memo``.
    """

    def __init__(
        self,
        setup: Setup,
        tx: Tx,
        scope: Scope,
        now: int,
        *,
        key: Key | None = None,
        path: dict[str, str] | None = None,
        origin: Origin | None = None,
        platform: str | None = None,
        owner: str | None = None,
    ) -> None:
        self.setup, self.tx, self.scope, self.now = setup, tx, scope, now
        self.real = now  # real time, also when ``now`` is a test clock's
        self.key, self.path = key, path or {}
        self.origin = origin or Origin()
        self.platform = platform or scope.account
        self.owner = owner or self.platform
        self.ids = NotedIds(setup.ids, tx)
        self.objects = Objects(self, setup.tables, tx, scope)
        self.schedule = Schedule(tx, scope)
        self.memo: dict[Any, Any] = {}
        self.notices: list[str] = []
        self.needed: set[str] = set()
        self.outside: list[str] = []
        self.apart: Mapping[str, Any] = {}
        self._of_accounts = {scope.account: self.objects}
        self._calls = [self]  # this call and those derived from it

    @property
    def account(self) -> str:
        """The merchant, ``acct_…``."""
        return self.scope.account

    @property
    def livemode(self) -> bool:
        """Whether this is live mode."""
        return self.scope.livemode

    @property
    def version(self) -> str:
        """The date of the caller's API version."""
        return self.origin.version

    @property
    def client(self) -> bool:
        """Whether the key is publishable."""
        return self.key is not None and self.key.kind == "publishable"

    @property
    def limited(self) -> bool:
        """Whether the key is publishable or ephemeral: it sees ``Resource.client_view`` and may expand only what the
        endpoint's ``Access`` declares.
        """
        return self.key is not None and self.key.kind in ("publishable", "ephemeral")

    def hides(self, value: Mapping[str, Any]) -> bool:
        """Return whether the key is an ephemeral one, and an object is of another customer than the key's."""
        if self.key is None or self.key.kind != "ephemeral":
            return False
        owner = value["id"] if value["object"] == "customer" else value.get("customer")
        return owner is not None and owner != self.key.subject

    def needs(self, permission: Permission, level: Literal["read", "write"] = "read") -> None:
        """Raise ApiError 403 unless the key has a permission in this call's account besides that of the endpoint.

        For handlers that show or copy another object that a parameter names (``read``), or make or change one
        (``write``). Publishable and ephemeral keys are always refused.
        """
        key = self.key
        if key is None or key.kind == "secret":
            return
        if self.limited:
            raise refusals.secret_key_required()
        grant = f"{permission.name}_{level}"
        self.needed.add(grant)
        if not key.allows(grant, connected=self.account != key.account):
            raise refusals.lacks_permission(key, [(permission, level)], self.setup.base_url)

    @property
    def services(self) -> Services:
        """What handlers need besides storage."""
        return self.setup.services

    def has(self, capability: Capability) -> bool:
        """Return whether a capability is available: always in test mode (simulated), with a provider in live mode."""
        return not self.livemode or self.setup.provided(self, capability)

    def require(self, capability: Capability) -> None:
        """Raise the capability's ApiError in live mode without a provider of it."""
        if not self.has(capability):
            raise capability.refusal()

    def emit(self, type: EventType, value: Mapping[str, Any], previous: Mapping[str, Any] | None = None) -> None:
        """Store an event in this transaction.

        value: the object after the change. previous: ``previous_attributes``, or None.
        """
        self.setup.emit(self, type, value, previous)

    def announce(self, fact: object) -> None:
        """Run the reactions that resources declare for this type of fact (``Resource.on``), in this transaction."""
        for react in self.setup.tables.catalogue.reactions.get(type(fact), ()):
            react(self, fact)

    def within(self, account: str) -> Call:
        """Return a call in another account of the same mode: from a platform to a connected account, or back."""
        if account == self.scope.account:
            return self
        other = self._again(Scope(account, self.scope.livemode), self.now)
        known = self._of_accounts.get(account)
        if known is None:
            self._of_accounts[account] = other.objects
        else:
            other.objects = known.sharing(other)
        return other

    def at(self, now: int) -> Call:
        """Return a call at another time, such as a test clock's (UTC epoch seconds). It shares the loaded objects."""
        if now == self.now:
            return self
        other = self._again(self.scope, now)
        other.objects = self.objects.sharing(other)
        return other

    def _again(self, scope: Scope, now: int) -> Call:
        who = {"platform": self.platform, "owner": self.owner}
        other = Call(self.setup, self.tx, scope, now, key=self.key, path=self.path, origin=self.origin, **who)
        other.real, other.memo, other.notices, other.needed = self.real, self.memo, self.notices, self.needed
        other.outside, other.apart, other.ids = self.outside, self.apart, self.ids
        other._of_accounts, other._calls = self._of_accounts, self._calls
        self._calls.append(other)
        return other

    def forget(self) -> None:
        """Forget the loaded objects and the memo, of calls derived from this one too, after a rollback.

        Whoever still holds one of these objects has to find it again.
        """
        for objects in self._of_accounts.values():
            objects.forget()
        self.memo.clear()

    def close(self) -> None:
        """Forget the loaded objects, of calls derived from this one too: none of them can be used after it.

        Calls and their objects refer to one another, so that they would otherwise stay in memory until the garbage
        collector finds them, which takes longer than the requests that left them there.
        """
        for call in self._calls:
            del call.objects
        self._calls.clear()
        self._of_accounts.clear()


Handler = Callable[[Call, dict[str, Any]], Any]
