"""Where an upstream account sends its events, and which of them have arrived: tables and SQL.

With this option the webhook endpoints of an account are those of this server: what the upstream account sends here is
signed anew with their secrets and delivered to each. An event counts once, however it arrives.
"""

from __future__ import annotations

import json
import re
from typing import Final, NamedTuple

from tollkey.db import Ids, Migration, Scope, Tx
from tollkey.keys.keyring import Keyring
from tollkey.keys.sealed import SealedColumn
from tollkey.keys.sealing import seal, unseal
from tollkey.upstream.store import CHANNEL

MIGRATION = Migration(
    "upstream_hooks",
    (
        "CREATE TABLE upstream_hooks (seq {key}, account TEXT NOT NULL, livemode {bool} NOT NULL, token TEXT NOT NULL,"
        " sealed {blob} NOT NULL, made_at {int} NOT NULL, newest TEXT, heard_at {int})",
        "CREATE UNIQUE INDEX upstream_hooks_scope ON upstream_hooks (account, livemode)",
        "CREATE UNIQUE INDEX upstream_hooks_token ON upstream_hooks (token)",
        "CREATE TABLE upstream_events (account TEXT NOT NULL, livemode {bool} NOT NULL, id TEXT NOT NULL,"
        " at {int} NOT NULL, PRIMARY KEY (account, livemode, id))",
        "CREATE INDEX upstream_events_at ON upstream_events (at)",
    ),
)
TOKEN: Final = re.compile(r"[0-9A-Za-z]{40}")
MOST_SECRETS = 3  # while the upstream account rolls its secret, there are two


def _context(account: str, livemode: bool | int) -> str:
    return f"upstream-hook/{account}/{'live' if livemode else 'test'}"


SEALED = (SealedColumn("upstream_hooks", "sealed", "seq", ("account", "livemode"), _context),)


class Hook(NamedTuple):
    """Where an upstream account sends its events.

    token: the last part of the path. secrets: signing secrets, newest first. newest: the last event that was asked for.
    heard_at: when an event last arrived, UTC epoch seconds.
    """

    scope: Scope
    token: str
    secrets: tuple[str, ...]
    newest: str | None
    heard_at: int | None

    def __repr__(self) -> str:
        return f"Hook(scope={self.scope!r}, secrets={len(self.secrets)})"


_CONNECTED = (
    "EXISTS (SELECT 1 FROM upstreams AS u WHERE u.account = upstream_hooks.account"
    " AND u.livemode = upstream_hooks.livemode)"
)


def _hooks(tx: Tx, keyring: Keyring, where: str, values: tuple[object, ...]) -> list[Hook]:
    rows = tx.execute(
        f"SELECT account, livemode, token, sealed, newest, heard_at FROM upstream_hooks{where} ORDER BY seq", values
    )
    return [
        Hook(
            Scope(account, bool(livemode)), token,
            tuple(json.loads(unseal(bytes(sealed), _context(account, livemode), keyring))), newest, heard_at,
        )
        for account, livemode, token, sealed, newest, heard_at in rows
    ]  # fmt: skip


def every(tx: Tx, keyring: Keyring) -> list[Hook]:
    """Return every hook of an account with an upstream account. Raises StorageError, SealBroken."""
    return _hooks(tx, keyring, f" WHERE {_CONNECTED}", ())


def of_token(tx: Tx, keyring: Keyring, token: str) -> Hook | None:
    """Return the hook with a token, None if there is none, or its account has no upstream account.

    Raises StorageError, SealBroken.
    """
    return next(iter(_hooks(tx, keyring, f" WHERE token = ? AND {_CONNECTED}", (token,))), None)


def of_scope(tx: Tx, keyring: Keyring, scope: Scope) -> Hook | None:
    """Return the hook of an account, or None. Raises StorageError, SealBroken."""
    return next(
        iter(_hooks(tx, keyring, " WHERE account = ? AND livemode = ?", (scope.account, int(scope.livemode)))), None
    )


def make(tx: Tx, keyring: Keyring, ids: Ids, scope: Scope, now: int) -> Hook:
    """Return the hook of an account, made if there is none, and announce it. now: UTC epoch seconds."""
    found = of_scope(tx, keyring, scope)
    if found is not None:
        return found
    sealed = seal("[]", _context(scope.account, scope.livemode), keyring)
    tx.execute(
        "INSERT INTO upstream_hooks (account, livemode, token, sealed, made_at) VALUES (?, ?, ?, ?, ?)",
        (scope.account, int(scope.livemode), ids.text(40), sealed, now),
    )
    tx.notify(CHANNEL, scope.account)
    made = of_scope(tx, keyring, scope)
    assert made is not None
    return made


def add_secret(tx: Tx, keyring: Keyring, hook: Hook, secret: str) -> Hook:
    """Take a signing secret too; the oldest of more than three is dropped. Returns the hook as it is now."""
    secrets = (secret, *(each for each in hook.secrets if each != secret))[:MOST_SECRETS]
    scope = hook.scope
    tx.execute(
        "UPDATE upstream_hooks SET sealed = ? WHERE account = ? AND livemode = ?",
        (
            seal(json.dumps(secrets), _context(scope.account, scope.livemode), keyring),
            scope.account,
            int(scope.livemode),
        ),
    )
    return hook._replace(secrets=secrets)


def delete(tx: Tx, scope: Scope) -> bool:
    """Delete the hook of an account, and announce it. Returns whether there was one."""
    gone = tx.execute(
        "DELETE FROM upstream_hooks WHERE account = ? AND livemode = ? RETURNING 1",
        (scope.account, int(scope.livemode)),
    )
    tx.notify(CHANNEL, scope.account)
    return bool(gone)


def is_new(tx: Tx, scope: Scope, id: str, now: int) -> bool:
    """Record that an event has arrived, and return whether it is the first time. now: UTC epoch seconds."""
    tx.execute(
        "UPDATE upstream_hooks SET heard_at = ? WHERE account = ? AND livemode = ?",
        (now, scope.account, int(scope.livemode)),
    )
    return bool(
        tx.execute(
            "INSERT INTO upstream_events (account, livemode, id, at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING RETURNING 1",
            (scope.account, int(scope.livemode), id, now),
        )
    )


def asked_until(tx: Tx, scope: Scope, id: str | None) -> None:
    """Record the last event that was asked for; None to begin with the newest."""
    tx.execute(
        "UPDATE upstream_hooks SET newest = ? WHERE account = ? AND livemode = ?",
        (id, scope.account, int(scope.livemode)),
    )


def delete_events(tx: Tx, before: int) -> None:
    """Forget which events arrived before a time, UTC epoch seconds."""
    tx.execute("DELETE FROM upstream_events WHERE at < ?", (before,))
