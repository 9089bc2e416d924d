"""What a route needs: a permission, checked when it is declared, whose parameters are filled in from the path."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tollkey.keys.checks import PermissionNames
from tollkey.keys.config.faults import suggestion
from tollkey.keys.errors import UnknownPermission
from tollkey.keys.short_check import ShortCheck

RequestT = TypeVar("RequestT")
_FIELD = re.compile(r"\{([A-Za-z_]\w*)\}")


class MissingParameter(LookupError):
    """A route names a parameter that its path does not have: a fault of the application."""


@dataclass(frozen=True, slots=True)
class Need(Generic[RequestT]):
    """What one route needs.

    permission: the name of a permission, for example ``report_read``, or one with a parameter of the path,
        ``project:{id}:write``. None: any key.
    cost: how much a request takes from the limits of the key; a function of the request for a varying cost. None: that
        of the declared route (``tollkey.toml``), or 1.
    route: the name of the route, for limits and usage; None for the declared route, or the template of the path, where
        the framework has one.
    optional: a request without a key is accepted as well. One with a key that is not valid is refused.
    publishable: publishable keys are accepted too.
    short: accepts the usual request; None if each has to be looked at.
    """

    permission: str | None = None
    cost: int | Callable[[RequestT], int] | None = None
    route: str | None = None
    optional: bool = False
    publishable: bool = False
    short: ShortCheck | None = field(default=None, compare=False, repr=False)
    varies: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Note whether the permission or the cost varies from request to request."""
        object.__setattr__(self, "varies", callable(self.cost) or "{" in (self.permission or ""))

    def permission_for(self, parameters: Mapping[str, object], catalogue: PermissionNames) -> str | None:
        """Return the permission with the parameters of a request's path filled in.

        Raises MissingParameter if the path has no parameter of that name: the route and its need do not fit.
        UnknownPermission if the caller sent a value that no permission can have.
        """
        if self.permission is None or "{" not in self.permission:
            return self.permission
        missing = [name for name in _FIELD.findall(self.permission) if name not in parameters]
        if missing:
            raise MissingParameter(
                f"{self.permission!r} names {missing[0]!r}, but the path of this route has no such parameter"
            )
        return catalogue.canonical(_FIELD.sub(lambda field: str(parameters[field.group(1)]), self.permission))

    @property
    def general(self) -> str | None:
        """The permission for every value of its parameters: ``project:*:write`` for ``project:{id}:write``."""
        return None if self.permission is None else _FIELD.sub("*", self.permission)

    def cost_of(self, request: RequestT) -> int | None:
        """Return what this request takes from the limits of its key. Raises ValueError if that is below 0."""
        cost = self.cost(request) if callable(self.cost) else self.cost
        if cost is not None and cost < 0:
            raise ValueError("the cost of a request cannot be negative")
        return cost


def declared(permission: str, catalogue: PermissionNames, where: str = "needs") -> str:
    """Return the declared form of a permission's name, which may have parameters of a path in braces.

    where: the argument that names it, for the error. Raises ValueError for a name that no ``Permission`` declares, with
    the names that are near.
    """
    try:
        if "{" in permission:
            catalogue.canonical(_FIELD.sub("x", permission))
            return permission
        return catalogue.canonical(permission)
    except UnknownPermission:
        hint = suggestion(permission, catalogue.names)
        raise ValueError(f"{where} names {permission!r}, which no Permission declares{hint}") from None
