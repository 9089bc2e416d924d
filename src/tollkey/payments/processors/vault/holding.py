"""Who holds the numbers of the vault, in the main database: its objects have references, and never a number.

    held ──its object ends, or may not be charged again──▶ ended ──the vault has deleted it──▶ gone

What ends is written in the transaction of whatever ends it; the number is deleted once that is durable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tollkey.db import Ids, Migration, Scope, Tx

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import Instrument
    from tollkey.wire import Call

MIGRATION = Migration(
    "card_vault_holders",
    (
        "CREATE TABLE card_vault_accounts (account TEXT NOT NULL, livemode {bool} NOT NULL, on_at {int} NOT NULL,"
        " PRIMARY KEY (account, livemode))",
        "CREATE TABLE card_vault_holders (reference TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL,"
        " livemode {bool} NOT NULL, object TEXT NOT NULL, id TEXT NOT NULL, made_at {int} NOT NULL,"
        " looked_at {int} NOT NULL, ended {bool} NOT NULL)",
        "CREATE INDEX card_vault_holders_ended ON card_vault_holders (reference) WHERE ended = 1",
        "CREATE INDEX card_vault_holders_looked ON card_vault_holders (looked_at) WHERE ended = 0",
        "CREATE INDEX card_vault_holders_account ON card_vault_holders (account, livemode)",
        "CREATE TABLE card_vault_main (id TEXT NOT NULL PRIMARY KEY)",
    ),
)
#: What an attempt is called as a holder.
ATTEMPT: Final = "attempt"
#: The private field of an object that holds a number: its reference.
FIELD: Final = "_vault"


_INSERT: Final = (
    "INSERT INTO card_vault_holders (reference, account, livemode, object, id, made_at, looked_at, ended)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, 0)"
)


class Holder(NamedTuple):
    """An object that holds a number. made_at: of the number's first holder, UTC epoch seconds."""

    reference: str
    scope: Scope
    object: str
    id: str
    made_at: int


# -- for handlers


def hold(call: Call, value: Mapping[str, Any]) -> None:
    """Record that a stored object holds the number whose reference it has, if it has one; from now on no other does."""
    if FIELD in value:
        _hold(call, value[FIELD], value)


def _hold(call: Call, reference: str, value: Mapping[str, Any]) -> None:
    call.tx.execute(
        f"{_INSERT} ON CONFLICT (reference) DO UPDATE SET object = excluded.object, id = excluded.id,"
        " looked_at = excluded.looked_at",
        (
            reference, call.scope.account, int(call.scope.livemode), value["object"], value["id"], call.real,
            call.real,
        ),
    )  # fmt: skip


def hold_for_attempt(call: Call, reference: str | None, attempt: str) -> None:
    """Let an attempt hold a number that no object holds, such as that of a card that is charged once and not stored, or
    that a token holds, which is used up now.

    reference: of the number, None for none. attempt: its reference.
    """
    if reference is not None:
        call.tx.execute(
            f"{_INSERT} ON CONFLICT (reference) DO UPDATE SET object = excluded.object, id = excluded.id"
            " WHERE card_vault_holders.object = 'token'",
            (reference, call.scope.account, int(call.scope.livemode), ATTEMPT, attempt, call.real, call.real),
        )


def end(call: Call, value: Instrument) -> None:
    """Let an object hold its number no longer, if it has one: the number is deleted. The caller stores the object."""
    if "_vault" in value:
        end_these(call.tx, [value["_vault"]])
        del value["_vault"]


def may_be_used(call: Call, value: Mapping[str, Any]) -> bool:
    """Return whether an object has its number still, or never had one: that of an unused token is deleted in time."""
    reference = value.get(FIELD)
    return reference is None or is_held(call.tx, reference)


def is_held(tx: Tx, reference: str) -> bool:
    """Return whether an object holds a number."""
    return bool(tx.execute("SELECT 1 FROM card_vault_holders WHERE reference = ? AND ended = 0", (reference,)))


