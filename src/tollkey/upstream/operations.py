"""Every operation of Stripe's API with the permission that a restricted key needs for it.

The operations and what they answer with are those of Stripe's published document (``tools/distil_operations.py``). The
permissions are those of this server's own endpoints, and for what it does not simulate those of ``permissions.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from typing import NamedTuple
from urllib.parse import unquote

import orjson

from tollkey.keys import Permission
from tollkey.upstream.permissions import FURTHER, READERS, named_for
from tollkey.wire.resource import Catalogue

#: A segment of a path that every server reads alike: no slash, no control character, nothing still encoded.
_PLAIN = re.compile(r"[\w .,:@!$&'()*+=~|-]+")


class Operation(NamedTuple):
    """One operation.

    permission: what a restricted key needs; None where no restricted key may call it. level: ``read`` or ``write``.
    object: what it answers with, "" if that is not known. listed: whether as a list.
    """

    method: str
    path: str
    permission: Permission | None
    level: str
    object: str
    listed: bool

    @property
    def grant(self) -> str:
        """The name of the grant that a restricted key needs. Only of an operation with a permission."""
        assert self.permission is not None
        return self.permission.grant(self.level)


@dataclass(slots=True)
class _Node:
    literal: dict[str, _Node] = field(default_factory=dict)
    named: _Node | None = None
    operations: dict[str, Operation] = field(default_factory=dict)

    def below(self, segment: str) -> _Node:
        """The node of a segment of a declared path, made where it is not there."""
        if segment.startswith("{"):
            self.named = self.named or _Node()
            return self.named
        return self.literal.setdefault(segment, _Node())


class Operations:
    """All operations, found by method and path. catalogue: the resources of this server."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._root = _Node()
        #: Object -> the permission to read it.
        self.readers: dict[str, Permission] = {}
        rows = {permission.name: permission for permission in (*catalogue.permissions(), *FURTHER.values())}
        own = _own(catalogue)
        for resource in catalogue.resources:
            self.readers.setdefault(resource.object, resource.permission)
        for method, path, object, form in _published():
            permission, level = own.pop((method, _shape(path)), (None, ""))
            if not level:
                permission, level = rows.get(named_for(path) or ""), "read" if method == "GET" else "write"
            self._add(Operation(method, path, permission, level, object, form == "list"))
            if method == "GET" and object and form == "object" and permission is not None:
                self.readers.setdefault(object, permission)
        for object, name in READERS.items():
            self.readers.setdefault(object, rows[name])
        for (method, path), (permission, level) in own.items():  # what Stripe's document does not describe
            self._add(Operation(method, path, permission, level, "", False))

    def _add(self, operation: Operation) -> None:
        node = self._root
        for segment in operation.path.split("/")[1:]:
            node = node.below(segment)
        node.operations[operation.method] = operation

    def all(self) -> Iterator[Operation]:
        """Return every operation."""
        waiting = [self._root]
        while waiting:
            node = waiting.pop()
            yield from node.operations.values()
            waiting += node.literal.values()
            if node.named is not None:
                waiting.append(node.named)

    def find(self, method: str, path: str) -> Operation | None:
        """Return the operation that a request asks for, or None.

        path: as sent, still percent-encoded. One that another server may read as another path has no operation.
        """
        segments = [unquote(segment) for segment in path.split("/")[1:]]
        if any(segment in (".", "..") or not _PLAIN.fullmatch(segment) for segment in segments):
            return None
        node = _walk(self._root, segments, 0)
        return None if node is None else node.operations.get("GET" if method == "HEAD" else method)


def _walk(node: _Node, segments: list[str], at: int) -> _Node | None:
    if at == len(segments):
        return node if node.operations else None
    literal = node.literal.get(segments[at])
    found = _walk(literal, segments, at + 1) if literal is not None else None
    if found is None and node.named is not None and segments[at]:
        found = _walk(node.named, segments, at + 1)
    return found


def _published() -> Iterator[tuple[str, str, str, str]]:
    """Return method, path, object and form of every published operation."""
    for line in files(__package__).joinpath("operations.jsonl").read_bytes().splitlines():
        method, path, object, form = orjson.loads(line)
        yield method, path, object, form


def _shape(path: str) -> str:
    """Return a path whose names in braces are all alike."""
    return "/".join("{}" if segment.startswith("{") else segment for segment in path.split("/"))


def _own(catalogue: Catalogue) -> dict[tuple[str, str], tuple[Permission | None, str]]:
    """Return the permission and level of each endpoint of this server that takes a key, by method and path."""
    found: dict[tuple[str, str], tuple[Permission | None, str]] = {}
    for resource in catalogue.resources:
        for endpoint in resource.endpoints:
            if not endpoint.public:
                permission = (
                    None if endpoint.unrestricted or endpoint.session else endpoint.permission or resource.permission
                )
                found[endpoint.method, _shape(endpoint.path)] = permission, endpoint.needs
    return found
