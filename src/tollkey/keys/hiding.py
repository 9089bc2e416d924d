"""The representation of values that hold a secret: what ends in logs, tracebacks and error trackers."""

from __future__ import annotations

from typing import Any


def repr_without(value: Any, *hidden: str) -> str:
    """Return the representation of a named tuple without these fields. For dataclasses there is ``repr=False``."""
    shown = ", ".join(f"{name}={getattr(value, name)!r}" for name in value._fields if name not in hidden)
    return f"{type(value).__name__}({shown})"
