"""What a request demands of its key: from the arguments of ``check`` and the declared routes."""

from __future__ import annotations

from typing import NamedTuple

from tollkey.keys.config import Config
from tollkey.keys.permissions import PermissionCatalogue


class Demand(NamedTuple):
    """What a request demands.

    permission: the name of a grant, or None. route: as given, for limits. name: of the declared route, for usage.
    cost: what it takes from the limits. publishable: a publishable key will do.
    declared: False if routes are declared and none matches the request.
    """

    permission: str | None
    route: str | None
    name: str | None
    cost: int
    publishable: bool = True
    declared: bool = True


def demand_of(
    config: Config,
    names: PermissionCatalogue,
    permission: str | None,
    route: str | None,
    cost: int | None,
    publishable: bool = True,
) -> Demand:
    """Return what a request demands.

    names: resolves other spellings of a permission. permission, cost: None for those of its route.
    route: ``GET /reports/1?page=2`` is compared with the declared routes; a text without a space is a name, and is not.
    Raises UnknownPermission if nothing declares the permission, ValueError for a negative cost.
    """
    if cost is not None and cost < 0:
        raise ValueError("the cost of a request cannot be negative")
    name = route
    if route is not None and config.routes:
        method, space, target = route.partition(" ")
        if space:
            match = config.routing.find(method, target)
            if match is None:
                permission = None if permission is None else names.canonical(permission)
                return Demand(permission, route, None, 0, publishable, declared=False)
            permission = match.permission if permission is None else permission
            name, publishable = match.name, publishable and match.route.publishable
            cost = match.route.cost if cost is None else cost
    permission = None if permission is None else names.canonical(permission)
    return Demand(permission, route, name, 1 if cost is None else cost, publishable)
