"""Posts ledger transactions and reads balances.

Each transaction of a scope sums to zero in every currency. A transfer between two merchants is one
transaction in each scope: the sender's against the book ``connected``, the receiver's against ``platform``.

The caller serialises writes of one scope (``Database.write(lock=account)``). Running totals are updated relatively and
stay correct without it, but a check such as "is the balance sufficient for this payout" would be a race condition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tollkey.db import Scope, Tx
from tollkey.ledger import store
from tollkey.ledger.books import BALANCE, BOOKS
from tollkey.ledger.money import Money
from tollkey.ledger.store import LedgerEntry, NewEntry


class LedgerError(Exception):
    """The transaction is not valid: a bug in the caller, not an error of a customer."""


class Posting(NamedTuple):
    """An entry to write.

    book: one of ``tollkey.ledger.books.BOOKS``.
    currency: lower-case code, for example ``usd``.
    amount: minor units; positive adds to the book. Zero is allowed and writes no entry.
    source_type: ``card`` or ``bank_account``; the API breaks balances down by it.
    """

    book: str
    currency: str
    amount: int
    source_type: str = "card"


@dataclass(frozen=True, slots=True)
class Balance:
    """The balance of a book in one currency at one time, in minor units.

    available: can be paid out. pending: becomes available later.
    by_source: source type to (available, pending).
    """

    available: int
    pending: int
    by_source: dict[str, tuple[int, int]] = field(default_factory=dict)


def post(
    tx: Tx,
    scope: Scope,
    now: int,
    postings: Sequence[Posting],
    source: str,
    available_at: int | None = None,
    *,
    txn: str,
) -> str:
    """Write one transaction and return its id.

    tx: a write transaction of the database.
    now: UTC epoch seconds of the scope's clock (a test clock's time, if it has one).
    postings: they must sum to zero in each currency.
    source: id of the object that caused it, for example ``ch_…``.
    available_at: UTC epoch seconds from which postings to ``balance`` are available; None means at once.
    txn: the new id, ``txn_…``. Posting the same id again in a scope raises Duplicate, at the latest at the commit.

    Raises LedgerError when a currency does not sum to zero, a book is unknown or all amounts are zero; TypeError and
    ValueError as ``Money`` does.
    """
    lines = _lines(postings, available_at)
    currencies: dict[str, list[NewEntry]] = {}
    for line in lines:
        currencies.setdefault(line.currency, []).append(line)
    for currency, part in currencies.items():
        left = sum(line.amount for line in part)
        if left != 0:
            raise LedgerError(f"{txn}: the postings sum to {left} {currency}; a transaction sums to zero")
    store.write_transaction(tx, scope, txn, source, now)
    for part in currencies.values():
        store.write_lines(tx, scope, txn, part)
    store.add_to_totals(tx, scope, lines)
    return txn


def _lines(postings: Sequence[Posting], available_at: int | None) -> list[NewEntry]:
    lines = []
    for posting in postings:
        if posting.book not in BOOKS:
            raise LedgerError(f"unknown book: {posting.book!r}")
        money = Money(posting.amount, posting.currency)  # rejects floats and invalid currencies
        if not money.is_zero:
            due = available_at if posting.book == BALANCE else None
            lines.append(NewEntry(money.currency, posting.book, posting.source_type, money.amount, due))
    if not lines:
        raise LedgerError("a transaction needs a posting with an amount other than zero")
    return lines


def balance(tx: Tx, scope: Scope, now: int, book: str = BALANCE) -> dict[str, Balance]:
    """Return the balances of a book at ``now`` (UTC epoch seconds) by currency.

    Pending amounts become available as time passes, without a write. The cost does not depend on the number of entries:
    one row for each currency and source type, and one for each later second at which an amount becomes available.
    """
    dues = store.read_dues(tx, scope, book, now)
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for (currency, source_type), total_ in sorted(store.read_totals(tx, scope, book).items()):
        pending = dues.get((currency, source_type), 0)
        found.setdefault(currency, {})[source_type] = (total_ - pending, pending)
    return {
        currency: Balance(sum(a for a, _ in parts.values()), sum(p for _, p in parts.values()), parts)
        for currency, parts in found.items()
    }


def book_total(tx: Tx, scope: Scope, book: str, currency: str) -> int:
    """Return the sum of one book in one currency, available and pending, in minor units."""
    return sum(amount for (found, _), amount in store.read_totals(tx, scope, book).items() if found == currency)


def total(tx: Tx, scope: Scope, currency: str) -> int:
    """Return the sum of all books of a scope in one currency, in minor units: zero unless the ledger is corrupt."""
    return store.read_total_of_all_books(tx, scope, currency)


def entries(
    tx: Tx, scope: Scope, book: str | None = None, limit: int = 100, before: int | None = None
) -> list[LedgerEntry]:
    """Return entries, newest first.

    book: None for all books. limit: the maximum number; it may cut off entries of the last transaction.
    before: only entries with a smaller ``seq``, for the next page.
    """
    return store.read_entries(tx, scope, book, limit, before)


def audit(tx: Tx, scope: Scope) -> list[str]:
    """Recompute all sums from the entries and return a sentence for each difference; empty if the ledger is consistent.

    Reads every entry of the scope.
    """
    wrong = [f"{txn} sums to {amount} {currency}" for txn, currency, amount in store.unbalanced_transactions(tx, scope)]
    totals: dict[tuple[str, str, str], int] = {}
    dues: dict[tuple[str, str, str, int], int] = {}
    for book, currency, kind, due, amount in store.sums_of_entries(tx, scope):
        totals[book, currency, kind] = totals.get((book, currency, kind), 0) + amount
        if due is not None:
            dues[book, currency, kind, due] = amount
    wrong += _differences("total", totals, store.stored_totals(tx, scope))
    wrong += _differences("due", dues, store.stored_dues(tx, scope))
    return wrong


def _differences(what: str, counted: Mapping[Any, int], stored: Mapping[Any, int]) -> list[str]:
    keys = counted.keys() | stored.keys()
    return [
        f"{what} {key}: stored {stored.get(key, 0)}, entries {counted.get(key, 0)}"
        for key in sorted(keys, key=str)
        if stored.get(key, 0) != counted.get(key, 0)
    ]
