"""Labels of people, actors and actions in lists and audit logs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tollkey.db import Tx
from tollkey.keys.actors import Actor


def person_names(tx: Tx, ids: Iterable[str]) -> dict[str, str]:
    """The names of people by id. ids: other ids than those of people are ignored."""
    wanted = sorted({id for id in ids if id.startswith("usr_")})
    if not wanted:
        return {}
    return dict((row[0], row[1]) for row in tx.execute(
        f"SELECT id, name FROM dash_people WHERE id IN ({', '.join('?' * len(wanted))})", wanted
    ))  # fmt: skip


def action_label(action: str, details: Mapping[str, Any]) -> str:
    """The label of an action in an audit log, such as ``Key rolled``. details: of the log entry.

    A key that was created by rolling another is labelled as such.
    """
    if action in ("created", "key_created") and details.get("rolled_from"):
        action = f"{action.removesuffix('created')}made_by_rolling"
    return action.replace("_", " ").capitalize()


def actor_label(actor: Actor, names: dict[str, str]) -> str:
    """The label of an actor: a person's name, "Command line", or kind and id. names: of people, by id."""
    if actor.kind == "user":
        return names.get(actor.id, actor.id)
    return {"system": "Tollkey", "cli": "Command line"}.get(actor.kind, f"{actor.kind.replace('_', ' ')} {actor.id}")
