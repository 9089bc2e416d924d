"""What a request demands of its key: from the arguments of ``check`` and the declared routes."""

from __future__ import annotations

from typing import NamedTuple

from tollkey.keys.config import Config


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
    config: Config, permission: str | None, route: str | None, cost: int | None, publishable: bool = True
) -> Demand:
    """Return what a request demands.

    permission, cost: None for those of its route. route: ``GET /reports/1?page=2`` is compared with the declared
    routes; a text without a space is a name, and is not.
    Raises ValueError for a negative cost.
    """
    if cost is not None and cost < 0:
        raise ValueError("the cost of a request cannot be negative")
    method, space, target = (route or "").partition(" ")
    if not space or not config.routes:
        return Demand(permission, route, route, 1 if cost is None else cost, publishable)
    match = config.routing.find(method, target)
    if match is None:
        return Demand(permission, route, None, 0, publishable, declared=False)
    return Demand(
        match.permission if permission is None else permission,
        route,
        str(match.route.match),
        match.route.cost if cost is None else cost,
        publishable and match.route.publishable,
    )
