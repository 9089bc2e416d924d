"""The tables of this room, and every statement on them. What must never be is refused by the database as well."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tollkey.db.engine import Row, Scope, Tx
from tollkey.db.schema import Migration
from tollkey.keys.key import Key
from tollkey.keys.permissions import Catalogue
from tollkey.keys.sealed import SealedColumn
from tollkey.keys.sealing import row_of

MIGRATION = Migration(
    "keys",
    (
        """CREATE TABLE api_keys (
            seq {key},
            id TEXT NOT NULL UNIQUE,
            account TEXT NOT NULL,
            livemode {bool} NOT NULL CHECK (livemode IN (0, 1)),
            kind TEXT NOT NULL CHECK (kind IN ('publishable', 'secret', 'restricted')),
            name TEXT NOT NULL,
            note TEXT NOT NULL,
            permissions TEXT NOT NULL,
            connect_permissions TEXT NOT NULL,
            ip_allowlist TEXT NOT NULL,
            created {int} NOT NULL,
            created_by TEXT NOT NULL,
            expires_at {int},
            own_expires_at {int},
            revoked_at {int},
            redacted TEXT NOT NULL,
            masked TEXT NOT NULL,
            token TEXT,
            hides_after_reveal {bool} NOT NULL CHECK (hides_after_reveal IN (0, 1)),
            revealed_at {int},
            hidden_at {int},
            is_default {bool} NOT NULL CHECK (is_default IN (0, 1)),
            imported {bool} NOT NULL CHECK (imported IN (0, 1)),
            version {int} NOT NULL CHECK (version > 0),
            rolled_from TEXT,
            replaced_by TEXT,
            digest {blob} NOT NULL UNIQUE CHECK (length(digest) = 32),
            digest_key TEXT NOT NULL,
            sealed {blob},
            CHECK ((kind = 'publishable') = (token IS NOT NULL)),
            CHECK (kind <> 'publishable' OR sealed IS NULL),
            CHECK (kind <> 'publishable' OR (ip_allowlist = '[]' AND revoked_at IS NULL)),
            CHECK (kind = 'restricted' OR (permissions = '[]' AND connect_permissions = '[]')),
            CHECK (hidden_at IS NULL OR sealed IS NULL),
            CHECK (revealed_at IS NULL OR hides_after_reveal = 0 OR sealed IS NULL),
            CHECK (revoked_at IS NULL OR sealed IS NULL)
        )""",
        "CREATE INDEX api_keys_of_account ON api_keys (account, livemode, seq)",
        "CREATE UNIQUE INDEX api_keys_one_default ON api_keys (account, livemode, kind) WHERE is_default = 1",
        """CREATE TABLE key_usage (
            key_id TEXT PRIMARY KEY,
            account TEXT NOT NULL,
            livemode {bool} NOT NULL,
            last_used_at {int} NOT NULL,
            ip TEXT,
            endpoint TEXT,
            uses {int} NOT NULL
        )""",
        """CREATE TABLE key_audit (
            seq {key},
            account TEXT NOT NULL,
            livemode {bool} NOT NULL,
            at {int} NOT NULL,
            action TEXT NOT NULL,
            key_id TEXT NOT NULL,
            actor_kind TEXT NOT NULL,
            actor_id TEXT NOT NULL,
            ip TEXT,
            request_id TEXT,
            was TEXT NOT NULL,
            became TEXT NOT NULL
        )""",
        "CREATE INDEX key_audit_of_account ON key_audit (account, livemode, seq)",
        "CREATE INDEX key_audit_of_key ON key_audit (key_id, seq)",
    ),
)

#: The sealed copies of keys that may still be shown.
SEALED = (SealedColumn("api_keys", "sealed", "seq", ("account", "livemode", "id"), row_of),)

_COLUMNS = (
    "id, account, livemode, kind, name, note, permissions, connect_permissions, ip_allowlist, created, created_by,"
    " expires_at, own_expires_at, revoked_at, redacted, masked, token, hides_after_reveal, revealed_at, hidden_at,"
    " is_default, imported, version, rolled_from, replaced_by, sealed IS NOT NULL"
)

# The columns of a key that does not exist, otherwise like any other.
_NOBODY = (
    "'mk_0', 'acct_0', 1, 'restricted', 'Nobody', '', '[\"customer_read\"]', '[]', '[]', 0, 'nobody',"
    " NULL, NULL, NULL, '', '', NULL, 1, NULL, NULL,"
    " 0, 0, 1, NULL, NULL, 1 = 0"
)


@dataclass(frozen=True, slots=True)
class Usage:
    """When, from where and for which endpoint a key was last used, and how often in all.

    last_used_at: UTC epoch seconds. Written in the background: it may lag by the flush interval.
    """

    key_id: str
    last_used_at: int
    ip: str | None
    endpoint: str | None
    uses: int


def key_from(row: Row, catalogue: Catalogue) -> Key:
    """A row of ``_COLUMNS`` as a value."""
    granted, connected = frozenset(json.loads(row[6])), frozenset(json.loads(row[7]))
    return Key(
        id=row[0], account=row[1], livemode=bool(row[2]), kind=row[3], name=row[4], note=row[5],
        permissions=granted, effective=catalogue.expand(granted), connect_permissions=connected,
        ip_allowlist=tuple(json.loads(row[8])), created=row[9], created_by=row[10],
        expires_at=row[11], own_expires_at=row[12], revoked_at=row[13],
        redacted=row[14], masked=row[15], token=row[16],
        revealable=bool(row[25]) or row[16] is not None, hides_after_reveal=bool(row[17]),
        revealed_at=row[18], hidden_at=row[19], is_default=bool(row[20]), imported=bool(row[21]),
        version=row[22], rolled_from=row[23], replaced_by=row[24], effective_connect=catalogue.expand(connected),
    )  # fmt: skip


def names_as_text(names: Iterable[str]) -> str:
    """Names as they are stored: a sorted JSON list."""
    return json.dumps(sorted(names))


def insert(tx: Tx, key: Key, digest: bytes, digest_key: str, sealed: bytes | None) -> None:
    """Store a new key. Raises Duplicate when its digest or id is there already, or a default of its kind."""
    values = (
        key.id, key.account, int(key.livemode), key.kind, key.name, key.note, names_as_text(key.permissions),
        names_as_text(key.connect_permissions), json.dumps(list(key.ip_allowlist)), key.created, key.created_by,
        key.expires_at, key.own_expires_at, key.revoked_at, key.redacted, key.masked, key.token,
        int(key.hides_after_reveal),
        key.revealed_at, key.hidden_at, int(key.is_default), int(key.imported), key.version, key.rolled_from,
        key.replaced_by, digest, digest_key, sealed,
    )  # fmt: skip
    tx.execute(
        "INSERT INTO api_keys (id, account, livemode, kind, name, note, permissions, connect_permissions, ip_allowlist,"
        " created, created_by, expires_at, own_expires_at, revoked_at, redacted, masked, token, hides_after_reveal,"
        " revealed_at, hidden_at, is_default, imported, version, rolled_from, replaced_by, digest, digest_key, sealed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    )


def change(tx: Tx, key: Key, was_version: int, drop_sealed: bool) -> bool:
    """Store what may change of a key. False when somebody changed it since ``was_version``: nothing is written then."""
    sealed = ", sealed = NULL" if drop_sealed else ""
    values = (
        key.name, key.note, names_as_text(key.permissions), names_as_text(key.connect_permissions),
        json.dumps(list(key.ip_allowlist)), key.expires_at, key.own_expires_at, key.revoked_at, key.revealed_at,
        key.hidden_at, int(key.is_default), key.version, key.replaced_by, key.id, key.account, int(key.livemode),
        was_version,
    )  # fmt: skip
    rows = tx.execute(
        "UPDATE api_keys SET name = ?, note = ?, permissions = ?, connect_permissions = ?, ip_allowlist = ?,"
        " expires_at = ?,"
        f" own_expires_at = ?, revoked_at = ?, revealed_at = ?, hidden_at = ?, is_default = ?, version = ?,"
        f" replaced_by = ?{sealed}"
        " WHERE id = ? AND account = ? AND livemode = ? AND version = ? RETURNING id",
        values,
    )
    return bool(rows)


def by_id(tx: Tx, scope: Scope, key_id: str, catalogue: Catalogue) -> Key | None:
    """A key of this account and mode."""
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM api_keys WHERE id = ? AND account = ? AND livemode = ?",
        (key_id, scope.account, int(scope.livemode)),
    )
    return key_from(rows[0], catalogue) if rows else None


def by_id_anywhere(tx: Tx, key_id: str, catalogue: Catalogue) -> Key | None:
    """A key by its id, whoever's it is: for the host itself, never for what an account may see."""
    rows = tx.execute(f"SELECT {_COLUMNS} FROM api_keys WHERE id = ?", (key_id,))
    return key_from(rows[0], catalogue) if rows else None


