"""Which limits hold for a request, and what its buckets are."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote

from tollkey.db.indexed import indexed
from tollkey.keys.config import Config, Limit, Route
from tollkey.keys.config.routes import Routes
from tollkey.keys.key import Denied, Key, LimitState, Reason
from tollkey.keys.limiting.buckets import Bucket, Level, Limiter, Taken
from tollkey.keys.limiting.memory import tightest
from tollkey.keys.limiting.plans import NO_PLAN, AccountPlans

_MOST_REMEMBERED = 50_000
_OTHER = "other"  # the route of requests that match none
_log = logging.getLogger(__name__)


class _Place(NamedTuple):
    """A request as limits see it. route: its name. limits: the names of limits for some routes that it falls under."""

    route: str
    limits: frozenset[str]


class _Found(NamedTuple):
    plan: str
    version: int
    buckets: tuple[Bucket, ...]


_ANYWHERE = _Place(_OTHER, frozenset())


class KeyLimits:
    """The limits of a configuration, as ``KeyService`` asks for them.

    config: plans and limits. limiter: counts. plans: of accounts; None: all have the default plan.
    """

    def __init__(self, config: Config, limiter: Limiter, plans: AccountPlans | None = None) -> None:
        self.limiter, self.plans = limiter, plans
        self._config = config
        limits = [*config.limits, *(limit for plan in config.plans for limit in plan.limits)]
        self._routes = {one.name: Routes(Route(pattern) for pattern in one.routes) for one in limits if one.routes}
        self._by_route = bool(self._routes) or any(limit.per == "route" for limit in limits)
        self._found: dict[str | tuple[str, _Place], _Found] = {}
        self._reported: set[str] = set()

    def take_at_once(
        self, key: Key, route: str | None, cost: int, now: float
    ) -> tuple[LimitState, ...] | Denied | None:
        """Do what ``take`` does without blocking, or return None if that would block."""
        plan = NO_PLAN if self.plans is None else self.plans.known((key.account, key.livemode))
        if plan is None:
            return None
        buckets = self._buckets(key, route, plan)
        if not buckets:
            return ()
        taken = self.limiter.take_at_once(buckets, cost, now)
        return None if taken is None else _answer(key, taken)

    def take(self, key: Key, route: str | None, cost: int, now: float) -> tuple[LimitState, ...] | Denied:
        """Take ``cost`` from every limit that holds for a request, or nothing from any if one has too little left.

        key: of the request. route: ``GET /reports/1`` or a name, for limits of routes. cost: 0 or more; 0 is accepted.
        now: UTC epoch seconds. Returns the states of the limits, the one with the least left first, or ``Denied`` with
        ``rate_limited`` or ``quota_exceeded``. Raises StorageError, and what the limiter raises.
        """
        plans, plan = self.plans, NO_PLAN
        if plans is not None:
            known = plans.known((key.account, key.livemode))
            plan = plans.get(key.scope) if known is None else known
        buckets = self._buckets(key, route, plan)
        return _answer(key, self.limiter.take(buckets, cost, now)) if buckets else ()

    # -- which buckets

    def _buckets(self, key: Key, route: str | None, plan: str) -> tuple[Bucket, ...]:
        place = self._place(route) if self._by_route else _ANYWHERE
        name = (key.id, place) if self._by_route else key.id
        found = self._found.get(name)
        if found is None or found.plan != plan or found.version != key.version:
            if len(self._found) >= _MOST_REMEMBERED:
                self._found.clear()
            found = self._found[name] = _Found(plan, key.version, tuple(self._buckets_of(key, place, plan)))
        return found.buckets

    def _place(self, route: str | None) -> _Place:
        if route is None:
            return _ANYWHERE
        method, space, target = route.partition(" ")
        if not space:
            return _Place(route[:200], frozenset())
        match = self._config.routing.find(method, target)
        name = _OTHER if match is None else match.name
        return _Place(
            name, frozenset(limit for limit, routes in self._routes.items() if routes.find(method, target) is not None)
        )

    def _buckets_of(self, key: Key, place: _Place, plan: str) -> Iterator[Bucket]:
        chosen = self._config.plan(plan or None)
        if chosen is None and plan:
            if plan not in self._reported:
                self._reported.add(plan)
                _log.error("an account has the plan %r, which the configuration lacks; the default plan is used", plan)
            chosen = self._config.plan(None)
        if chosen is not None:
            for limit in chosen.limits:
                # The plan's own limit counts under one name in every plan, so that another plan does not reset it.
                name = "plan" if limit.name == chosen.name else limit.name
                yield from self._buckets_of_limit(limit, name, key, place)
        for limit in self._config.limits:
            yield from self._buckets_of_limit(limit, limit.name, key, place)

    def _buckets_of_limit(self, limit: Limit, name: str, key: Key, place: _Place) -> Iterator[Bucket]:
        if limit.name in self._routes and limit.name not in place.limits:
            return
        # an identity may be long, and what is counted stands in an index of the database
        whose = indexed(":".join(quote(part, safe="") for part in self._counted_with(limit, key, place)))
        if limit.rate is not None:
            yield Bucket(f"{name}.rate:{whose}", limit.name, limit.capacity, limit.rate.per_second)
        for quota in limit.quota:
            policy = f"{limit.name}.{quota.period}"
            yield Bucket(f"{name}.{quota.period}:{whose}", policy, quota.requests, period=quota.period)

    def _counted_with(self, limit: Limit, key: Key, place: _Place) -> tuple[str, ...]:
        """Return what everything that is counted together has in common."""
        account = ("live" if key.livemode else "test", key.account)
        if limit.per == "account":
            return account
        if limit.per == "route":
            return (*account, "route", place.route)
        identity = key.metadata.get(self._config.identity) if limit.per == "identity" else None
        return (*account, "key", key.id) if identity is None else (*account, "identity", identity)


def _answer(key: Key, taken: Taken) -> tuple[LimitState, ...] | Denied:
    ordered = tightest(taken.levels)
    states = tuple([_state(level) for level in ordered])
    if taken.accepted:
        return states
    full = [level for level in ordered if level.retry_after != 0]
    waits = [level.retry_after for level in full]
    longest = None if None in waits else max(wait for wait in waits if wait is not None)
    worst = max(full, key=lambda level: level.retry_after if level.retry_after is not None else float("inf"))
    reason = Reason.rate_limited if worst.bucket.period is None else Reason.quota_exceeded
    return Denied(reason, key.masked, key, limit=_state(worst), retry_after=longest, limits=states)


def _state(level: Level) -> LimitState:
    bucket = level.bucket
    return LimitState(bucket.policy, bucket.capacity, level.remaining, level.reset, level.window)
