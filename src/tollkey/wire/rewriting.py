"""Private fields of objects that an earlier version wrote otherwise: rewritten once, when a later one first opens the
database.

A resource says what has to be done beside its other facts (``Resource(rewrites=…)``). What was done is noted among the
migrations, in the transaction that ends the walk; a walk that was interrupted is simply done again, so a rewrite leaves
alone what is in the new form.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from tollkey.db import Database, Scope, Tx
from tollkey.keys import Keyring
from tollkey.wire.objects import Tables
from tollkey.wire.resource import Resource, Rewrite

PIECE = 500
_Mark = tuple[str, int]  # as in the table of migrations: module, number


def rewrite_old(database: Database, tables: Tables, keyring: Keyring, piece: int = PIECE) -> None:
    """Bring every object into the form of this version. Safe to run from many nodes at once, and to repeat. Raises
    StorageError.

    piece: objects in one transaction.
    """
    resources = [one for one in tables.catalogue.resources if one.rewrites]
    place: tuple[_Mark, int] | None = None

    def work(tx: Tx) -> tuple[_Mark, int] | None:
        return _piece(tx, tables, resources, keyring, place, piece)

    while (place := database.write(work, lock="migrate")) is not None:
        pass


def _piece(
    tx: Tx, tables: Tables, resources: Sequence[Resource], keyring: Keyring, place: tuple[_Mark, int] | None, left: int
) -> tuple[_Mark, int] | None:
    """Rewrite some of what is left. Returns which rewrite is not at its end, and the last row it came to; None when all
    is done.
    """
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
