"""One call of one handler: who asks, in which scope, at what time, within which transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from tollkey.db import Ids, Scope, Tx
from tollkey.keys import Key, Permission
from tollkey.wire import refusals
from tollkey.wire.due import Schedule
from tollkey.wire.live import Capability
from tollkey.wire.objects import Objects, Tables
from tollkey.wire.services import Services
from tollkey.wire.versions import LATEST

if TYPE_CHECKING:
    from tollkey.wire.api import EventType


class EventSink(Protocol):
    """Who keeps events; the server passes the one of ``platform``."""

    def __call__(self, call: Call, type: str, value: Mapping[str, Any], previous: Mapping[str, Any] | None) -> None:
        """Record an event in the call's transaction."""


@dataclass(frozen=True)
class Setup:
    """What a server gives to each of its calls; made once by the composition root.

    services: what the server's handlers need besides storage (the key authority, the settings).
    provided: whether an account's live mode has a provider of something; no provider is built in.
    """

    tables: Tables
    ids: Ids
    emit: EventSink
    services: Services
    base_url: str = "http://127.0.0.1:8420"
    provided: Callable[[Scope, Capability], bool] = lambda scope, capability: False


@dataclass(frozen=True)
class Origin:
    """Where a call came from. Background work has one too, with empty fields.

    ip: the caller's address. request_id: ``req_…``. version: the date of the API version asked for.
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

    scope: the account and mode it works in. now: UTC epoch seconds. key: who asks; None for background work.
    path: the names in braces of the endpoint's path. platform: the account whose key it is; differs from
    ``account`` when ``Stripe-Account`` names a connected account. owner: the platform that the account belongs to,
    whoever
    asks: its endpoints hear of the account's events; ``platform`` unless given. It gives the key none of the platform's
        rights.
    memo: what this request works out only once, by name; shared with the calls made from this one.
    notices: what the answer says in ``Stripe-Notice``.
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
        self.real = now  # the machine's time, also when a test clock's time is ``now``
        self.key, self.path = key, path or {}
        self.origin = origin or Origin()
        self.platform = platform or scope.account
        self.owner = owner or self.platform
        self.ids = setup.ids
        self.objects = Objects(self, setup.tables, tx, scope)
        self.schedule = Schedule(tx, scope)
        self.memo: dict[Any, Any] = {}
        self.notices: list[str] = []
        self._of_accounts = {scope.account: self.objects}

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
        """The date of the API version that the caller speaks."""
        return self.origin.version

    @property
    def client(self) -> bool:
        """Whether a publishable key asks, so that only restricted shapes may be answered."""
        return self.key is not None and self.key.kind == "publishable"

    @property
    def limited(self) -> bool:
        """Whether a key asks that lives in a web page or an app: it sees restricted shapes and expands only what is
        declared.
        """
        return self.key is not None and self.key.kind in ("publishable", "ephemeral")

    def needs(self, permission: Permission) -> None:
        """Raise ApiError 403 when the key may not read, in this call's account, what that permission protects.

        For handlers that show or copy an object which a parameter names. Client keys may read nothing in that way.
        """
        key = self.key
        if key is None or key.kind == "secret":
            return
        if self.limited:
            raise refusals.secret_key_required()
        if not key.allows(f"{permission.name}_read", connected=self.account != key.account):
            raise refusals.lacks_permission(key, [(permission, "read")], self.setup.base_url)

    @property
    def services(self) -> Services:
        """What the server gives to its handlers besides storage."""
        return self.setup.services

    def has(self, capability: Capability) -> bool:
        """Whether that can be done: simulated in test mode, by a provider in live mode."""
        return not self.livemode or self.setup.provided(self.scope, capability)

    def require(self, capability: Capability) -> None:
        """Raise ApiError when that cannot be done: this is live mode, and there is no provider of it."""
        if not self.has(capability):
            raise capability.refusal()

    def emit(self, type: EventType, value: Mapping[str, Any], previous: Mapping[str, Any] | None = None) -> None:
        """Record the event of that type about an object, in this transaction."""
        self.setup.emit(self, type, value, previous)

    def announce(self, fact: object) -> None:
        """Say that something has happened: what resources declared in ``on`` for this type of fact is done now, in this
        transaction.
        """
        for react in self.setup.tables.catalogue.reactions.get(type(fact), ()):
            react(self, fact)

    def within(self, account: str) -> Call:
        """The same work in another account of the same mode: a platform acting on its connected account, or back."""
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
        """The same work at another time: that of a test clock. Objects already loaded stay loaded."""
        if now == self.now:
            return self
        other = self._again(self.scope, now)
        other.objects = self.objects.sharing(other)
        return other

    def _again(self, scope: Scope, now: int) -> Call:
        who = {"platform": self.platform, "owner": self.owner}
        other = Call(self.setup, self.tx, scope, now, key=self.key, path=self.path, origin=self.origin, **who)
        other.real, other.memo, other.notices, other._of_accounts = (
            self.real,
            self.memo,
            self.notices,
            self._of_accounts,
        )
        return other


Handler = Callable[[Call, dict[str, Any]], Any]
