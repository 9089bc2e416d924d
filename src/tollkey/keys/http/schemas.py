"""The JSON Schemas of answers, by the names that endpoints give (``Endpoint.answer``)."""

from __future__ import annotations

from collections.abc import Mapping

from tollkey.keys.http.answer import JsonValue
from tollkey.keys.http.objects import STATUSES
from tollkey.keys.token import KINDS

_TEXT: JsonValue = {"type": "string"}
_MAYBE_TEXT: JsonValue = {"type": ["string", "null"]}
_TIME: JsonValue = {"type": "integer", "description": "UTC epoch seconds."}
_MAYBE_NUMBER: JsonValue = {"type": ["integer", "null"]}
_MAYBE_TIME: JsonValue = {"type": ["integer", "null"], "description": "UTC epoch seconds."}
_FLAG: JsonValue = {"type": "boolean"}
_TEXTS: JsonValue = {"type": "array", "items": _TEXT}
_METADATA: JsonValue = {"type": "object", "additionalProperties": _TEXT}
_KIND: JsonValue = {"type": "string", "enum": list(KINDS)}


def _object(fields: Mapping[str, JsonValue], optional: tuple[str, ...] = ()) -> JsonValue:
    required = [name for name in fields if name not in optional]
    return {"type": "object", "properties": fields, "required": required}


def _maybe(schema: JsonValue) -> JsonValue:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(items: JsonValue) -> JsonValue:
    fields: dict[str, JsonValue] = {
        "object": {"const": "list"},
        "data": {"type": "array", "items": items},
        "has_more": _FLAG,
        "url": _TEXT,
    }
    return _object(fields)


_KEY: dict[str, JsonValue] = {
    "id": _TEXT,
    "object": {"const": "api_key"},
    "account": _TEXT,
    "environment": _TEXT,
    "livemode": _FLAG,
    "kind": _KIND,
    "name": _TEXT,
    "note": _TEXT,
    "permissions": _TEXTS,
    "effective_permissions": _TEXTS,
    "metadata": _METADATA,
    "ip_allowlist": _TEXTS,
    "status": {"type": "string", "enum": list(STATUSES)},
    "created": _TIME,
    "created_by": _TEXT,
    "expires_at": _MAYBE_TIME,
    "max_uses": _MAYBE_NUMBER,
    "uses_left": _MAYBE_NUMBER,
    "rotate_every": _MAYBE_NUMBER,
    "rotate_at": _MAYBE_TIME,
    "revoked_at": _MAYBE_TIME,
    "disabled_at": _MAYBE_TIME,
    "last_used": _maybe(_object({"at": _TIME, "ip": _MAYBE_TEXT, "endpoint": _MAYBE_TEXT})),
    "redacted": _TEXT,
    "secret": {"type": ["string", "null"], "description": "The text, where it is shown; always that of a public key."},
    "revealable": _FLAG,
    "rolled_from": _MAYBE_TEXT,
    "replaced_by": _MAYBE_TEXT,
    "version": {"type": "integer"},
}
_VERIFIED: dict[str, JsonValue] = {
    "id": _TEXT,
    "account": _TEXT,
    "environment": _TEXT,
    "livemode": _FLAG,
    "kind": _KIND,
    "name": _TEXT,
    "permissions": _TEXTS,
    "metadata": _METADATA,
    "created": _TIME,
    "expires_at": _MAYBE_TIME,
}
_LIMIT: dict[str, JsonValue] = {
    "policy": _TEXT,
    "limit": {"type": "integer"},
    "remaining": {"type": "integer"},
    "reset": {"type": "number", "description": "Seconds until all of it is there again."},
    "window": {"type": ["integer", "null"], "description": "Seconds."},
}
_VERIFICATION: dict[str, JsonValue] = {
    "valid": _FLAG,
    "code": {"type": "string", "description": "`valid`, or why it is refused."},
    "permission": {"type": ["string", "null"], "description": "The permission that the key lacks."},
    "key": _maybe(_object(_VERIFIED)),
    "ratelimit": _maybe(_object(_LIMIT)),
    "retry_after": {"type": ["number", "null"], "description": "Seconds."},
    "ttl": {"type": "integer", "description": "Seconds that a cache may keep this while it hears of every change."},
    "version": {"type": ["integer", "null"]},
}
_ERROR = {"type": _TEXT, "code": _TEXT, "message": _TEXT, "param": _TEXT}
_CHANGE = _object({"id": _TEXT, "version": {"type": "integer"}})
_AT: JsonValue = {
    "type": ["number", "null"],
    "description": "Everything before this time is told; seconds of the server's own monotonic clock.",
}
_INTROSPECTED: dict[str, JsonValue] = {
    "active": _FLAG,
    "sub": _TEXT,
    "client_id": _TEXT,
    "scope": _TEXT,
    "token_type": _TEXT,
    "iat": _TIME,
    "exp": _TIME,
}

ALL: dict[str, JsonValue] = {
    "error": _object({"error": _object(_ERROR, ("param",))}),
    "api_key": _object(_KEY),
    "rolled_api_key": _object({**_KEY, "rolled": {"$ref": "#/components/schemas/api_key"}}),
    "api_key_list": _list({"$ref": "#/components/schemas/api_key"}),
    "account": _object({"id": _TEXT, "object": {"const": "account"}, "environment": _TEXT, "plan": _MAYBE_TEXT}),
    "account_list": _list(_object({"id": _TEXT, "object": {"const": "account"}})),
    "verification": {
        "oneOf": [
            _object(_VERIFICATION),
            _object({"object": {"const": "list"}, "data": {"type": "array", "items": _object(_VERIFICATION)}}),
        ]
    },
    "introspection": _object(_INTROSPECTED, tuple(name for name in _INTROSPECTED if name != "active")),
    "changes": _object({"reset": _FLAG, "changes": {"type": "array", "items": _CHANGE}, "position": _TEXT, "at": _AT}),
    "status": _object({"status": _TEXT}),
    "use_report": _object({"object": {"const": "use_report"}, "counted": {"type": "integer"}}),
}
