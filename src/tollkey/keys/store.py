"""The tables of keys and their SQL. Constraints in the database enforce the invariants of keys as well."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from tollkey.db import Migration, Row, Scope, Tx
from tollkey.keys.key import NO_METADATA, Key
from tollkey.keys.permissions import PermissionCatalogue
from tollkey.keys.sealed import SealedColumn
from tollkey.keys.sealing import seal_context
from tollkey.keys.token import KINDS

#: The order of lists, in SQL. It is no plain column, so that only the index of an account can give it: PostgreSQL would
#: read the primary key backwards instead, through the newer keys of all other accounts.
ORDER = "seq + 0"
#: When a key ends by itself: SQL. Never is the largest integer.
ENDS = "coalesce(expires_at, 9223372036854775807)"

_UNSHOWN = "rolled_from IS NOT NULL AND rotate_at IS NOT NULL AND revealed_at IS NULL AND sealed IS NOT NULL"

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
        "ALTER TABLE api_keys ADD COLUMN metadata TEXT NOT NULL DEFAULT '{{}}'",
        "ALTER TABLE api_keys ADD COLUMN disabled_at {int}",
        "ALTER TABLE api_keys ADD COLUMN max_uses {int}",
        "ALTER TABLE api_keys ADD COLUMN uses_left {int}",
        "ALTER TABLE api_keys ADD COLUMN rotate_every {int}",
        "ALTER TABLE api_keys ADD COLUMN rotate_at {int}",
        "CREATE INDEX api_keys_to_rotate ON api_keys (rotate_at) WHERE rotate_at IS NOT NULL",
        "DROP INDEX api_keys_of_account",
        f"CREATE INDEX api_keys_of_account ON api_keys (account, livemode, ({ORDER}))",
        # Lists of valid keys pass over expired ones in these indexes, without reading their rows.
        f"CREATE INDEX api_keys_of_kind ON api_keys (account, livemode, kind, ({ORDER}), {ENDS})",
        f"CREATE INDEX api_keys_valid ON api_keys (account, livemode, ({ORDER}), {ENDS})"
        " WHERE revoked_at IS NULL AND (uses_left IS NULL OR uses_left > 0)",
        "CREATE INDEX key_usage_of_account ON key_usage (account, livemode, key_id)",
        "DROP INDEX key_audit_of_account",
        "DROP INDEX key_audit_of_key",
        f"CREATE INDEX key_audit_of_account ON key_audit (account, livemode, ({ORDER}))",
        f"CREATE INDEX key_audit_of_key ON key_audit (account, livemode, key_id, ({ORDER}))",
        f"CREATE INDEX api_keys_undelivered ON api_keys (created) WHERE {_UNSHOWN}",
    ),
)

#: Where the sealed copies of keys are stored.
SEALED = (SealedColumn("api_keys", "sealed", "seq", ("account", "livemode", "id"), seal_context),)

_COLUMNS = (
    "id, account, livemode, kind, name, note, permissions, connect_permissions, ip_allowlist, created, created_by,"
    " expires_at, own_expires_at, revoked_at, redacted, masked, token, hides_after_reveal, revealed_at, hidden_at,"
    " is_default, imported, version, rolled_from, replaced_by, sealed IS NOT NULL, metadata, disabled_at,"
    " max_uses, uses_left, rotate_every, rotate_at"
)

_VALID = f"revoked_at IS NULL AND {ENDS} > ? AND (uses_left IS NULL OR uses_left > 0)"

# The columns of a dummy key, read in place of a key that does not exist.
_DUMMY = (
    "'mk_0', 'acct_0', 1, 'restricted', 'Nobody', '', '[\"customer_read\"]', '[]', '[]', 0, 'nobody',"
    " NULL, NULL, NULL, '', '', NULL, 1, NULL, NULL,"
    " 0, 0, 1, NULL, NULL, 1 = 0, '{}', NULL,"
    " NULL, NULL, NULL, NULL"
)


@dataclass(frozen=True, slots=True)
class Usage:
    """The last use of a key and the number of its uses, as of the last flush.

    last_used_at: UTC epoch seconds. ip: the caller's address. endpoint: for example ``GET /reports``. uses: in total.
    """

    key_id: str
    last_used_at: int
    ip: str | None
    endpoint: str | None
    uses: int


def key_from(row: Row, catalogue: PermissionCatalogue) -> Key:
    """Return the key in a row of ``_COLUMNS``."""
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
        metadata=MappingProxyType(json.loads(row[26])) if row[26] != "{}" else NO_METADATA, disabled_at=row[27],
        max_uses=row[28], uses_left=row[29], rotate_every=row[30], rotate_at=row[31],
    )  # fmt: skip


def names_as_text(names: Iterable[str]) -> str:
    """Return grants as they are stored: a sorted JSON list."""
    return json.dumps(sorted(names))


def metadata_as_text(key: Key) -> str:
    """Return a key's metadata as it is stored: a JSON object with sorted names."""
    return json.dumps(dict(key.metadata), sort_keys=True)


