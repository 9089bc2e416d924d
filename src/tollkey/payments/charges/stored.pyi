"""Charges, refunds and disputes as they are stored, with their private fields."""

from typing import NotRequired, TypedDict

from tollkey.payments.balance.stored import PaymentSender
from tollkey.payments.methods.stored import SavedSource
from tollkey.wire import api

class DeclineFacts(TypedDict):
    """Why a charge failed: what its error tells. param: the parameter that is to blame."""

    code: str
    message: str
    decline_code: str | None
    param: str | None
    advice_code: NotRequired[str | None]
    network_decline_code: NotRequired[str | None]
    network_advice_code: NotRequired[str | None]

class LaterOutcome(TypedDict):
    """What becomes of a pending charge.

    status: succeeded or failed. failure: code and message of the failure, None for the usual ones. disputed: the bank
        disputes it once it has succeeded. ends_mandate: the failure makes the mandates of the account inactive.
    """

    status: str
    failure: tuple[str, str] | None
    disputed: bool
    ends_mandate: NotRequired[bool]

class StoredCharge(api.Charge):
    """A charge.

    destination: the account that a destination charge pays, for older versions. dispute: the id of its last dispute.
    invoice: the id of the invoice that it pays. order: always null. source: what was charged when that is a card, a
        bank account or a source; the sender of a payment that a transfer made. amount_updates: always empty; only
        charges of cards have it.
    _card: the key of the test card; None for anything else, absent in payments that transfers made.
    _decline: why it failed; None when it did not, absent in payments that transfers made.
    _later: what becomes of it; absent unless it is pending and will be settled.
    _uncollected: its balance transaction is still to come; absent otherwise.
    _attempt: the reference of what a processor on a network is being asked about it; absent when it is asked nothing.
    """

    destination: NotRequired[str | None]
    dispute: NotRequired[str | None]
    invoice: NotRequired[str | None]
    order: NotRequired[None]
    source: NotRequired[SavedSource | PaymentSender | None]
    amount_updates: NotRequired[list[None]]
    _card: NotRequired[str | None]
    _decline: NotRequired[DeclineFacts | None]
    _later: NotRequired[LaterOutcome]
    _uncollected: NotRequired[bool]
    _attempt: NotRequired[str]

class StoredRefund(api.Refund):
    """A refund. Those of payments that transfers made have no customer, customer_account and payment_method."""

class StoredDispute(api.Dispute):
    """A dispute.

    balance_transaction: the id of the first of its balance transactions, for older versions; null for an inquiry.
    _case: the processor's own id of it, empty if it has none; absent unless a processor on a network told it.
    _attempt: the reference of what that is being asked about it; absent when it is asked nothing.
    """

    balance_transaction: NotRequired[str | None]
    _case: NotRequired[str]
    _attempt: NotRequired[str]

class StoredAttempt(api.PaymentAttemptRecord):
    """An attempt of a payment that another processor made; all times in UTC epoch seconds.

    _initiated_at: when it began. _ended_at: when it was guaranteed, failed or was canceled; absent before.
    _refunds: the refunds that were reported, oldest first: when each was made, and the processor's reference of it.
    Attempts that earlier versions stored have none of them.
    """

    _initiated_at: NotRequired[int]
    _ended_at: NotRequired[int]
    _refunds: NotRequired[list[ReportedRefund]]

class ReportedRefund(TypedDict):
    """A refund that another processor made. amount: minor units. Times in UTC epoch seconds; None when not told."""

    amount: int
    initiated_at: int | None
    refunded_at: int
    reference: str | None
