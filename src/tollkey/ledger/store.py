"""The ledger's tables and SQL.

The database itself checks that transactions sum to zero: the entries of one transaction and currency form a chain, in
which each has the running sum so far, a foreign key to the entry before it, and one to the last entry, whose running
sum must be zero. So entries that do not sum to zero cannot be committed by any client. The foreign keys are deferred
to the commit, because an entry refers to a later one.

``ledger_totals`` stores the sum of each book, and ``ledger_dues`` the sums that become available at a later time, so
that reading a balance takes the same time after ten entries and after ten million.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tollkey.db import Migration, Scope, Tx
from tollkey.db.held import Values, Write, arrays, inserting

MIGRATION = Migration(
    "ledger",
    (
        """CREATE TABLE ledger_transactions (
            seq {key},
            account TEXT NOT NULL,
            livemode {bool} NOT NULL,
            txn TEXT NOT NULL,
            source TEXT NOT NULL,
            created {int} NOT NULL,
            UNIQUE (account, livemode, txn)
        )""",
        """CREATE TABLE ledger_entries (
            seq {int} NOT NULL REFERENCES ledger_transactions (seq),
            currency TEXT NOT NULL,
            line {int} NOT NULL,
            account TEXT NOT NULL,
            livemode {bool} NOT NULL,
            book TEXT NOT NULL,
            source_type TEXT NOT NULL,
            amount {int} NOT NULL CHECK (amount <> 0),
            available_at {int},
            before_line {int},
            before_sum {int},
            running {int} NOT NULL,
            last_line {int} NOT NULL,
            last_sum {int} NOT NULL CHECK (last_sum = 0),
            PRIMARY KEY (seq, currency, line),
            UNIQUE (seq, currency, line, running),
            CHECK (line >= 1 AND line <= last_line),
            CHECK ((line = 1 AND before_line IS NULL AND before_sum IS NULL)
                OR (line > 1 AND before_line IS NOT NULL AND before_sum IS NOT NULL AND before_line = line - 1)),
            CHECK (running = coalesce(before_sum, 0) + amount),
            FOREIGN KEY (seq, currency, before_line, before_sum)
                REFERENCES ledger_entries (seq, currency, line, running) DEFERRABLE INITIALLY DEFERRED,
            FOREIGN KEY (seq, currency, last_line, last_sum)
                REFERENCES ledger_entries (seq, currency, line, running) DEFERRABLE INITIALLY DEFERRED
        )""",
        "CREATE INDEX ledger_entries_book ON ledger_entries (account, livemode, book, currency, seq)",
        """CREATE TABLE ledger_totals (
            account TEXT NOT NULL,
            livemode {bool} NOT NULL,
            book TEXT NOT NULL,
            currency TEXT NOT NULL,
            source_type TEXT NOT NULL,
            total {int} NOT NULL,
            PRIMARY KEY (account, livemode, book, currency, source_type)
        )""",
        """CREATE TABLE ledger_dues (
            account TEXT NOT NULL,
            livemode {bool} NOT NULL,
            book TEXT NOT NULL,
            available_at {int} NOT NULL,
            currency TEXT NOT NULL,
            source_type TEXT NOT NULL,
            amount {int} NOT NULL,
            PRIMARY KEY (account, livemode, book, available_at, currency, source_type)
        )""",
    ),
)


def _add(held: Write, values: Values, row: Values) -> tuple[Write, Values]:
    """Return one addition for two to the same sum."""
    return held, (*values[:-1], int(str(values[-1])) + int(str(row[-1])))


_LINE = (
    "currency, line, account, livemode, book, source_type, amount, available_at, before_line, before_sum, running,"
    " last_line, last_sum"
)
_TRANSACTION = inserting("ledger_transactions", ("account", "livemode", "txn", "source", "created"), "titti")
_ENTRY_TYPES = "tittittiiiiii"
_ENTRY = Write(
    "ledger_entries",
    _ENTRY_TYPES,
    f"INSERT INTO ledger_entries (seq, {_LINE}) VALUES ((SELECT seq FROM ledger_transactions WHERE account = ?1"
    " AND livemode = ?2 AND txn = ?3), ?4, ?5, ?1, ?2, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0)",
    f"INSERT INTO ledger_entries (seq, {_LINE}) SELECT t.seq, v.currency, v.line, v.account, v.livemode, v.book,"
    " v.source_type, v.amount, v.available_at, v.before_line, v.before_sum, v.running, v.last_line, 0"
    " FROM "
    + arrays(
        (
            *("account", "livemode", "txn", "currency", "line", "book", "source_type", "amount", "available_at"),
            *("before_line", "before_sum", "running", "last_line"),
        ),
        _ENTRY_TYPES,
    )
    + " JOIN ledger_transactions t ON t.account = v.account AND t.livemode = v.livemode AND t.txn = v.txn",
)
_TOTAL = inserting(
    "ledger_totals",
    ("account", "livemode", "book", "currency", "source_type", "total"),
    "tittti",
    "ON CONFLICT (account, livemode, book, currency, source_type)"
    " DO UPDATE SET total = ledger_totals.total + excluded.total",
    keys=5,
    merge=_add,
)
_DUE = inserting(
    "ledger_dues",
    ("account", "livemode", "book", "available_at", "currency", "source_type", "amount"),
    "tititti",
    "ON CONFLICT (account, livemode, book, available_at, currency, source_type)"
    " DO UPDATE SET amount = ledger_dues.amount + excluded.amount",
    keys=6,
    merge=_add,
)


class LedgerEntry(NamedTuple):
    """One entry of a transaction, as stored.

    seq: number of the transaction. txn: its id. source: id of the object that caused it, for example ``ch_…``.
    created: UTC epoch seconds. line: number of the entry within the transaction and currency, from 1.
    amount: minor units; positive adds to the book.
    available_at: UTC epoch seconds from which it is available; None means from the start.
    """

    seq: int
    txn: str
    source: str
    created: int
    currency: str
    line: int
    book: str
    source_type: str
    amount: int
    available_at: int | None


class NewEntry(NamedTuple):
    """An entry to write. The fields are those of ``LedgerEntry``."""

    currency: str
    book: str
    source_type: str
    amount: int
    available_at: int | None


def write_transaction(tx: Tx, scope: Scope, txn: str, source: str, now: int) -> None:
    """Insert a transaction's row. now: UTC epoch seconds.

    It is held (``Tx.hold``): an id that the scope already has raises Duplicate when it is written.
    """
    tx.hold(_TRANSACTION, (scope.account, int(scope.livemode), txn, source, now))


def write_lines(tx: Tx, scope: Scope, txn: str, lines: list[NewEntry]) -> None:
    """Insert the entries of one currency of a transaction. lines: all of that currency."""
    owner, running = (scope.account, int(scope.livemode)), 0
    for number, line in enumerate(lines, 1):
        before = (None, None) if number == 1 else (number - 1, running)
        running += line.amount
        place = (*owner, txn, line.currency, number, line.book, line.source_type)
        tx.hold(_ENTRY, (*place, line.amount, line.available_at, *before, running, len(lines)))


def add_to_totals(tx: Tx, scope: Scope, lines: Iterable[NewEntry]) -> None:
    """Add these entries to the running totals and to the sums that become available later."""
    owner = (scope.account, int(scope.livemode))
    for line in lines:
        tx.hold(_TOTAL, (*owner, line.book, line.currency, line.source_type, line.amount))
        if line.available_at is not None:
            due = (line.book, line.available_at, line.currency, line.source_type)
            tx.hold(_DUE, (*owner, *due, line.amount))


def read_totals(tx: Tx, scope: Scope, book: str) -> dict[tuple[str, str], int]:
    """Return the sums of a book in minor units, by (currency, source type)."""
    rows = tx.execute(
        "SELECT currency, source_type, total FROM ledger_totals WHERE account = ? AND livemode = ? AND book = ?",
        (scope.account, int(scope.livemode), book),
    )
    return {(currency, source_type): int(amount) for currency, source_type, amount in rows}


def read_dues(tx: Tx, scope: Scope, book: str, now: int) -> dict[tuple[str, str], int]:
    """Return the pending sums of a book at ``now`` (UTC epoch seconds) in minor units, by (currency, source type)."""
    rows = tx.execute(
        "SELECT currency, source_type, CAST(sum(amount) AS BIGINT) FROM ledger_dues"
        " WHERE account = ? AND livemode = ? AND book = ? AND available_at > ? GROUP BY currency, source_type",
        (scope.account, int(scope.livemode), book, now),
    )
    return {(currency, source_type): int(amount) for currency, source_type, amount in rows}


def read_total_of_all_books(tx: Tx, scope: Scope, currency: str) -> int:
    """Return the sum of the running totals of all books in minor units: zero unless the ledger is corrupt."""
    rows = tx.execute(
        "SELECT total FROM ledger_totals WHERE account = ? AND livemode = ? AND currency = ?",
        (scope.account, int(scope.livemode), currency),
    )
    return sum(int(amount) for (amount,) in rows)


def read_entries(tx: Tx, scope: Scope, book: str | None, limit: int, before: int | None) -> list[LedgerEntry]:
    """Return entries, newest first. book: None for all. before: only entries with a smaller ``seq``; None for all."""
    where, params = "e.account = ? AND e.livemode = ?", [scope.account, int(scope.livemode)]
    if book is not None:
        where, params = where + " AND e.book = ?", [*params, book]
    if before is not None:
        where, params = where + " AND e.seq < ?", [*params, before]
    rows = tx.execute(
        "SELECT e.seq, t.txn, t.source, t.created, e.currency, e.line, e.book, e.source_type, e.amount, e.available_at"
        f" FROM ledger_entries e JOIN ledger_transactions t ON t.seq = e.seq WHERE {where}"
        " ORDER BY e.seq DESC, e.currency, e.line LIMIT ?",
        [*params, limit],
    )
    return [LedgerEntry(*row) for row in rows]


def sums_of_entries(tx: Tx, scope: Scope) -> list[tuple[str, str, str, int | None, int]]:
    """Return the sums of all entries as (book, currency, source type, available_at, minor units). Reads every entry."""
    rows = tx.execute(
        "SELECT book, currency, source_type, available_at, CAST(sum(amount) AS BIGINT) FROM ledger_entries"
        " WHERE account = ? AND livemode = ? GROUP BY book, currency, source_type, available_at",
        (scope.account, int(scope.livemode)),
    )
    return [(book, currency, kind, due, int(amount)) for book, currency, kind, due, amount in rows]


def unbalanced_transactions(tx: Tx, scope: Scope) -> list[tuple[str, str, int]]:
    """Return (txn, currency, minor units) of each transaction that does not sum to zero. Reads every entry."""
    rows = tx.execute(
        "SELECT t.txn, e.currency, CAST(sum(e.amount) AS BIGINT) FROM ledger_entries e JOIN ledger_transactions t ON"
        " t.seq = e.seq"
        " WHERE e.account = ? AND e.livemode = ? GROUP BY t.txn, e.currency HAVING sum(e.amount) <> 0",
        (scope.account, int(scope.livemode)),
    )
    return [(txn, currency, int(amount)) for txn, currency, amount in rows]


def stored_dues(tx: Tx, scope: Scope) -> dict[tuple[str, str, str, int], int]:
    """Return all sums with a time of availability, past ones too, by (book, currency, source type, available_at)."""
    rows = tx.execute(
        "SELECT book, currency, source_type, available_at, amount FROM ledger_dues WHERE account = ? AND livemode = ?",
        (scope.account, int(scope.livemode)),
    )
    return {(book, currency, kind, int(due)): int(amount) for book, currency, kind, due, amount in rows}


def stored_totals(tx: Tx, scope: Scope) -> dict[tuple[str, str, str], int]:
    """Return all running totals in minor units, by (book, currency, source type)."""
    rows = tx.execute(
        "SELECT book, currency, source_type, total FROM ledger_totals WHERE account = ? AND livemode = ?",
        (scope.account, int(scope.livemode)),
    )
    return {(book, currency, kind): int(amount) for book, currency, kind, amount in rows}