def defaults(tx: Tx, scope: Scope, catalogue: Catalogue) -> tuple[Key, ...]:
    """The default keys of the account in this mode, one of each kind at most."""
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM api_keys WHERE account = ? AND livemode = ? AND is_default = 1",
        (scope.account, int(scope.livemode)),
    )
    return tuple(key_from(row, catalogue) for row in rows)


def ending_in(tx: Tx, scope: Scope, characters: str, catalogue: Catalogue) -> tuple[Key, ...]:
    """Keys of the account in this mode whose text ends in these characters, newest first; two of them at most."""
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM api_keys WHERE account = ? AND livemode = ? AND substr(redacted,"
        f" length(redacted) - 3) = ?"
        " ORDER BY seq DESC LIMIT 2",
        (scope.account, int(scope.livemode), characters[-4:]),
    )
    return tuple(key_from(row, catalogue) for row in rows)


def exists_in_other_mode(tx: Tx, scope: Scope, key_id: str) -> bool:
    """Whether the account has this key in its other mode. A yes or no, and nothing more of it."""
    rows = tx.execute(
        "SELECT 1 FROM api_keys WHERE id = ? AND account = ? AND livemode = ?",
        (key_id, scope.account, int(not scope.livemode)),
    )
    return bool(rows)


def by_digest(tx: Tx, digests: Sequence[bytes], catalogue: Catalogue) -> tuple[Key, bytes | None, str]:
    """The key behind one of these digests, with its digest and that digest's key. The only read without a scope: it
    finds the scope.

    When there is none it is nobody's, with None for the digest. Either way one row is read and made into
    a value, so that a refusal does not tell by its time whether the key exists.
    """
    marks = ", ".join("?" * len(digests))
    row = tx.execute(
        f"SELECT {_COLUMNS}, digest, digest_key, 0 AS nobody FROM api_keys WHERE digest IN ({marks})"
        f" UNION ALL SELECT {_NOBODY}, NULL, '', 1 AS nobody ORDER BY nobody LIMIT 1",
        tuple(digests),
    )[0]
    return key_from(row, catalogue), None if row[26] is None else bytes(row[26]), row[27]