# -- for accounts


def turn(tx: Tx, scope: Scope, on: bool, now: int) -> None:
    """Let an account take the numbers of cards, or no longer. now: UTC epoch seconds."""
    which = (scope.account, int(scope.livemode))
    tx.execute("DELETE FROM card_vault_accounts WHERE account = ? AND livemode = ?", which)
    if on:
        tx.execute("INSERT INTO card_vault_accounts (account, livemode, on_at) VALUES (?, ?, ?)", (*which, now))


def is_on(tx: Tx, scope: Scope) -> bool:
    """Return whether an account takes the numbers of cards."""
    where = (scope.account, int(scope.livemode))
    return bool(tx.execute("SELECT 1 FROM card_vault_accounts WHERE account = ? AND livemode = ?", where))


def accounts(tx: Tx) -> list[str]:
    """Return the accounts that take the numbers of cards."""
    return [row[0] for row in tx.execute("SELECT account FROM card_vault_accounts ORDER BY account")]


def is_used(tx: Tx) -> bool:
    """Return whether an account takes numbers, or an object holds one."""
    rows = tx.execute("SELECT 1 FROM card_vault_accounts UNION ALL SELECT 1 FROM card_vault_holders LIMIT 1")
    return bool(rows)


def end_all(tx: Tx, scope: Scope) -> int:
    """Let every object of an account hold its number no longer, and return how many there were."""
    rows = tx.execute(
        "UPDATE card_vault_holders SET ended = 1 WHERE account = ? AND livemode = ? AND ended = 0 RETURNING 1",
        (scope.account, int(scope.livemode)),
    )
    return len(rows)


def main_id(tx: Tx, ids: Ids | None = None) -> str | None:
    """Return the name that the vault knows this database by. ids: makes one when there is none; without, None."""
    rows = tx.execute("SELECT id FROM card_vault_main")
    if rows or ids is None:
        return rows[0][0] if rows else None
    made = ids.text(24)
    tx.execute("INSERT INTO card_vault_main (id) VALUES (?)", (made,))
    return made


# -- for what deletes


def end_these(tx: Tx, references: Sequence[str]) -> None:
    """Record that numbers are to be deleted."""
    tx.execute_many("UPDATE card_vault_holders SET ended = 1 WHERE reference = ?", [(one,) for one in references])


def ended(tx: Tx, most: int) -> list[str]:
    """Return numbers that are to be deleted."""
    rows = tx.execute("SELECT reference FROM card_vault_holders WHERE ended = 1 ORDER BY reference LIMIT ?", (most,))
    return [row[0] for row in rows]


def gone(tx: Tx, references: Sequence[str]) -> None:
    """Forget numbers that the vault has deleted."""
    tx.execute_many("DELETE FROM card_vault_holders WHERE reference = ?", [(one,) for one in references])


def of(tx: Tx, references: Sequence[str]) -> list[str]:
    """Return those of the numbers that have a row here."""
    if not references:
        return []
    marks = ", ".join("?" for _ in references)
    found = tx.execute(f"SELECT reference FROM card_vault_holders WHERE reference IN ({marks})", references)
    return [row[0] for row in found]


def not_looked_at(tx: Tx, before: int, most: int) -> list[Holder]:
    """Return holders that nobody has looked at since a time, UTC epoch seconds."""
    rows = tx.execute(
        "SELECT reference, account, livemode, object, id, made_at FROM card_vault_holders"
        " WHERE ended = 0 AND looked_at < ? ORDER BY looked_at LIMIT ?",
        (before, most),
    )
    return [Holder(row[0], Scope(row[1], bool(row[2])), *row[3:]) for row in rows]


def looked(tx: Tx, references: Sequence[str], now: int) -> None:
    """Record that holders were looked at. now: UTC epoch seconds."""
    tx.execute_many(
        "UPDATE card_vault_holders SET looked_at = ? WHERE reference = ?", [(now, one) for one in references]
    )
