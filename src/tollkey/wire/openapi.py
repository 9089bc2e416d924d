"""The OpenAPI 3.0 document of this server, generated from the resources.

No part is written by hand: paths, parameters, permissions and types of objects are those that the server uses.
"""

from __future__ import annotations

from typing import Any

from tollkey.wire._check import (
    Array,
    Boolean,
    Choice,
    DecimalText,
    Integer,
    Map,
    Node,
    Number,
    Object,
    OneOf,
    Refused,
    Text,
    Timestamp,
    Unset,
)
from tollkey.wire._limits import ShortArray
from tollkey.wire._special import Email, Moment, Url
from tollkey.wire.messages import is_v2
from tollkey.wire.metadata import Metadata
from tollkey.wire.removed import gone, narrowed
from tollkey.wire.resource import Catalogue, Endpoint, Json, Resource, path_names
from tollkey.wire.versions import LATEST

_SIMPLE: dict[type[Node], Json] = {
    Timestamp: {"type": "integer", "format": "unix-time"},
    Moment: {"type": "string", "format": "date-time"},
    Number: {"type": "number"},
    DecimalText: {"type": "string", "format": "decimal"},
    Boolean: {"type": "boolean"},
    Email: {"type": "string", "format": "email"},
    Url: {"type": "string", "format": "uri"},
    Metadata: {"type": "object", "additionalProperties": {"type": "string", "maxLength": 500}, "maxProperties": 50},
}


def document(catalogue: Catalogue, base_url: str = "http://127.0.0.1:8420", version: str = LATEST) -> Json:
    """Return the OpenAPI 3.0 document of all endpoints that need a key.

    base_url: the address of the server. version: the API version whose endpoints and parameters it describes.
    """
    paths: dict[str, Json] = {}
    for resource in catalogue.resources:
        for endpoint in resource.endpoints:
            if not endpoint.public and not endpoint.ended(version[:10]):
                described = _operation(resource, endpoint, version[:10])
                paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = described
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Tollkey",
            "version": version,
            "description": "The payments API as this server implements it.",
        },
        "servers": [{"url": base_url}],
        "security": [{"bearer": []}, {"basic": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
            "schemas": {**_errors(), **_objects(catalogue)},
        },
    }


