"""No value shows a secret that it holds when it is printed: in a log, a traceback, an error tracker."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

import tollkey

MARK = "a1B2c3D4"
#: Names of fields that hold a secret, or what a caller has sent or gets.
SECRET = frozenset(
    {
        "secret", "secrets", "token", "password", "raw", "text", "body", "kept", "headers", "query", "given",
        "digest_keys", "sealing_keys", "private", "link",
    }
)  # fmt: skip
#: Fields of such a name that may be shown, and why.
HARMLESS = {
    "tollkey.keys.config.file._Prefix.secret": "a prefix",
    "tollkey.keys.token.Brand.secret": "a prefix",
    "tollkey.keys.scanning.finding.Words.secret": "prefixes",
    "tollkey.keys.key.Key.token": "of a publishable key, which is public",
    "tollkey.keys.tokens.methods.IssuedToken.token": "what the token says; its text is another field",
    "tollkey.keys.fingerprints.KeyringSource.given": "a keyring, which hides its keys itself",
    "tollkey.keys.guard.Plan.text": "how the text is found in a request",
    "tollkey.keys.http.fields.Field.text": "a description",
    "tollkey.keys.http.endpoint.Endpoint.body": "declared fields",
    "tollkey.keys.http.endpoint.Endpoint.query": "declared fields",
    "tollkey.keys.refusal.Refusal.body": "a fixed text",
    "tollkey.keys.refusal.Refusal.headers": "fixed, without keys",
    "tollkey.keys.notices.store.Waiting.body": "names a key by its id and last characters",
}
#: Rooms whose values a caller's secrets reach; in the others an object of the API is no secret of its own.
ROOMS = ("tollkey.keys.", "tollkey.wire.messages", "tollkey.wire.idempotency", "tollkey.wire.call", "tollkey.settings")
FRAMEWORKS = "tollkey.keys.adapters."  # each needs its framework set up, and holds no values


def _classes() -> Iterator[tuple[str, Any, tuple[str, ...]]]:
    """Every dataclass and named tuple of these rooms, with its fields."""
    for found in pkgutil.walk_packages(tollkey.__path__, "tollkey."):
        if not found.name.startswith(ROOMS) or found.name.startswith(FRAMEWORKS):
            continue
        for name, kind in list(vars(importlib.import_module(found.name)).items()):
            if type(kind) is not type or kind.__module__ != found.name:
                continue
            if dataclasses.is_dataclass(kind):
                yield f"{found.name}.{name}", kind, tuple(field.name for field in dataclasses.fields(kind))
            elif issubclass(kind, tuple) and hasattr(kind, "_fields"):
                yield f"{found.name}.{name}", kind, kind._fields


CLASSES = {name: (kind, fields) for name, kind, fields in _classes()}


def _filled(kind: Any, fields: tuple[str, ...], marked: str) -> Any:
    """A value of the class with the mark in one field and nothing in the others."""
    values = {name: MARK if name == marked else None for name in fields}
    if issubclass(kind, tuple):
        return tuple.__new__(kind, values.values())
    made = object.__new__(kind)
    for name, value in values.items():
        with suppress(AttributeError):
            object.__setattr__(made, name, value)
    return made


@pytest.mark.parametrize("name", [name for name, (_, fields) in CLASSES.items() if SECRET & set(fields)])
def test_no_value_shows_a_secret_when_it_is_printed(name: str) -> None:
    kind, fields = CLASSES[name]
    shown = [
        field
        for field in fields
        if field in SECRET and f"{name}.{field}" not in HARMLESS and MARK in repr(_filled(kind, fields, field))
    ]
    assert shown == []


def test_no_exemption_is_left_over() -> None:
    known = {f"{name}.{field}" for name, (_, fields) in CLASSES.items() for field in fields}
    assert HARMLESS.keys() <= known


def test_what_is_printed_instead_still_says_what_it_is() -> None:
    kind, fields = CLASSES["tollkey.keys.changing.Made"]
    assert repr(_filled(kind, fields, "key")) == f"Made(key='{MARK}')"
