"""Fields that let their holder act: client secrets, addresses of pages. They are shown to a key that could have read or
made the object.

A resource declares its own (``Resource.reveals``). An event, an expansion or an object inside another may show an
object to a
restricted key that only reads events, or the outer object: these fields are null there. Reading must not become acting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from tollkey.keys import Key
from tollkey.wire.resource import Catalogue, Json, Resource

_MOST_REMEMBERED = 1_000  # sets of permissions
Path = tuple[str, ...]


def permission_of(resource: Resource, needs: str) -> str:
    """The permission that a value of ``Resource.reveals`` stands for: ``read`` and ``write`` are the resource's own."""
    return f"{resource.permission.name}_{needs}" if needs in ("read", "write") else needs


class _Denied(NamedTuple):
    """What a set of permissions does not show: object -> fields; and the names of these objects as JSON has them."""

    paths: dict[str, tuple[Path, ...]]
    names: frozenset[bytes]


_NOTHING = _Denied({}, frozenset())
_MARK = b'"object": "'  # as ``encode`` writes it


class Reveals:
    """What each key of one catalogue may not see."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._rules = {
            resource.object: {
                tuple(path.split(".")): permission_of(resource, needs) for path, needs in resource.reveals.items()
            }
            for resource in catalogue.resources
            if resource.reveals
        }
        self._denied = lru_cache(maxsize=_MOST_REMEMBERED)(self._work_out)

    def _work_out(self, effective: frozenset[str]) -> _Denied:
        paths: dict[str, tuple[Path, ...]] = {}
        for object, rules in self._rules.items():
            hidden = tuple(path for path, permission in rules.items() if permission not in effective)
            if hidden:
                paths[object] = hidden
        return _Denied(paths, frozenset(object.encode() for object in paths))

    def _denied_to(self, key: Key | None, connected: bool) -> _Denied:
        """What the key may not see. Other kinds of key see all, or shapes of their own."""
        if key is None or key.kind != "restricted":
            return _NOTHING
        return self._denied(key.effective_connect if connected else key.effective)

    def touches(self, key: Key | None, connected: bool, body: bytes) -> bool:
        """Whether JSON as the wire writes it holds an object of which something has to be hidden from this key."""
        names = self._denied_to(key, connected).names
        at = body.find(_MARK) if names else -1
        while at >= 0:
            start = at + len(_MARK)
            end = body.find(b'"', start)
            if body[start:end] in names:
                return True
            at = body.find(_MARK, end)
        return False

    def hide(self, key: Key | None, connected: bool, value: Any) -> Any:
        """The value with null in place of what the key may not see; what is changed in it is a copy.

        connected: it is about another account than the key's, where a restricted key has its connect permissions.
        """
        of = value.get("account") if isinstance(value, dict) and value.get("object") == "event" else None
        denied = self._denied_to(key, connected or (key is not None and of not in (None, key.account))).paths
        return _hidden(value, denied) if denied else value

    def for_people(self, value: Any, may_change: bool, shown: str) -> Any:
        """The value as a person may see it, with the text ``shown`` in place of the rest.

        may_change: they may change objects, so they see what a key that reads the object sees; others see no such
            field.
        """
        hidden = {
            object: tuple(path for path, permission in rules.items() if not may_change or permission.endswith("_write"))
            for object, rules in self._rules.items()
        }
        return _hidden(value, hidden, shown)


def _hidden(value: Any, denied: Mapping[str, Iterable[Path]], shown: object = None) -> Any:
    if isinstance(value, list):
        items = [_hidden(item, denied, shown) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if not isinstance(value, dict):
        return value
    kind = value.get("object")
    for name, inner in list(value.items()):
        if isinstance(inner, dict | list):
            new = _hidden(inner, denied, shown)
            if new is not inner:
                value = {**value, name: new}
    if kind == "event":
        return _of_event(value, denied, shown)
    return _without(value, denied.get(kind, ()) if isinstance(kind, str) else (), shown)


def _of_event(event: Json, denied: Mapping[str, Iterable[Path]], shown: object) -> Json:
    """``previous_attributes`` holds fields of the event's object, and does not say of which kind it is."""
    data = event.get("data") or {}
    before = data.get("previous_attributes")
    if not isinstance(before, dict):
        return event
    hidden = _without(before, denied.get((data.get("object") or {}).get("object") or "", ()), shown)
    return event if hidden is before else {**event, "data": {**data, "previous_attributes": hidden}}


def _without(value: Json, paths: Iterable[Path], shown: object) -> Json:
    for path in paths:
        value = _blanked(value, path, shown)
    return value


def _blanked(value: Json, path: Path, shown: object) -> Json:
    """A copy in which the field at that path, when it is there and not empty, is blanked."""
    name, rest = path[0], path[1:]
    inner = value.get(name)
    if not rest:
        return {**value, name: shown} if inner else value
    if not isinstance(inner, dict):
        return value
    new = _blanked(inner, rest, shown)
    return value if new is inner else {**value, name: new}
