"""Hide fields with which their holder can act (client secrets, hosted pages' URLs) from restricted keys.

A resource declares these fields and the permission each needs (``Resource.reveals``). A restricted key may see an
object in an event, an expansion or another object with a permission for that alone: there these fields are null, so
that a key that may only read cannot act.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from tollkey.keys import Key
from tollkey.wire.resource import Catalogue, Json, Resource

_MOST_REMEMBERED = 1_000  # cached sets of permissions
Path = tuple[str, ...]


def permission_of(resource: Resource, needs: str) -> str:
    """Return the permission for a value of ``Resource.reveals``: ``read`` and ``write`` are the resource's own."""
    return f"{resource.permission.name}_{needs}" if needs in ("read", "write") else needs


def without_field(value: Json, path: str) -> Json:
    """Return a copy of a response in which the field at a dotted path is null. A missing or empty field stays."""
    return _blanked(value, tuple(path.split(".")), None)


class _Denied(NamedTuple):
    """Fields hidden from a set of permissions, by type of object; names: these types as JSON bytes."""

    paths: dict[str, tuple[Path, ...]]
    names: frozenset[bytes]


_NOTHING = _Denied({}, frozenset())
_MARK = b'"object": "'  # as ``encode`` writes it
_ANY_MARK = re.compile(rb'"object"\s*:\s*"([^"]*)"')


class Reveals:
    """Which fields of a catalogue's objects are hidden from which keys."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._rules = {
            resource.object: {
                tuple(path.split(".")): permission_of(resource, needs) for path, needs in resource.reveals.items()
            }
            for resource in catalogue.resources
            if resource.reveals
        }
        self._unsealed = {
            resource.object: tuple((name,) for name in resource.expands)
            for resource in catalogue.resources
            if resource.sealed and resource.expands
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
        """Return what is hidden from a key: nothing unless it is restricted (client keys see ``client_view``)."""
        if key is None or key.kind != "restricted":
            return _NOTHING
        return self._denied(key.effective_connect if connected else key.effective)

    def touches(self, key: Key | None, connected: bool, body: bytes) -> bool:
        """Return whether JSON from ``encode`` contains an object with a field that may be hidden from this key.

        connected: the account is not the key's own.
        """
        names = self._denied_to(key, connected).names
        at = body.find(_MARK) if names else -1
        while at >= 0:
            start = at + len(_MARK)
            end = body.find(b'"', start)
            if body[start:end] in names:
                return True
            at = body.find(_MARK, end)
        return False

    def may_touch(self, key: Key, body: bytes) -> bool:
        """``touches`` for JSON of another server, however it is written, and for either kind of account."""
        names = self._denied_to(key, False).names | self._denied_to(key, True).names
        return bool(names) and any(found[1] in names for found in _ANY_MARK.finditer(body))

    def hide(self, key: Key | None, connected: bool, value: Any) -> Any:
        """Return the value with hidden fields replaced by null; changed parts are copies.

        connected: the account is not the key's own, so its permissions for connected accounts count.
        """
        of = value.get("account") if isinstance(value, dict) and value.get("object") == "event" else None
        denied = self._denied_to(key, connected or (key is not None and of not in (None, key.account))).paths
        return _hidden(value, denied) if denied else value

    def storable(self, value: Any) -> Any:
        """Return a response's value as it may be stored: what is sealed in the database, and shown when expanded, is
        null.
        """
        return _hidden(value, self._unsealed)

    def for_people(self, value: Any, may_change: bool, shown: str) -> Any:
        """Return the value for the Dashboard, with hidden fields replaced by the text ``shown``.

        may_change: the person may change objects: hides only fields that need a write permission. Otherwise all of
        these fields are hidden.
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
    """Hide fields in ``previous_attributes``, whose type of object is that of the event's object."""
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
    """Return a copy in which the field at that path, if present and not empty, is replaced by ``shown``."""
    name, rest = path[0], path[1:]
    inner = value.get(name)
    if not rest:
        return {**value, name: shown} if inner else value
    if not isinstance(inner, dict):
        return value
    new = _blanked(inner, rest, shown)
    return value if new is inner else {**value, name: new}
