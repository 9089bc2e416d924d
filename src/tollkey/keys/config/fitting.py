"""Whether the parts of a configuration fit together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tollkey.keys.config.faults import Fault, Place, suggestion
from tollkey.keys.config.plans import PERS, Limit, Plan
from tollkey.keys.config.routes import Route
from tollkey.keys.permissions import Permission

_PARAMETER = re.compile(r":(?:\{\w+\}|[A-Za-z0-9._~@+-]{1,200}):")  # of a permission: a part of the path, or its value
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_FIELD = re.compile(r"\{([^{}]*)\}")
_PLAN = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def permission_faults(permissions: Sequence[Permission], implied: Mapping[str, Iterable[str]]) -> Iterator[Fault]:
    """Yield what is wrong with permissions and with what they imply."""
    grants = [grant for permission in permissions for grant in permission.grants()]
    names = {permission.name for permission in permissions}
    for permission in permissions:
        place: Place = ("permissions", permission.name)
        if not _NAME.fullmatch(permission.name):
            yield Fault(place, "the name of a permission has lower-case letters, digits and _ and begins with a letter")
        if not permission.levels:
            yield Fault((*place, "levels"), "a permission needs at least one level: read, write")
        for level in permission.levels:
            if level not in ("read", "write"):
                yield Fault((*place, "levels"), f"{level!r} is no level; there are read and write")
    for name, brings in implied.items():
        if name not in names:
            yield Fault(("permissions", name), f"nothing declares this permission{suggestion(name, names)}")
        for grant in brings:
            if grant not in grants:
                what = f"{grant!r} is not the name of a permission with its level{suggestion(grant, grants)}"
                yield Fault(("permissions", name, "implies"), what)


def limit_faults(limits: Iterable[Limit], place: Place) -> Iterator[Fault]:
    """Yield what is wrong with limits, each alone."""
    for limit in limits:
        at = (*place, limit.name)
        if not _PLAN.fullmatch(limit.name):
            yield Fault(at, "a name has lower-case letters, digits, _ and - and at most 64 characters")
        if limit.rate is None and not limit.quota:
            yield Fault(at, 'a limit needs a rate (rate = "10/s") or a quota (quota = "10000/month")')
        if limit.burst is not None and (limit.burst < 1 or limit.rate is None):
            yield Fault((*at, "burst"), "needs a rate" if limit.rate is None else "must be at least 1")
        if limit.per not in PERS:
            yield Fault((*at, "per"), f"must be one of {', '.join(PERS)}")
        periods = [quota.period for quota in limit.quota]
        if len(set(periods)) < len(periods):
            yield Fault((*at, "quota"), "has two quotas of the same period")


def plan_faults(plans: Sequence[Plan], default_plan: str | None, limits: Sequence[Limit]) -> Iterator[Fault]:
    """Yield what is wrong with plans, and with limits beside them."""
    for plan in plans:
        if not _PLAN.fullmatch(plan.name):
            yield Fault(
                ("plans", plan.name), "a name has lower-case letters, digits, _ and - and at most 64 characters"
            )
        for limit in plan.limits:
            own = limit.name == plan.name
            for fault in limit_faults([limit], ()):
                yield Fault(
                    ("plans", plan.name, *(() if own else ("limits", limit.name)), *fault.place[1:]), fault.message
                )
    yield from limit_faults(limits, ("limits",))
    names = [plan.name for plan in plans]
    if default_plan is not None and default_plan not in names:
        yield Fault(("service", "default_plan"), f"there is no plan {default_plan!r}{suggestion(default_plan, names)}")
    taken: dict[str, str] = {limit.name: "limits" for limit in limits}
    for plan in plans:
        for limit in plan.limits:
            if limit.name in taken:
                yield Fault(
                    ("plans", plan.name), f"the name {limit.name!r} is already that of a limit in {taken[limit.name]}"
                )


def route_faults(
    routes: Sequence[Route], permissions: Sequence[Permission], limits: Sequence[Limit]
) -> Iterator[Fault]:
    """Yield what is wrong with routes. limits: all, also those of plans."""
    grants = {grant for permission in permissions for grant in permission.grants()}
    for index, route in enumerate(routes):
        if route.needs is not None:
            yield from _needs_faults(index, route, route.needs, grants)
        if route.cost < 0:
            yield Fault(("routes", index, "cost"), "must not be below 0")
        for limit in limits:
            most = limit.most_at_once
            if most is not None and route.cost > most and _concerns(limit, route):
                what = f"is more than {limit.name} allows at once ({most:,}): no such request could ever be accepted"
                yield Fault(("routes", index, "cost"), what)
        earlier = next((other for other in routes[:index] if other.match.covers(route.match)), None)
        if earlier is not None:
            what = (
                f"no request ever gets here: '{earlier.match}' stands before it and matches the same; the first counts"
            )
            yield Fault(("routes", index, "match"), what)


def _concerns(limit: Limit, route: Route) -> bool:
    return not limit.routes or any(
        pattern.covers(route.match) or route.match.covers(pattern) for pattern in limit.routes
    )


def _needs_faults(index: int, route: Route, needs: str, grants: set[str]) -> Iterator[Fault]:
    place: Place = ("routes", index, "needs")
    fields = set(_FIELD.findall(needs))
    if fields - route.match.parameters:
        lacking = ", ".join(sorted(fields - route.match.parameters))
        yield Fault(place, f"the path of this route has no part named {lacking}")
    if _PARAMETER.sub(":*:", needs) not in grants:
        yield Fault(place, f"{needs!r} is not the name of a permission with its level{suggestion(needs, grants)}")
