"""The table ``[usage]`` of ``tollkey.toml``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """How the use of keys is counted.

    raw_days: how long counts of single minutes are kept. most_routes: routes that a process counts by name.
    """

    raw_days: float = 7.0
    most_routes: int = 1_000

    def __post_init__(self) -> None:
        if not 0 <= self.raw_days <= 3_650:
            raise ValueError("raw_days must be 0 to 3650")
        if not 1 <= self.most_routes <= 100_000:
            raise ValueError("most_routes must be 1 to 100000")
