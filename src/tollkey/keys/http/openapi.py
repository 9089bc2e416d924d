"""The OpenAPI 3.1 document, from the declarations of the endpoints. Source: spec.openapis.org/oas/v3.1.1."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tollkey import __version__
from tollkey.keys.http import schemas
from tollkey.keys.http.answer import Answer, JsonValue, json_answer
from tollkey.keys.http.endpoint import LARGEST_BODY, Call, Endpoint
from tollkey.keys.http.fields import Field, Fields
from tollkey.keys.http.forwarding import PATH
from tollkey.keys.http.verifying import NEEDS

_PARAMETER = re.compile(r"\{(\w+)\}")
_ERRORS = {
    "400": "A parameter is wrong.",
    "401": "No service key, or one that is not valid.",
    "403": "The service key lacks the permission, or would give more than it has.",
    "404": "There is no such object.",
    "409": "The key was changed meanwhile, or the first answer to this Idempotency-Key can no longer be read.",
    "413": f"The body is longer than {LARGEST_BODY} bytes, or what this endpoint takes.",
    "415": "The body has another content type.",
    "429": "Too many invalid service keys came from this address.",
    "503": "It cannot be known at the moment.",
}


def endpoint(offered: Iterable[Endpoint]) -> Endpoint:
    """Return the endpoint that answers the document of these endpoints."""
    answer = json_answer(document(offered))

    async def handle(call: Call) -> Answer:
        """Return this document."""
        return answer

    return Endpoint("GET", "/openapi.json", handle, None, "This description, as an OpenAPI document", "document")


def document(offered: Iterable[Endpoint]) -> dict[str, JsonValue]:
    """Return the document of these endpoints."""
    paths: dict[str, dict[str, JsonValue]] = {PATH: {"get": _FORWARD_AUTH}}
    for each in offered:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tollkey key service", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": schemas.ALL,
            "securitySchemes": {"serviceKey": {"type": "http", "scheme": "bearer"}, "proxyKey": _PROXY_KEY},
        },
    }


def _operation(each: Endpoint) -> dict[str, JsonValue]:
    handler_doc = (each.handle.__doc__ or "").strip()
    operation: dict[str, JsonValue] = {
        "operationId": f"{each.method.lower()}{re.sub(r'[^A-Za-z0-9]+', '_', each.path)}".rstrip("_"),
        "summary": each.summary,
        "parameters": _parameters(each),
        "responses": {"200": _success(each), **_refusals(each)},
        "security": [] if each.needs is None else [{"serviceKey": []}],
    }
    needs = f"The service key needs the permission `{each.needs}`." if each.needs else "It needs no service key."
    operation["description"] = "\n\n".join(part for part in (handler_doc, needs) if part)
    if each.body is not None:
        media = "application/x-www-form-urlencoded" if each.form else "application/json"
        required = any(field.required for field in each.body.values())
        operation["requestBody"] = {"required": required, "content": {media: {"schema": _object(each.body)}}}
    return operation


def _parameters(each: Endpoint) -> list[JsonValue]:
    found: list[JsonValue] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(each.path)
    ]
    for name, field in each.query.items():
        described: dict[str, JsonValue] = {"name": name, "in": "query", "description": field.text}
        found.append({**described, "required": field.required, "schema": _schema(field)})
    if each.takes_idempotency_key:
        text = "The same request with the same value, within 24 hours, gets the answer of the first one."
        value: JsonValue = {"type": "string", "minLength": 1, "maxLength": 255}
        found.append({"name": "Idempotency-Key", "in": "header", "description": text, "schema": value})
    return found


def _success(each: Endpoint) -> JsonValue:
    if each.answer == "changes":
        stream: JsonValue = {"schema": {"type": "string"}}
        poll: JsonValue = {"schema": {"$ref": "#/components/schemas/changes"}}
        return {"description": each.summary, "content": {"text/event-stream": stream, "application/json": poll}}
    known = each.answer in schemas.ALL
    schema: JsonValue = {"$ref": f"#/components/schemas/{each.answer}"} if known else {"type": "object"}
    return {"description": each.summary, "content": {"application/json": {"schema": schema}}}


def _refusals(each: Endpoint) -> dict[str, JsonValue]:
    without = {"404"} if "{" not in each.path and each.path != "/v1/keys/lookup" else set()
    without |= {"409"} if not each.takes_idempotency_key else set()
    without |= {"413", "415"} if each.body is None else set()
    without |= {"401", "403", "429"} if each.needs is None else set()
    error: JsonValue = {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}}
    return {
        status: {"description": text, "content": error} for status, text in _ERRORS.items() if status not in without
    }


def _object(fields: Fields) -> JsonValue:
    properties: Mapping[str, JsonValue] = {name: _schema(field) for name, field in fields.items()}
    required = [name for name, field in fields.items() if field.required]
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": required}


def _schema(field: Field) -> dict[str, JsonValue]:
    text: dict[str, JsonValue] = {"description": field.text}
    match field.kind:
        case "string":
            choices: dict[str, JsonValue] = {"enum": list(field.choices)} if field.choices else {}
            kind: JsonValue = ["string", "null"] if field.nullable else "string"
            return {"type": kind, "maxLength": field.most, **choices, **text}
        case "integer":
            kind = ["integer", "null"] if field.nullable else "integer"
            return {"type": kind, "minimum": field.least, "maximum": field.most, **text}
        case "boolean":
            return {"type": "boolean", **text}
        case "metadata":
            values: JsonValue = {"type": "string", "maxLength": 500}
            return {"type": "object", "maxProperties": field.most, "additionalProperties": values, **text}
        case _:
            items: JsonValue = {"type": "string" if field.kind == "strings" else "object"}
            return {"type": "array", "minItems": field.least, "maxItems": field.most, "items": items, **text}


_PROXY_KEY: JsonValue = {
    "type": "apiKey",
    "in": "header",
    "name": "X-Tollkey-Service",
    "description": f"A service key with the permission `{NEEDS}`, if the server was started with --forward-auth-key.",
}
_FORWARD_AUTH: JsonValue = {
    "operationId": "get_v1_keys_forward_auth",
    "summary": "Answer a proxy about a request of its client",
    "description": "The proxy describes the request in X-Original-Method and X-Original-URI, in X-Forwarded-Method and"
    " X-Forwarded-Uri, or by its own method and what follows this path. `?nginx=1` is for nginx's auth_request: 429 and"
    " 503 become 403, and X-Key-Status says what it is.",
    "security": [{}, {"proxyKey": []}],
    "parameters": [{"name": "nginx", "in": "query", "schema": {"type": "integer", "enum": [1]}}],
    "responses": {
        "200": {"description": "Accepted; X-Key-Id, X-Key-Account, X-Key-Environment and X-Key-Permissions say whose."},
        "401": {"description": "No key, or one that is not valid."},
        "403": {"description": "The key lacks the permission, or no declared route matches."},
        "429": {"description": "A limit is used up; Retry-After says for how long."},
        "503": {"description": "It cannot be known at the moment."},
    },
}
