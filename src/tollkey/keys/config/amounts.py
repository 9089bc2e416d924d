"""How much a key may be used: ``10/s``, ``10000/month``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, get_args

Period = Literal["hour", "day", "month"]
PERIODS: Final[tuple[Period, ...]] = get_args(Period)

_UNITS: Final = {
    "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400,
}  # fmt: skip
_RATE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?/ ?([a-z]+)")
_QUOTA = re.compile(r"([0-9][0-9_]{0,17}) ?/ ?([a-z]+)")


@dataclass(frozen=True, slots=True)
class Rate:
    """A number of requests in a time, in the long run.

    requests: above 0, a fraction if it must be. seconds: the time.
    """

    requests: float
    seconds: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.requests < 1e12 or self.seconds < 1:
            raise ValueError("a rate needs a number of requests above 0 and a time of at least one second")

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Return the rate that a text like ``10/s``, ``600/minute`` or ``5/hour`` names. Raises ValueError."""
        match = _RATE.fullmatch(text.strip())
        if match is None or match[2] not in _UNITS or float(match[1]) <= 0:
            raise ValueError(f"{text!r} is no rate; write a number above 0 and a unit: 10/s, 600/minute, 5/hour, 2/day")
        return cls(float(match[1]), _UNITS[match[2]])

    @property
    def per_second(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    def __str__(self) -> str:
        unit = next((name for name in ("second", "minute", "hour", "day") if _UNITS[name] == self.seconds), None)
        return f"{self.requests:,.15g} {f'a {unit}' if unit != 'hour' else 'an hour'}" if unit else (
            f"{self.requests:,.15g} in {self.seconds} seconds"
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quota:
    """A number of requests in a calendar hour, day or month in UTC; the count begins anew with the next.

    requests: at least 1. period: ``hour``, ``day`` or ``month``.
    """

    requests: int
    period: Period

    def __post_init__(self) -> None:
        if not 0 < self.requests < 10**18 or self.period not in PERIODS:
            raise ValueError("a quota needs a number of requests above 0 and a period: hour, day or month")

    @classmethod
    def parse(cls, text: str) -> Quota:
        """Return the quota that a text like ``10000/month`` or ``500/day`` names. Raises ValueError."""
        match = _QUOTA.fullmatch(text.strip())
        period = next((name for name in PERIODS if match is not None and match[2] == name), None)
        if match is None or period is None or int(match[1]) < 1:
            raise ValueError(
                f"{text!r} is no quota; write a number above 0 and a period: 10000/month, 500/day, 50/hour"
            )
        return cls(int(match[1]), period)

    def __str__(self) -> str:
        return f"{self.requests:,} {'an' if self.period == 'hour' else 'a'} {self.period}"
