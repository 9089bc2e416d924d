"""What an application's OpenAPI document says of the responses to requests without the right key."""

from __future__ import annotations

from typing import Any

#: The end of the scheme's name where the key is optional; it does not stay in the document.
OPTIONAL = "Optional"
_ERROR = "ApiKeyError"
_SCHEMA = {
    "type": "object",
    "title": "A request that was refused",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        }
    },
}
_RESPONSES = {
    "401": ("There is no API key, or it is not valid.", {"WWW-Authenticate": ("string", "The challenge of RFC 6750.")}),
    "403": (
        "The API key lacks the permission.",
        {"WWW-Authenticate": ("string", "The challenge of RFC 6750, with the missing permission as scope.")},
    ),
    "429": ("Too many requests with this API key.", {"Retry-After": ("integer", "Seconds to wait.")}),
    "503": ("API keys cannot be checked at the moment.", {"Retry-After": ("integer", "Seconds to wait.")}),
}


def documented(document: dict[str, Any], scheme: str) -> dict[str, Any]:
    """Return an OpenAPI document with the responses of refused requests at each operation that takes a key.

    document: changed in place. scheme: the name of the security scheme. What an operation itself says of a status
    stays. May be called again with its own result.
    """
    optional = scheme + OPTIONAL
    operations = [
        operation
        for path in document.get("paths", {}).values()
        for operation in path.values()
        if isinstance(operation, dict)
        and any(scheme in each or optional in each for each in operation.get("security", ()))
    ]
    for operation in operations:
        operation["security"] = _plain(operation["security"], scheme)
        for status, (description, headers) in _RESPONSES.items():
            operation.setdefault("responses", {}).setdefault(status, _response(description, headers))
    if operations:
        components = document.setdefault("components", {})
        components.setdefault("schemas", {}).setdefault(_ERROR, _SCHEMA)
        schemes = components.setdefault("securitySchemes", {})
        if optional in schemes:
            schemes.setdefault(scheme, schemes.pop(optional))
            schemes.pop(optional, None)
    return document


def _plain(security: list[dict[str, list[str]]], scheme: str) -> list[dict[str, list[str]]]:
    """Return the requirement of an operation; ``{}`` stands beside an optional key (OpenAPI 3.1 section 4.8.30)."""
    plain: list[dict[str, list[str]]] = []
    for each in security:
        if scheme + OPTIONAL in each and not any(scheme in other for other in security):
            plain += [{}, {scheme: each[scheme + OPTIONAL]}]
        elif scheme + OPTIONAL not in each:
            plain.append(each)
    return plain


def _response(description: str, headers: dict[str, tuple[str, str]]) -> dict[str, Any]:
    return {
        "description": description,
        "headers": {name: {"schema": {"type": kind}, "description": text} for name, (kind, text) in headers.items()},
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{_ERROR}"}}},
    }
