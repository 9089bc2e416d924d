"""Plans and limits: how much may be used, and who is counted together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from tollkey.keys.config.amounts import Quota, Rate
from tollkey.keys.config.routes import Pattern

Per = Literal["key", "account", "identity", "route"]
PERS: Final[tuple[Per, ...]] = get_args(Per)


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit on requests.

    name: for people and for the RateLimit headers. rate: in the long run; None for no rate.
    burst: how much at once; None for the rate's number. quota: by the hour, day or month; each counts alone.
    per: who is counted together: the ``account`` (all keys of a customer, so that making or rolling keys resets
        nothing), the ``key``, the ``identity`` (see ``Config.identity``), or the account on one ``route``.
    routes: only requests that match one of these; empty for all.
    """

    name: str
    rate: Rate | None = None
    burst: int | None = None
    quota: tuple[Quota, ...] = ()
    per: Per = "account"
    routes: tuple[Pattern, ...] = ()

    @property
    def capacity(self) -> int:
        """How much of the rate can be used at once."""
        if self.burst is not None:
            return self.burst
        return 0 if self.rate is None else max(1, int(self.rate.requests))

    @property
    def most_at_once(self) -> int | None:
        """The highest cost that one request may have; None without rate and quota."""
        most = [quota.requests for quota in self.quota]
        if self.rate is not None:
            most.append(self.capacity)
        return min(most, default=None)

    def __str__(self) -> str:
        parts = [] if self.rate is None else [f"{self.rate}, {self.capacity:,} at once"]
        parts.extend(str(quota) for quota in self.quota)
        where = f" on {', '.join(str(pattern) for pattern in self.routes)}" if self.routes else ""
        who = "each account on each route" if self.per == "route" else f"each {self.per}"
        return f"{who}: {'; '.join(parts)}{where}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the keys of an account may use. name: stored with accounts. limits: all of them hold."""

    name: str
    limits: tuple[Limit, ...] = ()
