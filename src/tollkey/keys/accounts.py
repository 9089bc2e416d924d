"""A view of the keys of one account in one mode, so that tenants cannot be mixed by forgetting an argument."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, overload

from tollkey.db import Scope
from tollkey.keys import audit, store
from tollkey.keys.actors import SYSTEM, Actor
from tollkey.keys.changing import Made, Rolled
from tollkey.keys.delivering import Destination
from tollkey.keys.errors import KeyNotFound
from tollkey.keys.key import NO_METADATA, Checked, Key
from tollkey.keys.lookup import KeyPage
from tollkey.keys.succession import OldKeyUse
from tollkey.keys.token import Kind

if TYPE_CHECKING:
    from tollkey.keys.service import KeyService


class AccountKeys:
    """The keys of one account in one mode. A key of another account or mode is refused as ``resource_missing``.

    Methods take and return what those of ``KeyService`` do, and raise the same errors.

    keys: the service. account: the host's name for its customer. livemode: the mode.
    """

    def __init__(self, keys: KeyService, account: str, livemode: bool) -> None:
        self._keys = keys
        self.account, self.livemode = account, livemode
        self._scope = Scope(account, livemode)

    def _own(self, key: Key) -> Key:
        if (key.account, key.livemode) != (self.account, self.livemode):
            raise KeyNotFound(key.id)
        return key

    # -- changing

    def create(
        self,
        name: str = "",
        *,
        permissions: Iterable[str] = (),
        connect_permissions: Iterable[str] = (),
        kind: Kind = "restricted",
        note: str = "",
        ip_allowlist: Iterable[str] = (),
        expires_at: int | datetime | None = None,
        expires_in: int | timedelta | None = None,
        metadata: Mapping[str, str] = NO_METADATA,
        max_uses: int | None = None,
        rotate_every: int | timedelta | None = None,
        granter: Key | None = None,
        hides_after_reveal: bool = True,
        deliver: Destination | None = None,
        actor: Actor = SYSTEM,
    ) -> Made:
        """Create a key of this account; see ``KeyService.create``."""
        return self._keys.create(
            name, permissions=permissions, connect_permissions=connect_permissions, kind=kind, account=self.account,
            livemode=self.livemode, note=note, ip_allowlist=ip_allowlist, expires_at=expires_at, expires_in=expires_in,
            metadata=metadata, max_uses=max_uses, rotate_every=rotate_every, granter=granter,
            hides_after_reveal=hides_after_reveal, deliver=deliver, actor=actor,
        )  # fmt: skip

    @overload
    def roll(
        self, key: Key, expires_in: int | timedelta = 0, *, show: Literal[True] = True, actor: Actor = SYSTEM
    ) -> Rolled[str]: ...

    @overload
    def roll(
        self, key: Key, expires_in: int | timedelta = 0, *, deliver: Destination, actor: Actor = SYSTEM
    ) -> Rolled[str]: ...

    @overload
    def roll(
        self, key: Key, expires_in: int | timedelta = 0, *, show: bool, actor: Actor = SYSTEM
    ) -> Rolled[str | None]: ...

    def roll(
        self,
        key: Key,
        expires_in: int | timedelta = 0,
        *,
        show: bool = True,
        deliver: Destination | None = None,
        actor: Actor = SYSTEM,
    ) -> Rolled[str] | Rolled[str | None]:
        """Create a key's successor and set the expiry of the old key; see ``KeyService.roll``."""
        if deliver is not None:
            return self._keys.roll(self._own(key), expires_in, deliver=deliver, actor=actor)
        return self._keys.roll(self._own(key), expires_in, show=show, actor=actor)

    def reveal(self, key: Key, *, actor: Actor = SYSTEM) -> Made:
        """Return a key and its text; see ``KeyService.reveal``."""
        return self._keys.reveal(self._own(key), actor=actor)

    def update(
        self,
        key: Key,
        *,
        name: str | None = None,
        note: str | None = None,
        permissions: Iterable[str] | None = None,
        connect_permissions: Iterable[str] | None = None,
        ip_allowlist: Iterable[str] | None = None,
        metadata: Mapping[str, str | None] | None = None,
        rotate_every: int | timedelta | None = None,
        granter: Key | None = None,
        actor: Actor = SYSTEM,
    ) -> Key:
        """Change a key; see ``KeyService.update``."""
        return self._keys.update(
            self._own(key), name=name, note=note, permissions=permissions, connect_permissions=connect_permissions,
            ip_allowlist=ip_allowlist, metadata=metadata, rotate_every=rotate_every, granter=granter, actor=actor,
        )  # fmt: skip

    def revoke(self, key: Key, *, actor: Actor = SYSTEM) -> Key:
        """Revoke a key permanently; see ``KeyService.revoke``."""
        return self._keys.revoke(self._own(key), actor=actor)

    def disable(self, key: Key, *, actor: Actor = SYSTEM) -> Key:
        """Pause a key; see ``KeyService.disable``."""
        return self._keys.disable(self._own(key), actor=actor)

    def enable(self, key: Key, *, actor: Actor = SYSTEM) -> Key:
        """Resume a paused key; see ``KeyService.enable``."""
        return self._keys.enable(self._own(key), actor=actor)

    def set_plan(self, plan: str | None, *, actor: Actor = SYSTEM) -> None:
        """Set what the keys of this account may use; see ``KeyService.set_plan``."""
        self._keys.set_plan(self.account, plan, livemode=self.livemode, actor=actor)

    # -- checking and reading

    def plan(self) -> str | None:
        """Return the name of the account's plan; see ``KeyService.plan_of``."""
        return self._keys.plan_of(self.account, livemode=self.livemode)

    def check(
        self,
        text: str | bytes | None,
        permission: str | None = None,
        *,
        ip: str | None = None,
        endpoint: str | None = None,
        route: str | None = None,
        cost: int | None = None,
    ) -> Checked:
        """Check a request that must have a key of this account and mode; see ``KeyService.check``."""
        return self._keys.check(text, permission, ip=ip, endpoint=endpoint, route=route, cost=cost, account=self._scope)

    async def acheck(
        self,
        text: str | bytes | None,
        permission: str | None = None,
        *,
        ip: str | None = None,
        endpoint: str | None = None,
        route: str | None = None,
        cost: int | None = None,
    ) -> Checked:
        """Do what ``check`` does without blocking the event loop; see ``KeyService.acheck``."""
        return await self._keys.acheck(
            text, permission, ip=ip, endpoint=endpoint, route=route, cost=cost, account=self._scope
        )

    def get(self, key_id: str) -> Key | None:
        """Return a key by its id, even if it has ended, or None."""
        return self._keys.get(key_id, account=self.account, livemode=self.livemode)

    def list(
        self, *, kind: Kind | None = None, active: bool = False, limit: int | None = None, after: str | None = None
    ) -> KeyPage:
        """Return the keys, newest first; see ``KeyService.list``."""
        return self._keys.list(
            account=self.account, livemode=self.livemode, kind=kind, active=active, limit=limit, after=after
        )

    def each(self, *, kind: Kind | None = None, active: bool = False) -> Iterator[Key]:
        """Yield the keys, newest first; see ``KeyService.each``."""
        return self._keys.each(account=self.account, livemode=self.livemode, kind=kind, active=active)

    def usage(self, key: Key) -> store.Usage | None:
        """Return the last use of a key, None if it was never used; see ``KeyService.usage``."""
        return self._keys.usage(self._own(key))

    def old_key_use(self, key: Key) -> OldKeyUse | None:
        """Return who still uses the key that this one has replaced; see ``KeyService.old_key_use``."""
        return self._keys.old_key_use(self._own(key))

    def usages(self) -> dict[str, store.Usage]:
        """Return the usage of the keys by key id, without unused keys."""
        return self._keys.usages(account=self.account, livemode=self.livemode)

    def audit(
        self, *, key_id: str | None = None, limit: int = 100, before: int | None = None
    ) -> Sequence[audit.AuditEntry]:
        """Return entries of the audit log, newest first; see ``KeyService.audit``."""
        return self._keys.audit(account=self.account, livemode=self.livemode, key_id=key_id, limit=limit, before=before)
