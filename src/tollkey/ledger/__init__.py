"""The double-entry ledger. Every transaction sums to zero; the code and the database both check it.

An entry belongs to a *book* of a scope, named by a constant of ``tollkey.ledger.books``; ``account`` always means the
merchant.
"""

from tollkey.ledger.ledger import Balance, LedgerError, Posting, audit, balance, book_total, entries, post, total
from tollkey.ledger.money import CurrencyMismatch, Money
from tollkey.ledger.store import MIGRATION

__all__ = [
    "MIGRATION",
    "Balance",
    "CurrencyMismatch",
    "LedgerError",
    "Money",
    "Posting",
    "audit",
    "balance",
    "book_total",
    "entries",
    "post",
    "total",
]
