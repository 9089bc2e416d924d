"""How an intent goes from one state to the next."""

from __future__ import annotations

from collections.abc import Mapping

from tollkey.wire import Json

#: From each state, the states that an arrow leads to.
Arrows = Mapping[str, frozenset[str]]


def move_along(arrows: Arrows, intent: Json, status: str) -> None:
    """Bring the intent into that state. Raises ValueError when no arrow leads there: a fault of ours, never of a
    caller.
    """
    if status not in arrows[intent["status"]]:
        raise ValueError(f"no arrow from {intent['status']} to {status}")
    intent["status"] = status
    if status != "requires_action":
        intent["next_action"] = None