def sealed_text(tx: Tx, scope: Scope, key_id: str) -> bytes | None:
    """The sealed copy of a key's text, while there is one."""
    rows = tx.execute(
        "SELECT sealed FROM api_keys WHERE id = ? AND account = ? AND livemode = ?",
        (key_id, scope.account, int(scope.livemode)),
    )
    return None if not rows or rows[0][0] is None else bytes(rows[0][0])


def page(
    tx: Tx,
    scope: Scope,
    catalogue: Catalogue,
    active_at: int | None,
    kind: str | None,
    limit: int | None,
    after: str | None,
    before: str | None,
) -> tuple[Key, ...]:
    """Keys of the account in this mode, newest first: ``limit`` of them at most, or all.

    active_at: leave out those that have ended by then (UTC epoch seconds); None keeps all.
    after, before: only keys further down than this id, or further up (the nearest ones to it).
    """
    where, values = ["account = ?", "livemode = ?"], [scope.account, int(scope.livemode)]
    seq_of = "(SELECT seq FROM api_keys WHERE id = ? AND account = ? AND livemode = ?)"
    params: list[object] = [*values]
    if kind is not None:
        where.append("kind = ?")
        params.append(kind)
    if active_at is not None:
        where.append("revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)")
        params.append(active_at)
    if after is not None:
        where.append(f"seq < {seq_of}")
        params += [after, *values]
    if before is not None:
        where.append(f"seq > {seq_of}")
        params += [before, *values]
    order = "ASC" if before is not None else "DESC"
    most = "" if limit is None else " LIMIT ?"
    params += [] if limit is None else [limit]
    rows = tx.execute(f"SELECT {_COLUMNS} FROM api_keys WHERE {' AND '.join(where)} ORDER BY seq {order}{most}", params)
    keys = tuple(key_from(row, catalogue) for row in rows)
    return keys[::-1] if before is not None else keys


def add_usages(tx: Tx, counted: Iterable[tuple[Key, Usage]]) -> None:
    """Add what was counted in memory to what is stored; in the order of ids, so that nodes that do it at once take
    turns.
    """
    tx.execute_many(
        "INSERT INTO key_usage (key_id, account, livemode, last_used_at, ip, endpoint, uses) VALUES (?, ?, ?, ?, ?, ?,"
        " ?)"
        " ON CONFLICT (key_id) DO UPDATE SET uses = key_usage.uses + excluded.uses,"
        " ip = CASE WHEN excluded.last_used_at >= key_usage.last_used_at THEN excluded.ip ELSE key_usage.ip END,"
        " endpoint = CASE WHEN excluded.last_used_at >= key_usage.last_used_at THEN excluded.endpoint ELSE"
        " key_usage.endpoint END,"
        " last_used_at = CASE WHEN excluded.last_used_at >= key_usage.last_used_at THEN excluded.last_used_at"
        " ELSE key_usage.last_used_at END",
        [
            (key.id, key.account, int(key.livemode), usage.last_used_at, usage.ip, usage.endpoint, usage.uses)
            for key, usage in sorted(counted, key=lambda pair: pair[0].id)
        ],
    )


def usages(tx: Tx, scope: Scope, key_ids: Sequence[str] | None = None) -> dict[str, Usage]:
    """The usage of keys of the account in this mode that were ever used, by key id. key_ids: of these keys only."""
    values: list[object] = [scope.account, int(scope.livemode)]
    where = ""
    if key_ids is not None:
        if not key_ids:
            return {}
        where = f" AND key_id IN ({', '.join('?' * len(key_ids))})"
        values += key_ids
    rows = tx.execute(
        f"SELECT key_id, last_used_at, ip, endpoint, uses FROM key_usage WHERE account = ? AND livemode = ?{where}",
        values,
    )
    return {row[0]: Usage(*row) for row in rows}


def move_digest(tx: Tx, key_id: str, digest: bytes, digest_key: str) -> None:
    """Put a digest under the current digest key in place of one under a retired key."""
    tx.execute(
        "UPDATE api_keys SET digest = ?, digest_key = ? WHERE id = ? AND digest_key <> ?",
        (digest, digest_key, key_id, digest_key),
    )
