"""The log of what people did with accounts, teams and sign-ins. What they did with keys is in ``keys.audit``."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tollkey.db import Tx


class Entry(NamedTuple):
    """One line. at: UTC epoch seconds. about: the id that it is about, or ""."""

    seq: int
    account: str
    at: int
    action: str
    person: str
    ip: str | None
    about: str
    details: dict[str, Any]


def record(tx: Tx, account: str, action: str, *, person: str, ip: str | None, now: int, about: str = "", **details: Any) -> None:
    """Write one line, in the transaction of the change. account: "" for what a person does for themselves. Never a secret."""
    tx.execute(
        "INSERT INTO dash_log (account, at, action, person, ip, about, details) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (account, now, action, person, ip, about, json.dumps(details, sort_keys=True)),
    )


def entries(tx: Tx, account: str, limit: int = 100, before: int | None = None) -> list[Entry]:
    """The newest lines of an account, newest first. before: only lines with a smaller ``seq``."""
    rows = tx.execute(
        "SELECT seq, account, at, action, person, ip, about, details FROM dash_log WHERE account = ? AND seq < ? ORDER BY seq DESC LIMIT ?",
        (account, 2**53 if before is None else before, limit),
    )
    return [Entry(row[0], row[1], row[2], row[3], row[4], row[5], row[6], json.loads(row[7])) for row in rows]
