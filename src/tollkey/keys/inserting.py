"""Stores new keys."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from tollkey.db import Tx
from tollkey.keys.key import Key
from tollkey.keys.store import metadata_as_text, names_as_text


class NewRow(NamedTuple):
    """A new key to store. digest: of its text. digest_key: name of the digest key. sealed: its sealed copy, if any."""

    key: Key
    digest: bytes
    digest_key: str
    sealed: bytes | None


def insert(tx: Tx, rows: Sequence[NewRow]) -> None:
    """Store new keys.

    Raises Duplicate if an id or digest exists, or a second default key of a kind would; StorageError.
    """
    every = [_values(*row) for row in rows]
    tx.execute_many(
        "INSERT INTO api_keys (id, account, livemode, kind, name, note, permissions, connect_permissions, ip_allowlist,"
        " created, created_by, expires_at, own_expires_at, revoked_at, redacted, masked, token, hides_after_reveal,"
        " revealed_at, hidden_at, is_default, imported, version, rolled_from, replaced_by, digest, digest_key, sealed,"
        " metadata, disabled_at, max_uses, uses_left, rotate_every, rotate_at)"
        f" VALUES ({', '.join('?' * len(every[0]))})",
        every,
    )


def has_digest(tx: Tx, digests: Sequence[bytes]) -> bool:
    """Return whether a key of any account and mode is stored with one of these digests. Raises StorageError."""
    marks = ", ".join("?" * len(digests))
    return bool(tx.execute(f"SELECT 1 FROM api_keys WHERE digest IN ({marks}) LIMIT 1", tuple(digests)))


def _values(key: Key, digest: bytes, digest_key: str, sealed: bytes | None) -> tuple[object, ...]:
    return (
        key.id, key.account, int(key.livemode), key.kind, key.name, key.note, names_as_text(key.permissions),
        names_as_text(key.connect_permissions), json.dumps(list(key.ip_allowlist)), key.created, key.created_by,
        key.expires_at, key.own_expires_at, key.revoked_at, key.redacted, key.masked, key.token,
        int(key.hides_after_reveal),
        key.revealed_at, key.hidden_at, int(key.is_default), int(key.imported), key.version, key.rolled_from,
        key.replaced_by, digest, digest_key, sealed, metadata_as_text(key), key.disabled_at,
        key.max_uses, key.uses_left, key.rotate_every, key.rotate_at,
    )  # fmt: skip
