"""What gates and adapters need of keys, so that a ``RemoteKeys`` can stand in place of a ``KeyService``."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from tollkey.keys.key import Checked


class PermissionNames(Protocol):
    """The names of permissions: a ``PermissionCatalogue``, or what is known of one elsewhere."""

    @property
    def names(self) -> Collection[str]:
        """The declared names; empty where they are not known."""

    def canonical(self, name: str) -> str:
        """Return the declared form of a name. Raises UnknownPermission if it is certain that nothing declares it."""


class Checks(Protocol):
    """Checks requests. See ``KeyService.check``."""

    @property
    def permission_names(self) -> PermissionNames:
        """The names that a request can need."""

    @property
    def declares_routes(self) -> bool:
        """Whether routes are declared, so that ``route`` is the method and the path of a request."""

    def check(
        self,
        text: str | bytes | None,
        permission: str | None = None,
        *,
        ip: str | None = None,
        endpoint: str | None = None,
        route: str | None = None,
        cost: int | None = None,
        account: str | None = None,
        publishable: bool = True,
    ) -> Checked:
        """Verify a key, then its permission, then its limits."""

    async def acheck(
        self,
        text: str | bytes | None,
        permission: str | None = None,
        *,
        ip: str | None = None,
        endpoint: str | None = None,
        route: str | None = None,
        cost: int | None = None,
        account: str | None = None,
        publishable: bool = True,
    ) -> Checked:
        """Do what ``check`` does without blocking the event loop."""