def _operation(resource: Resource, endpoint: Endpoint, version: str) -> Json:
    params = endpoint.schema_for(version)
    permission = endpoint.permission or resource.permission
    operation: Json = {
        "operationId": f"{endpoint.method} {endpoint.path}",
        "tags": [resource.title or resource.object],
        "summary": (endpoint.handler.__doc__ or "").partition("\n")[0],
        "x-permission": None if endpoint.unrestricted else f"{permission.name}_{endpoint.needs}",
        **_clients(endpoint, version),
        "parameters": [
            {"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in path_names(endpoint.path)
        ],
        "responses": {"200": _answer(resource, endpoint), "default": _failure(endpoint.path)},
    }
    if endpoint.method == "GET":
        operation["parameters"] += [_query(name, node, name in params.required) for name, node in _taken(params)]
    elif endpoint.host is None and params.fields:
        body = {"schema": _schema(params)}
        kinds = ("application/json",) if is_v2(endpoint.path) else ("application/x-www-form-urlencoded",)
        operation["requestBody"] = {"content": dict.fromkeys(kinds, body)}
    return operation


def _clients(endpoint: Endpoint, version: str) -> Json:
    """Return what publishable and ephemeral keys may send and expand; null where they may not call the endpoint."""
    without = gone(endpoint.removed, version)
    extensions: Json = {}
    for kind in ("publishable", "ephemeral"):
        access = endpoint.access_of(kind)
        taken = (
            None
            if access is None
            else {"schema": _schema(narrowed(access.taken(endpoint.schema), without)), "expands": list(access.expands)}
        )
        extensions[f"x-{kind}"] = taken
    return extensions


def _query(name: str, node: Node, required: bool) -> Json:
    style = (
        {}
        if _SIMPLE.get(type(node)) or isinstance(node, Text | Integer | Choice)
        else {"style": "deepObject", "explode": True}
    )
    return {"name": name, "in": "query", "required": required, "schema": _schema(node), **style}


def _answer(resource: Resource, endpoint: Endpoint) -> Json:
    if endpoint.host is not None or endpoint.path.endswith("/contents"):
        return {"description": "The file's bytes, or its object."}
    schema: Json = {
        "type": "object",
        "description": f"A {endpoint.object or resource.object}, a list of them, or what is left of it.",
    }
    return {"description": "Done.", "content": {"application/json": {"schema": schema}}}


def _schema(node: Node) -> Json:
    """The JSON schema of a parameter."""
    simple = _SIMPLE.get(type(node))
    if simple is not None:
        return simple
    if isinstance(node, Unset):
        inner = _schema(node.inner)
        return (
            inner
            if inner.get("type") == "string" and "enum" not in inner
            else {"anyOf": [inner, {"type": "string", "enum": [""]}]}
        )
    if isinstance(node, OneOf):
        return {"anyOf": [_schema(option) for option in node.options]}
    if isinstance(node, Object):
        made: Json = {"type": "object", "properties": {name: _schema(field) for name, field in _taken(node)}}
        made["additionalProperties"] = False
        return {**made, "required": list(node.required)} if node.required else made
    if isinstance(node, Array):
        longest = {"maxItems": node.most} if isinstance(node, ShortArray) else {}
        return {"type": "array", "items": _schema(node.item), **longest}
    if isinstance(node, Map):
        return {"type": "object", "additionalProperties": _schema(node.item)}
    return _scalar(node)


def _taken(record: Object) -> list[tuple[str, Node]]:
    """Return the fields that are not always refused."""
    return [(name, node) for name, node in record.fields.items() if not isinstance(node, Refused)]


def _scalar(node: Node) -> Json:
    if isinstance(node, Choice):
        return {"type": "string", "enum": list(node.words)}
    if isinstance(node, Integer):
        bounds = {"minimum": 0 if node.natural else node.lowest, "maximum": node.highest}
        return {"type": "integer", **{name: bound for name, bound in bounds.items() if bound is not None}}
    if isinstance(node, Text):
        bounds = {"minLength": None if node.blank else 1, "maxLength": node.longest}
        return {"type": "string", **{name: bound for name, bound in bounds.items() if bound is not None}}
    return {}


def _objects(catalogue: Catalogue) -> dict[str, Json]:
    """Return one schema for each type of object: its name and the prefix of its ids."""
    made: dict[str, Json] = {}
    for resource in catalogue.resources:
        id: Json = {"type": "string", **({"pattern": f"^{resource.prefix}_"} if resource.prefix else {})}
        properties: dict[str, Any] = {"id": id, "object": {"type": "string", "enum": [resource.object]}}
        made[resource.object] = {
            "type": "object",
            "properties": properties,
            "required": ["object"],
            "title": resource.title,
        }
    return made


def _failure(path: str) -> Json:
    """Return the response to a refused request: OAuth's endpoints and the v2 API have errors of their own form."""
    form = "oauth_error" if path.startswith("/oauth/") else "v2_error" if is_v2(path) else "error"
    schema: Json = {"$ref": f"#/components/schemas/{form}"}
    if form == "oauth_error":  # a key that is refused is answered before OAuth begins
        schema = {"anyOf": [schema, {"$ref": "#/components/schemas/error"}]}
    return {"description": "What went wrong.", "content": {"application/json": {"schema": schema}}}


def _errors() -> dict[str, Json]:
    """Return the schemas of the errors of v1, of v2 and of OAuth (RFC 6749, section 5.2)."""
    types = ["api_error", "card_error", "idempotency_error", "invalid_request_error"]
    text = {"type": "string"}
    v1 = {"type": {**text, "enum": types}, **dict.fromkeys(("message", "code", "param", "doc_url"), text)}
    v2 = {"type": {**text, "enum": [*types, "temporary_session_expired"]}, "message": text, "code": text}
    return {
        "error": _wrapped({"type": "object", "required": ["type", "message"], "properties": v1}),
        "v2_error": _wrapped({"type": "object", "required": ["message"], "properties": v2}),
        "oauth_error": {
            "type": "object",
            "required": ["error", "error_description"],
            "properties": {"error": text, "error_description": text},
        },
    }


def _wrapped(error: Json) -> Json:
    return {"type": "object", "required": ["error"], "properties": {"error": error}}
