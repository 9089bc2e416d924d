"""Posting money and reading balances.

What a positive amount means in each book of a merchant's scope:

    balance           what we owe the merchant
    network           what card networks and banks owe us (negative: what we drew from them)
    fees              what the merchant paid us for processing
    payouts           what is on its way to the merchant's bank
    topups            what the merchant sends us from a bank
    disputes          what customers' banks took back
    application_fees  what a platform took from, or was given by, its connected accounts
    connected         what a platform has passed on to its connected accounts
    platform          a connected account's side of the same
    tax, adjustments  withheld tax; corrections

Each transaction of a scope sums to zero by itself in every currency; a transfer between two
merchants is two transactions, tied through ``connected`` and ``platform``.

Writers of one scope must be serialised by the caller (``Database.write(lock=account)``): the
running totals move by relative updates, so nothing breaks without it, but a check such as "is
there enough to pay out" would race.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tollkey.db import Scope, Tx
from tollkey.ledger import store
from tollkey.ledger.money import Money
from tollkey.ledger.store import Entry, Line

BALANCE = "balance"
NETWORK = "network"
FEES = "fees"
PAYOUTS = "payouts"
TOPUPS = "topups"
DISPUTES = "disputes"
APPLICATION_FEES = "application_fees"
CONNECTED = "connected"
PLATFORM = "platform"
TAX = "tax"
ADJUSTMENTS = "adjustments"
ISSUING = "issuing"
BOOKS = frozenset(
    {
        BALANCE,
        NETWORK,
        FEES,
        PAYOUTS,
        TOPUPS,
        DISPUTES,
        APPLICATION_FEES,
        CONNECTED,
        PLATFORM,
        TAX,
        ADJUSTMENTS,
        ISSUING,
    }
)


class LedgerError(Exception):
    """A transaction that must not be written: a bug of the caller, never a customer's mistake."""


class Posting(NamedTuple):
    """One side of a transaction.

    book: one of BOOKS.
    currency: lower-case code.
    amount: minor units, positive adds to the book; zero is allowed and leaves no row.
    source_type: how the money came, ``card`` or ``bank_account`` (balances are shown by it).
    """

    book: str
    currency: str
    amount: int
    source_type: str = "card"


@dataclass(frozen=True, slots=True)
class Balance:
    """A book in one currency, at one moment, in minor units.

    by_source: the same by source type, as (available, pending).
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

    now: UTC epoch seconds of the scope's clock (a test clock's frozen time, where there is one).
    source: the object that caused it, for example ``ch_…``.
    available_at: from when the merchant's ``balance`` lines can be paid out; None means at once.
    txn: the new id, ``txn_…``; the same id twice in a scope raises Duplicate, and nothing is posted twice.

    Raises LedgerError when a currency does not sum to zero, a book is unknown or nothing is left to post.
    """
    lines = _lines(postings, available_at)
    currencies: dict[str, list[Line]] = {}
    for line in lines:
        currencies.setdefault(line.currency, []).append(line)
    for currency, part in currencies.items():
        left = sum(line.amount for line in part)
        if left != 0:
            raise LedgerError(f"{txn}: {left} {currency} too much; a transaction sums to zero")
    seq = store.write_transaction(tx, scope, txn, source, now)
    for part in currencies.values():
        store.write_lines(tx, scope, seq, part)
    store.add_to_totals(tx, scope, lines)
    return txn


def _lines(postings: Sequence[Posting], available_at: int | None) -> list[Line]:
    lines = []
    for posting in postings:
        if posting.book not in BOOKS:
            raise LedgerError(f"there is no book {posting.book!r}")
        money = Money(posting.amount, posting.currency)  # refuses floats and odd currencies
        if money:
            due = available_at if posting.book == BALANCE else None
            lines.append(Line(money.currency, posting.book, posting.source_type, money.amount, due))
    if not lines:
        raise LedgerError("a transaction without postings")
    return lines


def transfer(
    tx: Tx,
    sender: Scope,
    receiver: Scope,
    now: int,
    money: Money,
    source: str,
    available_at: int | None = None,
    *,
    txn: str,
    receiver_txn: str,
    source_type: str = "card",
) -> None:
    """Pass money from a platform's balance to a connected account's, as one transaction in each scope.

    money: negative takes it back (a reversal).
    available_at: when the receiver may pay it out; it leaves the sender's available balance at once.
    The caller serialises both scopes. Raises LedgerError when the two are one scope or of two modes.
    """
    if sender == receiver or sender.livemode != receiver.livemode:
        raise LedgerError("a transfer goes between two accounts in one mode")
    amount, currency = money.amount, money.currency
    out = (Posting(BALANCE, currency, -amount, source_type), Posting(CONNECTED, currency, amount, source_type))
    into = (Posting(BALANCE, currency, amount, source_type), Posting(PLATFORM, currency, -amount, source_type))
    post(tx, sender, now, out, source, None, txn=txn)
    post(tx, receiver, now, into, source, available_at, txn=receiver_txn)


def balance(tx: Tx, scope: Scope, now: int, book: str = BALANCE) -> dict[str, Balance]:
    """What stands in a book at ``now``, by currency. Pending becomes available by the clock alone.

    The cost does not grow with history: one row a currency and source type, and one for each
    later second that something becomes available at (in practice: a handful of days).
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
    """The sum of one book in one currency, available or not, in minor units."""
    return sum(amount for (found, _), amount in store.read_totals(tx, scope, book).items() if found == currency)


def total(tx: Tx, scope: Scope, currency: str) -> int:
    """All books of a scope in one currency added up: always zero."""
    return store.read_total_of_all_books(tx, scope, currency)


def entries(tx: Tx, scope: Scope, book: str | None = None, limit: int = 100, before: int | None = None) -> list[Entry]:
    """Entries of a book (None: of all), newest first.

    before: continue behind the entry with this ``seq``. A limit may cut a transaction in two.
    """
    return store.read_entries(tx, scope, book, limit, before)


def audit(tx: Tx, scope: Scope) -> list[str]:
    """Add up every entry again and name what does not fit; empty when the ledger is sound. Reads everything."""
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
