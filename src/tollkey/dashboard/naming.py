"""How people and actors are named in lists and histories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tollkey.db import Tx
from tollkey.keys import Actor


def names_of(tx: Tx, ids: Iterable[str]) -> dict[str, str]:
    """Person id -> name, for those that are persons."""
    wanted = sorted({id for id in ids if id.startswith("usr_")})
    if not wanted:
        return {}
    return dict((row[0], row[1]) for row in tx.execute(
        f"SELECT id, name FROM dash_people WHERE id IN ({', '.join('?' * len(wanted))})", wanted
    ))  # fmt: skip


def deed(action: str, details: Mapping[str, Any]) -> str:
    """What was done, in words. details: what the line of the log says of it.

    A key that a roll made was not simply created: it took another's place.
    """
    if action in ("created", "key_created") and details.get("rolled_from"):
        action = f"{action.removesuffix('created')}made_by_rolling"
    return action.replace("_", " ").capitalize()


def named(actor: Actor, names: dict[str, str]) -> str:
    """Who that is, in words."""
    if actor.kind == "user":
        return names.get(actor.id, actor.id)
    return {"system": "Tollkey", "cli": "Command line"}.get(actor.kind, f"{actor.kind.replace('_', ' ')} {actor.id}")
