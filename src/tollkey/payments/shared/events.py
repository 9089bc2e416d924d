"""Facts: changes that a package announces to the packages above it with ``Call.announce``.

A package never calls a package above it. A resource there declares its reaction to a fact in ``Resource.on``; the
reaction runs at once, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tollkey.payments.charges.stored import StoredRefund
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.intents.stored import AnyIntent, StoredPaymentIntent, StoredSetupIntent
    from tollkey.payments.invoices.stored import StoredInvoice
    from tollkey.payments.processors.attempts import Attempt
    from tollkey.payments.processors.network import Notice
    from tollkey.wire import ApiError, api


@dataclass(frozen=True)
class AttemptEnded:
    """What was asked of a processor on a network was approved, declined, withdrawn or undone."""

    attempt: Attempt


@dataclass(frozen=True)
class AttemptWaits:
    """What became of something that a processor was asked is not known yet."""

    attempt: Attempt


@dataclass(frozen=True)
class Settled:
    """A processor told a line of a settlement.

    expected: its amount as this server knows it, signed, in minor units. attempt: what it is about, None if unknown.
    """

    notice: Notice
    expected: int
    attempt: Attempt | None


@dataclass
class MoneyTold:
    """A processor told that money came back or was taken back, or how a dispute ended.

    attempt: what it is about. difference: why nothing was done about it, for people; a reaction that did something
    empties it, one that refuses says why.
    """

    notice: Notice
    attempt: Attempt
    difference: str


@dataclass(frozen=True)
class IntentActs:
    """A PaymentIntent is confirmed, or its challenge was passed, and is paid now. Reactions may raise ApiError."""

    intent: StoredPaymentIntent


@dataclass(frozen=True)
class IntentChanged:
    """A PaymentIntent or SetupIntent has been confirmed, challenged, refused or completed."""

    intent: AnyIntent


@dataclass(frozen=True)
class SetupSucceeded:
    """A SetupIntent has succeeded: its payment method is saved."""

    intent: StoredSetupIntent


@dataclass(frozen=True)
class IntentSucceeded:
    """The payment of a PaymentIntent has succeeded."""

    intent: StoredPaymentIntent


@dataclass(frozen=True)
class IntentRefusedLater:
    """The processor of a PaymentIntent has refused, after the request or job that asked. off_session: its customer was
    absent.
    """

    intent: StoredPaymentIntent
    error: ApiError
    off_session: bool


@dataclass(frozen=True)
class Refunded:
    """A refund was created. whole: it refunds the full charge at once."""

    refund: StoredRefund
    whole: bool


@dataclass(frozen=True)
class InvoicePaid:
    """An invoice was paid, by a payment, from the customer's balance or out of band."""

    invoice: StoredInvoice


@dataclass(frozen=True)
class InvoicePaymentFailed:
    """An attempt to collect an invoice has failed."""

    invoice: StoredInvoice


@dataclass(frozen=True)
class InvoiceVoided:
    """An open invoice was voided."""

    invoice: StoredInvoice


@dataclass(frozen=True)
class InvoiceWrittenOff:
    """An open invoice was marked uncollectible."""

    invoice: StoredInvoice


@dataclass(frozen=True)
class InvoiceOverdue:
    """The due date of an unpaid invoice has passed."""

    invoice: StoredInvoice


@dataclass(frozen=True)
class TaxLocationMissing:
    """An invoice was finalized without automatic tax, because the customer's location is not known."""

    invoice: StoredInvoice


@dataclass(frozen=True)
class MethodRemoved:
    """A payment method or source is no longer a customer's. customer, method: ids."""

    customer: str
    method: str


@dataclass(frozen=True)
class UsageReported:
    """Usage of a customer was reported. meter: the billing meter that counts it; None for usage records."""

    customer: str
    meter: api.BillingMeter | None = None


@dataclass(frozen=True)
class CustomerDeleted:
    """A customer is being deleted."""

    customer: StoredCustomer


@dataclass(frozen=True)
class CustomerSubscribed:
    """A customer was created or updated with ``plan``, before 2020-08-27. terms: parameters of its subscription."""

    customer: StoredCustomer
    terms: Mapping[str, Any]
