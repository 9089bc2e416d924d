"""Reseal the sealed fields of objects when the sealing key is rotated; declared in ``Resource(sealed=…)``."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from tollkey.db import Tx
from tollkey.keys.sealed import RowKey, Transform
from tollkey.keys.sealing import seal_context


@dataclass(frozen=True)
class SealedFields:
    """The private fields of one type of object that hold sealed secrets in base64, lists of them, or null."""

    object: str
    table: str
    fields: tuple[str, ...]

    @property
    def what(self) -> str:
        return f"{self.object}{'/'.join(self.fields)}"

    def walk(self, tx: Tx, after: RowKey | None, limit: int, transform: Transform) -> RowKey | None:
        """Apply ``transform`` to the sealed fields of up to ``limit`` objects; see ``keys.sealed.SealedStorage``.

        An object that was changed meanwhile is skipped. Returns the last row, or None at the end of the table.
        """
        rows = tx.execute(
            f"SELECT seq, account, livemode, id, private FROM {self.table} WHERE private IS NOT NULL AND seq > ? ORDER"
            f" BY seq LIMIT ?",
            (after or 0, limit),
        )
        for seq, account, livemode, id, stored in rows:
            private = json.loads(bytes(stored))
            bound_to = seal_context(account, bool(livemode), id)
            became = {
                **private,
                **{name: _each(private[name], bound_to, transform) for name in self.fields if name in private},
            }
            if became != private:
                text = json.dumps(became, separators=(",", ":"), ensure_ascii=False).encode()
                tx.execute(f"UPDATE {self.table} SET private = ? WHERE seq = ? AND private = ?", (text, seq, stored))
        return rows[-1][0] if len(rows) == limit else None


def _each(value: Any, bound_to: str, transform: Transform) -> Any:
    if isinstance(value, list):
        return [_each(one, bound_to, transform) for one in value]
    if not isinstance(value, str):
        return value
    was = base64.b64decode(value)
    became = transform(was, bound_to)
    return value if became == was else base64.b64encode(became).decode()
