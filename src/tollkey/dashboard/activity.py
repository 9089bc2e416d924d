"""The log of what people did with accounts, teams and sign-ins. What they did with keys is in ``keys.audit``.

Append-only by the database's triggers, and chained, as that one is (``keys.chain``).
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tollkey.dashboard.page import Visit
from tollkey.db import Tx
from tollkey.keys import Keyring, chain

LOG = chain.Log("dashboard", "dash_log", ("account", "at", "action", "person", "ip", "about", "details"))


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


def protect_log(tx: Tx, keyring: Keyring, now: int) -> None:
    """Make the database refuse changes to the log, and begin its chain. Safe to repeat; run it after ``migrate``, at
    start.

    now: UTC epoch seconds.
    """
    chain.guard(tx, LOG)
    chain.begin(tx, keyring, LOG, now)


def record(
    tx: Tx, ctx: Visit, account: str, action: str, *, person: str | None = None, about: str = "", **details: object
) -> None:
    """Write one line, in the transaction of the change: who, from where and when is the visit's. Never a secret.

    account: "" for what a person does for themselves. person: who did it, where that is not who is signed in.
    about: the id that it is about. details: what else there is to say.
    """
    values = (account, ctx.now, action, person or ctx.me.id, ctx.ip, about, json.dumps(details, sort_keys=True))
    chain.add(tx, ctx.authority.keyring, LOG, values, ctx.now)


def entries(tx: Tx, account: str, limit: int = 100, before: int | None = None) -> list[Entry]:
    """The newest lines of an account, newest first. before: only lines with a smaller ``seq``."""
    rows = tx.execute(
        "SELECT seq, account, at, action, person, ip, about, details FROM dash_log WHERE account = ? AND seq < ? ORDER"
        " BY seq DESC LIMIT ?",
        (account, 2**53 if before is None else before, limit),
    )
    return [Entry(row[0], row[1], row[2], row[3], row[4], row[5], row[6], json.loads(row[7])) for row in rows]
