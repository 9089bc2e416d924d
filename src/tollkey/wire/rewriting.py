"""Convert private fields that earlier versions of this program stored in another form, once per database.

A resource declares the conversions (``Resource(rewrites=…)``). A finished one is recorded in the table of migrations,
in the transaction that ends it. An interrupted one is started again, so a rewrite must not change fields that are
already in the new form.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from tollkey.db import Database, Scope, Tx
from tollkey.keys.keyring import Keyring
from tollkey.wire.resource import Resource, Rewrite
from tollkey.wire.tables import Tables

PIECE = 500
_Mark = tuple[str, int]  # as in the table of migrations: module, number


def rewrite_old(database: Database, tables: Tables, keyring: Keyring, piece: int = PIECE) -> None:
    """Run all rewrites that have not finished. Safe to run on several nodes at once, and to repeat.

    piece: objects per transaction. Raises StorageError.
    """
    resources = [one for one in tables.catalogue.resources if one.rewrites]
    place: tuple[_Mark, int] | None = None

    def next_piece(tx: Tx) -> tuple[_Mark, int] | None:
        return _piece(tx, tables, resources, keyring, place, piece)

    while (place := database.write(next_piece, lock="migrate")) is not None:
        pass


def _piece(
    tx: Tx, tables: Tables, resources: Sequence[Resource], keyring: Keyring, place: tuple[_Mark, int] | None, left: int
) -> tuple[_Mark, int] | None:
    """Rewrite up to ``left`` objects. Returns the unfinished rewrite and its last row, or None when all are done."""
    done = {
        (module, number)
        for module, number in tx.execute("SELECT module, number FROM migrations WHERE module LIKE 'rewrite %'")
    }
    for resource in resources:
        for number, rewrite in enumerate(resource.rewrites):
            mark = (f"rewrite {resource.object}", number)
            if mark in done:
                continue
            after = place[1] if place is not None and place[0] == mark else 0
            rows = _walk(tx, tables.of[resource.object].table, rewrite, keyring, after, left)
            if len(rows) == left:
                return mark, rows[-1]
            left -= len(rows)
            tx.execute("INSERT INTO migrations (module, number) VALUES (?, ?)", mark)
    return None


def _walk(tx: Tx, table: str, rewrite: Rewrite, keyring: Keyring, after: int, limit: int) -> list[int]:
    columns = "seq, account, livemode, id, private"
    rows = tx.execute(
        f"SELECT {columns} FROM {table} WHERE private IS NOT NULL AND seq > ? ORDER BY seq LIMIT ?", (after, limit)
    )
    for seq, account, livemode, id, stored in rows:
        was = json.loads(bytes(stored))
        became = rewrite(dict(was), keyring, Scope(account, bool(livemode)), id)
        if became != was:
            text = json.dumps(became, separators=(",", ":"), ensure_ascii=False).encode() if became else None
            tx.execute(f"UPDATE {table} SET private = ? WHERE seq = ? AND private = ?", (text, seq, stored))
    return [row[0] for row in rows]
