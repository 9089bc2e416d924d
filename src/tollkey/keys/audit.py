"""The audit log of keys: who did what to which key, when and from where. It contains no secrets, only redacted keys.

It is append-only by triggers of the database, and a hash chain (``chain.py``) detects changes that bypass them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tollkey.db import Scope, Tx
from tollkey.keys import chain
from tollkey.keys.actors import Actor
from tollkey.keys.key import Key
from tollkey.keys.keyring import Keyring
from tollkey.keys.store import ORDER

LOG = chain.ChainedLog(
    "keys", "key_audit",
    ("account", "livemode", "at", "action", "key_id", "actor_kind", "actor_id", "ip", "request_id", "was", "became"),
)  # fmt: skip

PLAN_CHANGED = "plan_changed"  # the action of an entry about an account

# The fields of a key that are logged: an allow-list, so that a new field is not logged by accident.
_LOGGED = (
    "kind", "name", "note", "permissions", "connect_permissions", "ip_allowlist", "expires_at", "revoked_at",
    "revealed_at",
    "hidden_at", "is_default", "metadata", "disabled_at",
    "max_uses", "rotate_every", "rotate_at", "redacted", "rolled_from", "replaced_by",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry of the log.

    seq: ascending over all accounts. at: UTC epoch seconds. action: for example ``rolled``. actor: who did it.
    key_id: empty for ``plan_changed``, which is about all keys of the account.
    was, became: the changed fields and their values before and after.
    """

    seq: int
    account: str
    livemode: bool
    at: int
    action: str
    key_id: str
    actor: Actor
    was: dict[str, Any]
    became: dict[str, Any]


def guard(tx: Tx, keyring: Keyring, now: int) -> None:
    """Install the append-only triggers and begin the hash chain. Call it at every start, after ``migrate``.

    now: UTC epoch seconds. Raises StorageError.
    """
    chain.guard(tx, LOG)
    chain.begin(tx, keyring, LOG, now)


def record(tx: Tx, keyring: Keyring, action: str, actor: Actor, now: int, before: Key | None, after: Key) -> None:
    """Write an entry, in the transaction that changes the key.

    action: for example ``rolled``. now: UTC epoch seconds. before: None for a new key. Raises StorageError.
    """
    chain.add(tx, keyring, LOG, _entry(action, actor, now, before, after), now)


def record_new(tx: Tx, keyring: Keyring, action: str, actor: Actor, now: int, keys: Sequence[Key]) -> None:
    """Write an entry for each new key, in the transaction that stores them. See ``record``."""
    chain.add_many(tx, keyring, LOG, [_entry(action, actor, now, None, key) for key in keys], now)


def _entry(action: str, actor: Actor, now: int, before: Key | None, after: Key) -> tuple[object, ...]:
    was, became = _difference(before, after)
    return (
        after.account, int(after.livemode), now, action, after.id, actor.kind, actor.id, actor.ip, actor.request_id,
        json.dumps(was, sort_keys=True), json.dumps(became, sort_keys=True),
    )  # fmt: skip


def record_plan(
    tx: Tx, keyring: Keyring, scope: Scope, actor: Actor, now: int, was: str | None, became: str | None
) -> None:
    """Write an entry about the plan of an account, which limits all of its keys. Its ``key_id`` is empty.

    now: UTC epoch seconds. was, became: names of plans; None for the default one. Raises StorageError.
    """
    values = (
        scope.account, int(scope.livemode), now, PLAN_CHANGED, "", actor.kind, actor.id, actor.ip, actor.request_id,
        json.dumps({"plan": was}), json.dumps({"plan": became}),
    )  # fmt: skip
    chain.add(tx, keyring, LOG, values, now)


def _difference(before: Key | None, after: Key) -> tuple[dict[str, Any], dict[str, Any]]:
    was: dict[str, Any] = {}
    became: dict[str, Any] = {}
    for name in _LOGGED:
        new = _plain(getattr(after, name))
        old = _plain(getattr(before, name)) if before is not None else None
        if before is None:
            if new not in (None, "", [], {}, False):
                became[name] = new
        elif old != new:
            was[name], became[name] = old, new
    return was, became


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def entries(
    tx: Tx, scope: Scope, key_id: str | None = None, limit: int = 100, before: int | None = None
) -> list[AuditEntry]:
    """Return entries of this account and mode, newest first.

    key_id: only of this key. limit: maximum number, 1 to 1000. before: only entries with a smaller ``seq``, for the
    next page.
    """
    where = "account = ? AND livemode = ?"
    values: list[object] = [scope.account, int(scope.livemode)]
    if key_id is not None:
        where += " AND key_id = ?"
        values.append(key_id)
    if before is not None:
        where += f" AND {ORDER} < ?"
        values.append(before)
    values.append(max(1, min(limit, 1000)))
    rows = tx.execute(
        "SELECT seq, account, livemode, at, action, key_id, actor_kind, actor_id, ip, request_id, was, became"
        f" FROM key_audit WHERE {where} ORDER BY {ORDER} DESC LIMIT ?",
        values,
    )
    return [
        AuditEntry(
            r[0],
            r[1],
            bool(r[2]),
            r[3],
            r[4],
            r[5],
            Actor(r[6], r[7], r[8], r[9]),
            json.loads(r[10]),
            json.loads(r[11]),
        )
        for r in rows
    ]
