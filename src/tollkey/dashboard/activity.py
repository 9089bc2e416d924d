"""The audit log of accounts, teams and sign-ins. The audit log of keys is ``keys.audit``.

Both are append-only (database triggers) and hash-chained (``keys.chain``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from tollkey.dashboard.page import Context
from tollkey.db import Tx
from tollkey.keys import chain
from tollkey.keys.keyring import Keyring
from tollkey.wire.jobs import without_secrets

#: The ``person`` of what a command did.
COMMAND: Final = "cli:tollkey"
LOG = chain.ChainedLog("dashboard", "dash_log", ("account", "at", "action", "person", "ip", "about", "details"))


class Entry(NamedTuple):
    """One entry. at: UTC epoch seconds. person: an id, or ``COMMAND``. about: id of the object it concerns, or ""."""

    seq: int
    account: str
    at: int
    action: str
    person: str
    ip: str | None
    about: str
    details: dict[str, Any]


def protect_log(tx: Tx, keyring: Keyring, now: int) -> None:
    """Create the triggers that make the log append-only, and start its hash chain. Idempotent.

    Run it after ``migrate``. now: UTC epoch seconds.
    """
    chain.guard(tx, LOG)
    chain.begin(tx, keyring, LOG, now)


def record(
    tx: Tx, ctx: Context, account: str, action: str, *, person: str | None = None, about: str = "", **details: object
) -> None:
    """Write an entry, in the transaction of the change. Person, IP address and time are those of the context.

    account: "" for actions that concern no account. person: who did it, when it is not the signed-in person.
    about: the id of the object concerned. details: further fields; secrets in them are masked, since entries stay.
    """
    _add(tx, ctx.authority.keyring, ctx.now, (account, action, person or ctx.me.id, ctx.ip, about), details)


def record_command(
    tx: Tx, keyring: Keyring, now: int, account: str, action: str, *, about: str = "", **details: object
) -> None:
    """Write an entry about what a command of this machine did, in the transaction of the change. See ``record``.

    now: UTC epoch seconds.
    """
    _add(tx, keyring, now, (account, action, COMMAND, None, about), details)


def _add(
    tx: Tx, keyring: Keyring, now: int, said: tuple[str, str, str, str | None, str], details: Mapping[str, object]
) -> None:
    account, action, person, ip, about = said
    kept = {name: without_secrets(value) if isinstance(value, str) else value for name, value in details.items()}
    chain.add(tx, keyring, LOG, (account, now, action, person, ip, about, json.dumps(kept, sort_keys=True)), now)


def entries(tx: Tx, account: str, limit: int = 100, before: int | None = None) -> list[Entry]:
    """Entries of an account, newest first. before: only entries with a smaller ``seq``."""
    rows = tx.execute(
        "SELECT seq, account, at, action, person, ip, about, details FROM dash_log WHERE account = ? AND seq < ? ORDER"
        " BY seq DESC LIMIT ?",
        (account, 2**53 if before is None else before, limit),
    )
    return [Entry(row[0], row[1], row[2], row[3], row[4], row[5], row[6], json.loads(row[7])) for row in rows]
