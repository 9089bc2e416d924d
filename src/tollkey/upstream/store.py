"""The upstream accounts that calls are passed on to, and the calls that were: tables and SQL.

An account of this server has at most one upstream account a mode. Its key is sealed with the keyring, and never shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tollkey.db import Migration, Scope, Tx
from tollkey.keys.keyring import Keyring
from tollkey.keys.sealed import SealedColumn
from tollkey.keys.sealing import seal, unseal

MIGRATION = Migration(
    "upstream",
    (
        "CREATE TABLE upstreams (seq {key}, account TEXT NOT NULL, livemode {bool} NOT NULL, api TEXT NOT NULL,"
        " files TEXT NOT NULL, connect TEXT NOT NULL, upstream_account TEXT, sealed {blob} NOT NULL,"
        " shown TEXT NOT NULL, connected_at {int} NOT NULL, keyed_at {int} NOT NULL, succeeded_at {int},"
        " refused_at {int})",
        "CREATE UNIQUE INDEX upstreams_scope ON upstreams (account, livemode)",
        "CREATE TABLE upstream_calls (seq {key}, account TEXT NOT NULL, livemode {bool} NOT NULL, id TEXT NOT NULL,"
        " key_id TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, amount {int}, currency TEXT,"
        " state TEXT NOT NULL, status INTEGER, upstream_request TEXT, at {int} NOT NULL)",
        "CREATE INDEX upstream_calls_at ON upstream_calls (account, livemode, at, seq)",
        "CREATE INDEX upstream_calls_id ON upstream_calls (account, livemode, id)",
        "CREATE INDEX upstream_calls_open ON upstream_calls (state, at) WHERE state = 'sent'",
        "CREATE INDEX upstream_calls_unknown ON upstream_calls (account, livemode, at, seq) WHERE state = 'unknown'",
    ),
)
CHANNEL = "upstreams"


def _context(account: str, livemode: bool | int) -> str:
    return f"upstream/{account}/{'live' if livemode else 'test'}"


SEALED = (SealedColumn("upstreams", "sealed", "seq", ("account", "livemode"), _context),)


class Hosts(NamedTuple):
    """The hosts of an API: scheme, host and port each."""

    api: str
    files: str
    connect: str


@dataclass(frozen=True, slots=True)
class Upstream:
    """An upstream account, as calls need it; ``states`` has the rest.

    id: of the account there, None if its key may not read it. key: its secret key. shown: its mask.
    hooked: whether its events arrive here, so that webhook endpoints are local.
    """

    scope: Scope
    hosts: Hosts
    id: str | None
    key: str = field(repr=False)
    shown: str
    hooked: bool


def hosts_of(url: str) -> Hosts:
    """Return the hosts that belong to the URL of an API.

    url: ``https://api.stripe.com``, or that of a server which answers all paths itself; https, unless it is on this
    machine. Raises ValueError for another URL.
    """
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ValueError("the URL contains a user name")
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.path.strip("/")
        or parts.query
        or parts.fragment
    ):
        raise ValueError("the URL must have the form https://host, without a path")
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError("the URL must begin with https://, unless it is on this machine")
    base = f"{parts.scheme}://{parts.netloc}"
    if parts.hostname == "api.stripe.com":
        return Hosts(base, "https://files.stripe.com", "https://connect.stripe.com")
    return Hosts(base, base, base)


_UPSTREAMS = (
    "SELECT account, livemode, api, files, connect, upstream_account, sealed, shown, EXISTS (SELECT 1 FROM"
    " upstream_hooks AS h WHERE h.account = upstreams.account AND h.livemode = upstreams.livemode) FROM upstreams"
)


def all_upstreams(tx: Tx, keyring: Keyring) -> list[Upstream]:
    """Return every upstream account. Raises StorageError, SealBroken."""
    return [_unsealed(row, keyring) for row in tx.execute(_UPSTREAMS)]


def find(tx: Tx, keyring: Keyring, scope: Scope) -> Upstream | None:
    """Return the upstream account of an account, or None. Raises StorageError, SealBroken."""
    rows = tx.execute(f"{_UPSTREAMS} WHERE account = ? AND livemode = ?", (scope.account, int(scope.livemode)))
    return _unsealed(rows[0], keyring) if rows else None


def _unsealed(row: Sequence[Any], keyring: Keyring) -> Upstream:
    account, livemode, api, files, connect, id, sealed, shown, hooked = row
    key, scope = unseal(bytes(sealed), _context(account, livemode), keyring), Scope(account, bool(livemode))
    return Upstream(scope, Hosts(api, files, connect), id, key, shown, bool(hooked))


def connect(
    tx: Tx, keyring: Keyring, scope: Scope, hosts: Hosts, id: str | None, key: str, shown: str, now: int
) -> None:
    """Store an upstream account, or another key of it, and announce it. now: UTC epoch seconds."""
    sealed = seal(key, _context(scope.account, scope.livemode), keyring)
    tx.execute(
        "INSERT INTO upstreams (account, livemode, api, files, connect, upstream_account, sealed, shown, connected_at,"
        " keyed_at, succeeded_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (account, livemode) DO UPDATE SET api = excluded.api, files = excluded.files, connect ="
        " excluded.connect, upstream_account = excluded.upstream_account, sealed = excluded.sealed, shown ="
        " excluded.shown, keyed_at = excluded.keyed_at, succeeded_at = excluded.succeeded_at, refused_at = NULL",
        (scope.account, int(scope.livemode), *hosts, id, sealed, shown, now, now, now),
    )
    tx.notify(CHANNEL, scope.account)


def disconnect(tx: Tx, scope: Scope) -> bool:
    """Delete the upstream account of an account, and announce it. Returns whether there was one."""
    gone = tx.execute(
        "DELETE FROM upstreams WHERE account = ? AND livemode = ? RETURNING 1", (scope.account, int(scope.livemode))
    )
    tx.notify(CHANNEL, scope.account)
    return bool(gone)


def note_use(tx: Tx, scope: Scope, now: int, *, taken: bool) -> None:
    """Record when the key of an upstream account was last taken or refused. now: UTC epoch seconds."""
    column = "succeeded_at" if taken else "refused_at"
    tx.execute(
        f"UPDATE upstreams SET {column} = ? WHERE account = ? AND livemode = ?",
        (now, scope.account, int(scope.livemode)),
    )


class Passed(NamedTuple):
    """A call that was passed on.

    id: of the request here. state: ``sent`` while there is no answer, ``answered``, ``not_sent``, or ``unknown`` when
    none came. status, upstream_request: of the answer. amount: in minor units. at: UTC epoch seconds.
    """

    id: str
    key_id: str
    method: str
    path: str
    amount: int | None
    currency: str | None
    state: str
    status: int | None
    upstream_request: str | None
    at: int


_CALL = ", ".join(Passed._fields)


def add_calls(tx: Tx, calls: list[tuple[Scope, Passed]]) -> None:
    """Record calls."""
    tx.execute_many(
        f"INSERT INTO upstream_calls (account, livemode, {_CALL}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(scope.account, int(scope.livemode), *call) for scope, call in calls],
    )


def end_call(tx: Tx, scope: Scope, id: str, state: str, status: int | None, upstream_request: str | None) -> None:
    """Record what became of a call."""
    tx.execute(
        "UPDATE upstream_calls SET state = ?, status = ?, upstream_request = ?"
        " WHERE account = ? AND livemode = ? AND id = ?",
        (state, status, upstream_request, scope.account, int(scope.livemode), id),
    )


def give_up(tx: Tx, before: int) -> None:
    """Record as ``unknown`` what was sent before a time (UTC epoch seconds) and has no answer, as its process ended."""
    tx.execute("UPDATE upstream_calls SET state = 'unknown' WHERE state = 'sent' AND at < ?", (before,))


def calls(
    tx: Tx, scope: Scope, *, limit: int = 50, state: str | None = None, after: str | None = None
) -> list[Passed]:  # fmt: skip
    """Return calls, newest first.

    state: only those in that state; None for all. after: only calls older than the one with that id.
    """
    where, values = "account = ? AND livemode = ?", [scope.account, int(scope.livemode)]
    if state == "unknown":  # written out: the index of calls of unknown outcome has only these
        where = f"{where} AND state = 'unknown'"
    elif state is not None:
        where, values = f"{where} AND state = ?", [*values, state]
    if after is not None:
        where = (
            f"{where} AND (at, seq) < (SELECT at, seq FROM upstream_calls WHERE account = ? AND livemode = ?"
            " AND id = ? LIMIT 1)"
        )
        values = [*values, scope.account, int(scope.livemode), after]
    rows = tx.execute(
        f"SELECT {_CALL} FROM upstream_calls WHERE {where} ORDER BY at DESC, seq DESC LIMIT ?", (*values, limit)
    )
    return [Passed(*row) for row in rows]


def call(tx: Tx, scope: Scope, id: str) -> Passed | None:
    """Return the call of a request here, or None."""
    rows = tx.execute(
        f"SELECT {_CALL} FROM upstream_calls WHERE account = ? AND livemode = ? AND id = ?",
        (scope.account, int(scope.livemode), id),
    )
    return Passed(*rows[0]) if rows else None


def delete_calls(tx: Tx, before: int, most: int = 2_000) -> bool:
    """Delete up to ``most`` calls older than ``before`` (UTC epoch seconds). Returns whether there may be more."""
    gone = tx.execute(
        "DELETE FROM upstream_calls WHERE seq IN (SELECT seq FROM upstream_calls WHERE at < ? ORDER BY seq LIMIT ?)"
        " RETURNING 1",
        (before, most),
    )
    return len(gone) == most
