"""``Config``: everything that is declared for a key service. Build it in Python, or read a file with ``load``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from tollkey.keys.config.faults import ConfigError, Fault
from tollkey.keys.config.fitting import permission_faults, plan_faults, route_faults
from tollkey.keys.config.plans import Limit, Plan
from tollkey.keys.config.routes import Route, Routes
from tollkey.keys.permissions import Permission
from tollkey.keys.token import BRAND, Brand

S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that is declared for a key service.

    name: of the service, shown to people.
    brand: the prefixes of keys. Its words ``test`` and ``live`` name the two environments.
    permissions, implied: see ``PermissionCatalogue``.
    routes: the first that matches a request counts. With any, requests that match none are refused.
    plans: what accounts may use. default_plan: of accounts without one; None: no limit.
    limits: hold for every account beside its plan.
    identity: the metadata entry of a key that names the end user it is for; keys without it count alone.
    imported_keys: also verify keys that were imported from another system, see ``KeyService.open``.
    sections: values that other packages declare, by the name of their table, see ``section``.
    Raises ConfigError for parts that do not fit together.
    """

    name: str = "keys"
    brand: Brand = BRAND
    permissions: tuple[Permission, ...] = ()
    implied: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    routes: tuple[Route, ...] = ()
    plans: tuple[Plan, ...] = ()
    default_plan: str | None = None
    limits: tuple[Limit, ...] = ()
    identity: str = "identity"
    imported_keys: bool = False
    sections: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    routing: Routes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "routing", Routes(self.routes))
        faults = list(self._faults())
        if faults:
            raise ConfigError(faults)

    def _faults(self) -> list[Fault]:
        every = [*self.limits, *(limit for plan in self.plans for limit in plan.limits)]
        return [
            *permission_faults(self.permissions, self.implied),
            *plan_faults(self.plans, self.default_plan, self.limits),
            *route_faults(self.routes, self.permissions, every),
        ]

    @property
    def limited(self) -> bool:
        """Whether it declares any limit."""
        return bool(self.limits) or any(plan.limits for plan in self.plans)

    def environment(self, livemode: bool) -> str:
        """Return the name of the environment of keys in this mode: ``test`` and ``live`` by default."""
        return self.brand.live if livemode else self.brand.test

    def livemode_of(self, environment: str) -> bool:
        """Return the mode of the keys of an environment. Raises ValueError for another name."""
        if environment not in (self.brand.test, self.brand.live):
            raise ValueError(
                f"there is no environment {environment!r}; there are {self.brand.test} and {self.brand.live}"
            )
        return environment == self.brand.live

    def section(self, kind: type[S]) -> S | None:
        """Return the section of this class, or None if it was not given."""
        return next((value for value in self.sections.values() if isinstance(value, kind)), None)

    def plan(self, name: str | None) -> Plan | None:
        """Return a plan by its name; the default one for None. None if there is none."""
        wanted = self.default_plan if name is None else name
        return next((plan for plan in self.plans if plan.name == wanted), None)
