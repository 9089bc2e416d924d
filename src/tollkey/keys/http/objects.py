"""The key as an object of the HTTP interface, and how a call finds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tollkey.db import Tx
from tollkey.keys import store
from tollkey.keys.authority import Authority
from tollkey.keys.http.answer import JsonValue
from tollkey.keys.http.endpoint import Call, Server
from tollkey.keys.http.errors import invalid, missing
from tollkey.keys.key import SERVICE_ACCOUNT, Key

STATUSES = ("active", "disabled", "expired", "revoked")


def authority_of(server: Server, account: str) -> Authority:
    """Return the authority for the keys of an account: service keys have a catalogue of their own."""
    return server.callers.keys.authority if account == SERVICE_ACCOUNT else server.keys.authority


def granter_of(call: Call, tx: Tx, account: str) -> Key | None:
    """Return the key whose access bounds what may be given: the caller, if it is about another service key.

    Raises ApiError 401, 403.
    """
    return call.current_caller(tx) if account == SERVICE_ACCOUNT else None


def found(call: Call, tx: Tx) -> Key:
    """Return the key whose id is in the path. Raises ApiError 404."""
    return by_id(call.server, tx, call.path["id"], None)


def by_id(server: Server, tx: Tx, id: str, param: str | None) -> Key:
    """Return the key with this id. Raises ApiError 404."""
    key = server.keys.authority.find(tx, id) if id.startswith("mk_") else None
    if key is not None and key.account == SERVICE_ACCOUNT:
        key = server.callers.keys.authority.get(tx, key.scope, id)
    if key is None:
        raise missing("api_key", id, param)
    return key


def status_of(key: Key, now: int) -> str:
    """Return one of ``STATUSES``. now: UTC epoch seconds."""
    if key.revoked_at is not None:
        return "revoked"
    if key.ended(now):
        return "expired"
    return "disabled" if key.disabled_at is not None else "active"


def livemode_of(server: Server, environment: str | None) -> bool:
    """Return the mode of the keys of an environment; None is the live one. Raises ApiError for an unknown one."""
    if environment is None:
        return True
    try:
        return server.keys.config.livemode_of(environment)
    except ValueError as problem:
        raise invalid(f"Invalid environment: {problem}.", "environment") from None


def shown(
    server: Server, key: Key, secret: str | None = None, used: Mapping[str, store.Usage] | None = None
) -> dict[str, JsonValue]:
    """Return the object. secret: its text, where it is shown. used: usage by key id, where it was read."""
    usage = None if used is None else used.get(key.id)
    last = None if usage is None else {"at": usage.last_used_at, "ip": usage.ip, "endpoint": usage.endpoint}
    return {
        "id": key.id,
        "object": "api_key",
        "account": key.account,
        "environment": server.keys.config.environment(key.livemode),
        "livemode": key.livemode,
        "kind": key.kind,
        "name": key.name,
        "note": key.note,
        "permissions": sorted(key.permissions),
        "effective_permissions": sorted(key.effective),
        "metadata": dict(key.metadata),
        "ip_allowlist": list(key.ip_allowlist),
        "status": status_of(key, server.now),
        "created": key.created,
        "created_by": key.created_by,
        "expires_at": key.expires_at,
        "max_uses": key.max_uses,
        "uses_left": key.uses_left,
        "rotate_every": key.rotate_every,
        "rotate_at": key.rotate_at,
        "revoked_at": key.revoked_at,
        "disabled_at": key.disabled_at,
        "last_used": last,
        "redacted": key.redacted,
        "secret": secret if secret is not None else key.token,
        "revealable": key.revealable,
        "rolled_from": key.rolled_from,
        "replaced_by": key.replaced_by,
        "version": key.version,
    }


def usages(tx: Tx, keys: Sequence[Key]) -> dict[str, store.Usage]:
    """Return the usage of keys of any accounts by key id; unused ones are left out."""
    if not keys:
        return {}
    marks = ", ".join("?" * len(keys))
    rows = tx.execute(
        f"SELECT key_id, last_used_at, ip, endpoint, uses FROM key_usage WHERE key_id IN ({marks})",
        [key.id for key in keys],
    )
    return {row[0]: store.Usage(*row) for row in rows}
