"""The compact form in which the verifier keeps most of its keys in memory: about 200 bytes instead of 2,000.

What follows from the text of a key, which the caller presents, and from the catalogue is not stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

from tollkey.keys.key import NO_METADATA, Key
from tollkey.keys.permissions import PermissionCatalogue
from tollkey.keys.token import mask_known, redact

_ALWAYS = ("id", "account", "livemode", "kind", "name", "note", "created", "created_by", "version")
_MASKS = ("redacted", "masked")  # stored where they do not follow from the text, for keys of other systems
_DERIVED = ("effective", "effective_connect", "token")
_SETS = ("permissions", "connect_permissions")
_OFTEN_EMPTY = tuple(field.name for field in fields(Key) if field.name not in (*_ALWAYS, *_DERIVED))
_EMPTY: Mapping[str, Any] = {
    name: NO_METADATA
    if name == "metadata"
    else frozenset()
    if name in _SETS
    else ()
    if name == "ip_allowlist"
    else False
    if name in ("revealable", "hides_after_reveal", "is_default", "imported")
    else None
    for name in _OFTEN_EMPTY
}


def pack(key: Key, text: str) -> bytes:
    """Return a key in compact form, without its text. text: its text."""
    derived = _masks(text)
    packed: list[Any] = [getattr(key, name) for name in _ALWAYS]
    for number, name in enumerate(_OFTEN_EMPTY):
        value = getattr(key, name)
        if name in _MASKS and value in derived:
            continue
        if value or (value == 0 and value is not False):
            packed += (number, _plain(value))
    return json.dumps(packed, separators=(",", ":"), ensure_ascii=False).encode()


def _masks(text: str) -> tuple[str, str]:
    """Return what ``redacted`` and ``masked`` are for a text; nothing for one that has no prefix."""
    return (redact(text), mask_known(text)) if text.count("_") > 1 else ("", "")


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    return dict(value) if isinstance(value, Mapping) else value


def unpack(packed: bytes, text: str, catalogue: PermissionCatalogue) -> Key:
    """Return the key of a compact form. text: its text, as presented. catalogue: expands its permissions."""
    read = json.loads(packed)
    values = dict(_EMPTY)
    rest = read[len(_ALWAYS) :]
    for number, value in zip(rest[::2], rest[1::2], strict=True):
        name = _OFTEN_EMPTY[number]
        if name in _SETS:
            value = frozenset(value)
        elif name == "metadata":
            value = MappingProxyType(value)
        elif name == "ip_allowlist":
            value = tuple(value)
        values[name] = value
    always = dict(zip(_ALWAYS, read, strict=False))
    for name, mask in zip(_MASKS, _masks(text), strict=True):
        if values[name] is None:
            values[name] = mask
    return Key(
        **always,
        **values,
        effective=catalogue.expand(values["permissions"]),
        effective_connect=catalogue.expand(values["connect_permissions"]),
        token=text if always["kind"] == "publishable" else None,
    )
