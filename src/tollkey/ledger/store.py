"""The ledger's tables, and the few statements that touch them.

``ledger_entries`` proves its own zero sum: the lines of one transaction and currency form a chain,
each carrying the running sum so far. A line names the one before it and the last one, and the last
one must stand at zero. So no set of rows that does not add up can be committed, whoever writes it.
The references are checked at commit, because a line names one that is written after it.

``ledger_totals`` holds the sum of each book, and ``ledger_dues`` the sums that become available at
a later second: reading a balance costs the same after ten rows and after ten million.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tollkey.db import Migration, Scope, Tx

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


class Entry(NamedTuple):
    """One line of a transaction, as stored.

    txn: the transaction's id; source: what caused it, for example ``ch_…``.
    amount: minor units; positive adds to the book.
    available_at: UTC epoch seconds from which it can be paid out; None means from the start.
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


class Line(NamedTuple):
    """A line to write."""

    currency: str
    book: str
    source_type: str
    amount: int
    available_at: int | None


def write_transaction(tx: Tx, scope: Scope, txn: str, source: str, now: int) -> int:
    """Open a transaction's row and return its sequence number. Raises Duplicate when the scope has the id already."""
    rows = tx.execute(
        "INSERT INTO ledger_transactions (account, livemode, txn, source, created) VALUES (?, ?, ?, ?,"
        " ?) RETURNING seq",
        (scope.account, int(scope.livemode), txn, source, now),
    )
    return int(rows[0][0])


def write_lines(tx: Tx, scope: Scope, seq: int, lines: list[Line]) -> None:
    """Write the chain of one currency; ``lines`` must all be of that currency."""
    owner, running = (scope.account, int(scope.livemode)), 0
    rows: list[tuple[object, ...]] = []
    for number, line in enumerate(lines, 1):
        before = (None, None) if number == 1 else (number - 1, running)
        running += line.amount
        place = (seq, line.currency, number, *owner, line.book, line.source_type)
        rows.append((*place, line.amount, line.available_at, *before, running, len(lines)))
    tx.execute_many(
        "INSERT INTO ledger_entries (seq, currency, line, account, livemode, book, source_type, amount, available_at,"
        " before_line, before_sum, running, last_line, last_sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
        rows,
    )


def add_to_totals(tx: Tx, scope: Scope, lines: Iterable[Line]) -> None:
    """Move the running totals, and the sums due later, by these lines."""
    owner = (scope.account, int(scope.livemode))
    totals: dict[tuple[str, str, str], int] = {}
    dues: dict[tuple[str, int, str, str], int] = {}
    for line in lines:
        key = (line.book, line.currency, line.source_type)
        totals[key] = totals.get(key, 0) + line.amount
        if line.available_at is not None:
            due = (line.book, line.available_at, line.currency, line.source_type)
            dues[due] = dues.get(due, 0) + line.amount
    # Sorted, so that two writers of the same rows lock them in the same order.
    tx.execute_many(
        "INSERT INTO ledger_totals (account, livemode, book, currency, source_type, total) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (account, livemode, book, currency, source_type)"
        " DO UPDATE SET total = ledger_totals.total + excluded.total",
        [(*owner, *key, amount) for key, amount in sorted(totals.items())],
    )
    if dues:
        tx.execute_many(
            "INSERT INTO ledger_dues (account, livemode, book, available_at, currency, source_type, amount) VALUES (?,"
            " ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (account, livemode, book, available_at, currency, source_type)"
            " DO UPDATE SET amount = ledger_dues.amount + excluded.amount",
            [(*owner, *due, amount) for due, amount in sorted(dues.items())],
        )


def read_totals(tx: Tx, scope: Scope, book: str) -> dict[tuple[str, str], int]:
    """The sum of a book by (currency, source type)."""
    rows = tx.execute(
        "SELECT currency, source_type, total FROM ledger_totals WHERE account = ? AND livemode = ? AND book = ?",
        (scope.account, int(scope.livemode), book),
    )
    return {(currency, source_type): int(amount) for currency, source_type, amount in rows}


def read_dues(tx: Tx, scope: Scope, book: str, now: int) -> dict[tuple[str, str], int]:
    """What of a book is still due after ``now``, by (currency, source type)."""
    rows = tx.execute(
        "SELECT currency, source_type, CAST(sum(amount) AS BIGINT) FROM ledger_dues"
        " WHERE account = ? AND livemode = ? AND book = ? AND available_at > ? GROUP BY currency, source_type",
        (scope.account, int(scope.livemode), book, now),
    )
    return {(currency, source_type): int(amount) for currency, source_type, amount in rows}


def read_total_of_all_books(tx: Tx, scope: Scope, currency: str) -> int:
    """The running totals of every book of a scope, added up: zero as long as the ledger is sound."""
    rows = tx.execute(
        "SELECT total FROM ledger_totals WHERE account = ? AND livemode = ? AND currency = ?",
        (scope.account, int(scope.livemode), currency),
    )
    return sum(int(amount) for (amount,) in rows)


def read_entries(tx: Tx, scope: Scope, book: str | None, limit: int, before: int | None) -> list[Entry]:
    """Newest first. book None means all books; before: only entries with a smaller ``seq``."""
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
    return [Entry(*row) for row in rows]


def sums_of_entries(tx: Tx, scope: Scope) -> list[tuple[str, str, str, int | None, int]]:
    """Everything added up again from the entries: (book, currency, source type, available_at, sum).

    Reads all of them.
    """
    rows = tx.execute(
        "SELECT book, currency, source_type, available_at, CAST(sum(amount) AS BIGINT) FROM ledger_entries"
        " WHERE account = ? AND livemode = ? GROUP BY book, currency, source_type, available_at",
        (scope.account, int(scope.livemode)),
    )
    return [(book, currency, kind, due, int(amount)) for book, currency, kind, due, amount in rows]


def unbalanced_transactions(tx: Tx, scope: Scope) -> list[tuple[str, str, int]]:
    """(txn, currency, sum) of each transaction that does not add up to zero. Reads all of them."""
    rows = tx.execute(
        "SELECT t.txn, e.currency, CAST(sum(e.amount) AS BIGINT) FROM ledger_entries e JOIN ledger_transactions t ON"
        " t.seq = e.seq"
        " WHERE e.account = ? AND e.livemode = ? GROUP BY t.txn, e.currency HAVING sum(e.amount) <> 0",
        (scope.account, int(scope.livemode)),
    )
    return [(txn, currency, int(amount)) for txn, currency, amount in rows]


def stored_dues(tx: Tx, scope: Scope) -> dict[tuple[str, str, str, int], int]:
    """All dues by (book, currency, source type, available_at), past ones too."""
    rows = tx.execute(
        "SELECT book, currency, source_type, available_at, amount FROM ledger_dues WHERE account = ? AND livemode = ?",
        (scope.account, int(scope.livemode)),
    )
    return {(book, currency, kind, int(due)): int(amount) for book, currency, kind, due, amount in rows}


def stored_totals(tx: Tx, scope: Scope) -> dict[tuple[str, str, str], int]:
    """All running totals by (book, currency, source type)."""
    rows = tx.execute(
        "SELECT book, currency, source_type, total FROM ledger_totals WHERE account = ? AND livemode = ?",
        (scope.account, int(scope.livemode)),
    )
    return {(book, currency, kind): int(amount) for book, currency, kind, amount in rows}
