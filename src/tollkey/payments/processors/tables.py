"""Reads the configuration of a provider: tables with known names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def only(given: Mapping[str, Any], names: tuple[str, ...], place: str) -> None:
    """Raise ValueError for a name that is not among these. place: what stands before the name in the message."""
    unknown = [name for name in given if name not in names]
    if unknown:
        raise ValueError(f"{place}{unknown[0]} is no setting of this processor")


def table(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the table of a name. Raises ValueError when there is none."""
    value = given.get(name)
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} is missing: a table")
    return value