def change(tx: Tx, key: Key, was_version: int, drop_sealed: bool) -> bool:
    """Store the changeable fields of a key.

    was_version: its version before the change. drop_sealed: delete its sealed copy.
    Returns False, without writing, if the stored version is another one. Raises StorageError.
    """
    sealed = ", sealed = NULL" if drop_sealed else ""
    values = (
        key.name, key.note, names_as_text(key.permissions), names_as_text(key.connect_permissions),
        json.dumps(list(key.ip_allowlist)), key.expires_at, key.own_expires_at, key.revoked_at, key.revealed_at,
        key.hidden_at, int(key.is_default), key.version, key.replaced_by, metadata_as_text(key),
        key.disabled_at, key.rotate_every, key.rotate_at, key.id, key.account, int(key.livemode),
        was_version,
    )  # fmt: skip
    rows = tx.execute(
        "UPDATE api_keys SET name = ?, note = ?, permissions = ?, connect_permissions = ?, ip_allowlist = ?,"
        " expires_at = ?,"
        f" own_expires_at = ?, revoked_at = ?, revealed_at = ?, hidden_at = ?, is_default = ?, version = ?,"
        f" replaced_by = ?, metadata = ?, disabled_at = ?, rotate_every = ?, rotate_at = ?{sealed}"
        " WHERE id = ? AND account = ? AND livemode = ? AND version = ? RETURNING id",
        values,
    )
    return bool(rows)


def by_id(tx: Tx, scope: Scope, key_id: str, catalogue: PermissionCatalogue) -> Key | None:
    """Return a key of this account and mode by its id, or None."""
    which = f"SELECT {_COLUMNS} FROM api_keys WHERE id = ? AND account = ? AND livemode = ?"
    rows = tx.read("api_keys", which, (key_id, scope.account, int(scope.livemode)))
    return key_from(rows[0], catalogue) if rows else None


def by_id_anywhere(tx: Tx, key_id: str, catalogue: PermissionCatalogue) -> Key | None:
    """Return a key of any account by its id, or None: for the host's staff, never for an account."""
    rows = tx.read("api_keys", f"SELECT {_COLUMNS} FROM api_keys WHERE id = ?", (key_id,))
    return key_from(rows[0], catalogue) if rows else None


def predecessors(tx: Tx, key: Key, most: int = 50) -> tuple[str, ...]:
    """Return the ids of the keys that a key replaced when they were rolled, newest first, at most so many."""
    found: list[str] = []
    before = key.rolled_from
    while before is not None and len(found) < most:
        found.append(before)
        rows = tx.execute(
            "SELECT rolled_from FROM api_keys WHERE id = ? AND account = ? AND livemode = ?",
            (before, key.account, int(key.livemode)),
        )
        before = rows[0][0] if rows else None
    return tuple(found)


def defaults(tx: Tx, scope: Scope, catalogue: PermissionCatalogue) -> tuple[Key, ...]:
    """Return the default keys of the account in this mode, at most one of each kind."""
    kinds = ", ".join(f"'{kind}'" for kind in KINDS)  # with all its columns, SQLite chooses the index of default keys
    which = f"WHERE account = ? AND livemode = ? AND kind IN ({kinds}) AND is_default = 1"
    return select(tx, catalogue, which, (scope.account, int(scope.livemode)))


def ending_in(tx: Tx, scope: Scope, characters: str, catalogue: PermissionCatalogue) -> tuple[Key, ...]:
    """Return the newest two keys of the account in this mode whose text ends in these four characters."""
    which = (
        "WHERE account = ? AND livemode = ? AND substr(redacted, length(redacted) - 3) = ?"
        f" ORDER BY {ORDER} DESC LIMIT 2"
    )
    return select(tx, catalogue, which, (scope.account, int(scope.livemode), characters[-4:]))


def exists_in_other_mode(tx: Tx, scope: Scope, key_id: str) -> bool:
    """Return whether the account has a key with this id in its other mode."""
    rows = tx.execute(
        "SELECT 1 FROM api_keys WHERE id = ? AND account = ? AND livemode = ?",
        (key_id, scope.account, int(not scope.livemode)),
    )
    return bool(rows)


def by_digest(tx: Tx, digests: Sequence[bytes], catalogue: PermissionCatalogue) -> tuple[Key, bytes | None, str]:
    """Return the key with one of these digests, its digest, and the name of its digest key.

    No scope: the key determines it. Without such a key a dummy key and None are returned: one row is read and converted
    in any case, so that the time does not tell. Of two rows of a text (two hashes of it) it is the one that ends first.
    """
    columns = f"{_COLUMNS}, digest, digest_key, 0 AS nobody, CASE WHEN revoked_at IS NULL THEN {ENDS} ELSE 0 END AS at"
    row = tx.execute(
        f"SELECT {columns} FROM api_keys WHERE digest IN ({', '.join('?' * len(digests))})"
        f" UNION ALL SELECT {_DUMMY}, NULL, '', 1 AS nobody, 0 AS at ORDER BY nobody, at LIMIT 1",
        tuple(digests),
    )[0]
    digest, digest_key = row[-4], row[-3]
    return key_from(row, catalogue), None if digest is None else bytes(digest), digest_key


