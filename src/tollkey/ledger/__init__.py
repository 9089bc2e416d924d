"""The double-entry ledger. Every transaction sums to zero; the code and the database both check it.

An entry belongs to a *book* (``balance``, ``fees``, …) of a scope; ``account`` always means the merchant.
"""

from tollkey.ledger.ledger import (
    ADJUSTMENTS,
    APPLICATION_FEES,
    BALANCE,
    BOOKS,
    CONNECT_RESERVED,
    CONNECTED,
    DISPUTES,
    FEES,
    ISSUING,
    NETWORK,
    PAYOUTS,
    PLATFORM,
    TAX,
    TOPUPS,
    Balance,
    LedgerError,
    Posting,
    audit,
    balance,
    book_total,
    entries,
    post,
    total,
)
from tollkey.ledger.money import CurrencyMismatch, Money
from tollkey.ledger.store import MIGRATION, LedgerEntry

__all__ = [
    "ADJUSTMENTS",
    "APPLICATION_FEES",
    "BALANCE",
    "BOOKS",
    "CONNECTED",
    "CONNECT_RESERVED",
    "DISPUTES",
    "FEES",
    "ISSUING",
    "MIGRATION",
    "NETWORK",
    "PAYOUTS",
    "PLATFORM",
    "TAX",
    "TOPUPS",
    "Balance",
    "CurrencyMismatch",
    "LedgerEntry",
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
