"""Settlements of processors in the ledger: what reached the bank, what was kept, and what does not agree.

    network     what the processor owes falls by what was expected   (payouts: what is in transit)
    bank        what reached the bank: the line's amount without its fee
    fees        what the processor kept
    suspense    the difference between the line and what was expected

The balance of the merchant is not changed: a difference is a question for a person, and stays in ``suspense`` until one
has answered it.
"""

from __future__ import annotations

from tollkey import ledger
from tollkey.ledger import Posting
from tollkey.ledger.books import BANK, NETWORK, PAYOUTS, PROCESSOR_FEES, SUSPENSE
from tollkey.payments.shared import events
from tollkey.wire import Call


def settled(call: Call, fact: events.Settled) -> None:
    """Post a line of a settlement."""
    notice, expected = fact.notice, fact.expected
    owed = PAYOUTS if fact.attempt is not None and fact.attempt.operation == "payout" else NETWORK
    parts = {
        owed: expected,
        BANK: notice.fee - notice.amount,
        PROCESSOR_FEES: -notice.fee,
        SUSPENSE: notice.amount - expected,
    }
    postings = [Posting(book, notice.currency, amount, "card") for book, amount in parts.items() if amount]
    if postings:
        source = fact.attempt.object if fact.attempt is not None else notice.id
        ledger.post(call.tx, call.scope, call.now, postings, source, txn=call.ids.new("txn"))