def take_use(tx: Tx, key_id: str) -> int | None:
    """Take one use of a key with ``max_uses`` and return how many are left; None if there was none."""
    taken = "UPDATE api_keys SET uses_left = uses_left - 1 WHERE id = ? AND uses_left > 0 RETURNING uses_left"
    rows = tx.execute(taken, (key_id,))
    return rows[0][0] if rows else None


def due(tx: Tx, catalogue: PermissionCatalogue, at: int, now: int, limit: int) -> tuple[Key, ...]:
    """Return valid keys of all accounts whose rotation is due at ``at``, the longest due first; not paused ones."""
    which = f"rotate_at <= ? AND replaced_by IS NULL AND disabled_at IS NULL AND {_VALID}"
    return select(tx, catalogue, f"WHERE {which} ORDER BY rotate_at, seq LIMIT ?", (at, now, limit))


def undelivered(
    tx: Tx, catalogue: PermissionCatalogue, by: str, since: int, until: int, now: int, limit: int
) -> tuple[Key, ...]:
    """Return valid successors of rotated keys, made after ``since`` and up to ``until``, that were shown to nobody.

    by: the actor who rolled them. since, until, now: UTC epoch seconds. The oldest come first.
    """
    made = "created > ? AND created <= ? AND created_by = ? AND replaced_by IS NULL AND disabled_at IS NULL"
    which = f"WHERE {_UNSHOWN} AND {made} AND {_VALID} ORDER BY created, seq LIMIT ?"
    return select(tx, catalogue, which, (since, until, by, now, limit))


def sealed_text(tx: Tx, scope: Scope, key_id: str) -> bytes | None:
    """Return the sealed copy of a key, or None."""
    rows = tx.execute(
        "SELECT sealed FROM api_keys WHERE id = ? AND account = ? AND livemode = ?",
        (key_id, scope.account, int(scope.livemode)),
    )
    return None if not rows or rows[0][0] is None else bytes(rows[0][0])


def page(
    tx: Tx,
    scope: Scope,
    catalogue: PermissionCatalogue,
    active_at: int | None,
    kind: str | None,
    limit: int | None,
    after: str | None,
    before: str | None,
) -> tuple[Key, ...]:
    """Return keys of the account in this mode, newest first.

    active_at: only keys valid at this time, UTC epoch seconds; None for all. kind: only of this kind.
    limit: maximum number; None for all. after, before: only keys behind the key with this id, or the nearest ones in
    front of it.
    """
    where, values = ["account = ?", "livemode = ?"], [scope.account, int(scope.livemode)]
    seq_of = f"(SELECT {ORDER} FROM api_keys WHERE id = ? AND account = ? AND livemode = ?)"
    params: list[object] = [*values]
    if kind is not None:
        where.append("kind = ?")
        params.append(kind)
    if active_at is not None:
        where.append(_VALID)
        params.append(active_at)
    if after is not None:
        where.append(f"{ORDER} < {seq_of}")
        params += [after, *values]
    if before is not None:
        where.append(f"{ORDER} > {seq_of}")
        params += [before, *values]
    order = "ASC" if before is not None else "DESC"
    most = "" if limit is None else " LIMIT ?"
    params += [] if limit is None else [limit]
    keys = select(tx, catalogue, f"WHERE {' AND '.join(where)} ORDER BY {ORDER} {order}{most}", params)
    return keys[::-1] if before is not None else keys


def add_usages(tx: Tx, counted: Iterable[tuple[Key, Usage]]) -> None:
    """Add uses counted in memory to the stored ones. Sorted by id, so that several nodes lock rows in the same
    order.
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
    """Return the usage of the account's keys in this mode by key id. key_ids: only of these; unused ones are left
    out.
    """
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
    """Replace a digest made with a retired digest key, or by another system, by that of the text with the current key.

    Nothing happens if another key has this digest.
    """
    tx.execute(
        "UPDATE api_keys SET digest = ?, digest_key = ? WHERE id = ? AND digest <> ?"
        " AND NOT EXISTS (SELECT 1 FROM api_keys WHERE digest = ?)",
        (digest, digest_key, key_id, digest, digest),
    )


def select(tx: Tx, catalogue: PermissionCatalogue, rest: str, values: Sequence[object]) -> tuple[Key, ...]:
    """Return the keys that a query selects, of all accounts unless it names one.

    rest: what follows FROM api_keys, a text of ours. values: of its placeholders.
    """
    rows = tx.execute(f"SELECT {_COLUMNS} FROM api_keys {rest}", values)
    return tuple(key_from(row, catalogue) for row in rows)
