"""Transfers between a platform and its connected accounts: the payments they create (``py_``), and their reversals.

sender's balance ──transfer──▶ receiver's balance (a payment whose source is the sender)
       ◀──reversal── the payment is refunded
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tollkey import ledger
from tollkey.ledger import Money, Posting
from tollkey.ledger.books import CONNECTED, PLATFORM
from tollkey.payments.balance import kinds
from tollkey.payments.balance.platform_fees import (
    application_fee_postings,
    application_id,
    create_application_fee,
    pending_until,
    refund_application_fee,
)
from tollkey.payments.balance.settlement import record_exchange_rate, settlement_currency, to_settlement_currency
from tollkey.payments.balance.transactions import Booking, book, transaction_of
from tollkey.payments.shared import conversion, fields, receipt_links, rounding
from tollkey.wire import ApiError, Call, invalid, new_object
from tollkey.wire.pages import nested_list

if TYPE_CHECKING:
    from tollkey.payments.balance.stored import PaymentSender, StoredPayment
    from tollkey.wire import api

_TEST_FUNDS = (
    "You have insufficient available funds in your Stripe account. Try adding funds directly to your available balance"
    " by creating"
    " Charges using the 4000000000000077 test card. See: https://stripe.com/docs/testing#available-balance"
)
_LIVE_FUNDS = (
    "You have insufficient funds in your Stripe account. One likely reason you have insufficient funds is that your"
    " funds are"
    " automatically being paid out; try enabling manual payouts by going to"
    " https://dashboard.stripe.com/account/payouts."
)


def available(call: Call, currency: str, source_type: str = "card") -> Money:
    """Return the part of a balance that can be spent now."""
    found = ledger.balance(call.tx, call.scope, call.now).get(currency)
    return Money(found.by_source.get(source_type, (0, 0))[0] if found is not None else 0, currency)


def check_funds(call: Call, amount: Money, source_type: str = "card") -> None:
    """Raise ApiError 400 ``balance_insufficient`` if a transfer exceeds the available balance."""
    if amount > available(call, amount.currency, source_type):
        raise short_of_funds(call)


def short_of_funds(call: Call) -> ApiError:
    """Return the 400 error of a transfer that exceeds the balance."""
    return invalid(_LIVE_FUNDS if call.livemode else _TEST_FUNDS, None, "balance_insufficient", retry=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferOptions:
    """The optional settings of a transfer.

    charge: the ``source_transaction``; the money becomes available with the charge's. fee: the application fee that the
        receiver pays back, in the currency of the charge. source_type: ``card`` or ``bank_account``. payment:
        ``description`` and ``metadata`` of the payment in the receiver's account.
    """

    charge: api.Charge | None = None
    fee: Money | None = None
    description: str | None = None
    metadata: dict[str, str] | None = None
    source_type: str = "card"
    transfer_group: str | None = None
    payment: Mapping[str, Any] | None = None


def create_transfer(call: Call, destination: str, amount: Money, options: TransferOptions) -> api.Transfer:
    """Send money to another account. Stores the transfer, the payment there, balance transactions and events.

    The caller checks the balance and the destination.
    """
    charge = options.charge
    receiver, id, payment_id = call.within(destination), call.ids.new("tr"), call.ids.new("py")
    due = None
    if charge is not None and charge.get("balance_transaction"):
        due = transaction_of(call, charge["balance_transaction"])["available_on"]
    own = charge is not None and charge["currency"] == amount.currency
    sent = book(
        call,
        Booking(
            type="transfer",
            category="transfer",
            source=id,
            amount=-(to_settlement_currency(call, charge, amount) if charge is not None and own else amount),
            against=CONNECTED,
            description=options.description,
            available=due,
            source_type=options.source_type,
        ),
    )
    record_exchange_rate(call, sent, amount.currency)
    transfer = new_object(
        kinds.TRANSFER,
        id=id,
        amount=amount.amount,
        amount_reversed=0,
        balance_transaction=sent["id"],
        created=call.now,
        currency=amount.currency,
        description=options.description,
        destination=destination,
        destination_payment=payment_id,
        livemode=call.livemode,
        metadata=options.metadata or {},
        reversals=nested_list([], f"/v1/transfers/{id}/reversals", total_count=0),
        reversed=False,
        source_transaction=charge["id"] if charge is not None else None,
        source_type=options.source_type,
        transfer_group=options.transfer_group,
    )
    call.objects.insert(transfer, "transfer.created")
    create_destination_payment(call, receiver, transfer, due, options)
    return transfer


def create_destination_payment(
    call: Call, receiver: Call, transfer: api.Transfer, due: int | None, options: TransferOptions
) -> StoredPayment:
    """Store the payment in the receiving account, minus the application fee.

    due: when the money becomes available, UTC epoch seconds.
    """
    amount, id, charge = (
        Money(transfer["amount"], transfer["currency"]),
        transfer["destination_payment"],
        options.charge,
    )
    settles_in = settlement_currency(receiver, amount.currency)
    received = conversion.convert(amount, settles_in)
    fee_total = received.with_amount(0)
    fee: api.ApplicationFee | None = None
    parts: tuple[Posting, ...] = ()
    details: list[api.Fee] = []
    if options.fee is not None and not options.fee.is_zero and charge is not None:
        fee = create_application_fee(call, _receiver_id(transfer), id, options.fee, due, charge["id"])
        fee_total = conversion.convert(options.fee, settles_in)
        parts, details = application_fee_postings(call, fee_total)
    got = book(
        receiver,
        Booking(
            type="payment",
            category="charge",
            source=id,
            amount=received,
            against=PLATFORM,
            fee=fee_total,
            fee_details=details,
            available=due,
            postings=parts,
        ),
    )
    record_exchange_rate(receiver, got, amount.currency)
    payment = destination_payment(receiver, transfer, got["id"], call.account, fee)
    told = options.payment or {}
    payment.update({"description": told.get("description"), "metadata": dict(told.get("metadata") or {})})
    return receiver.objects.insert(payment, "payment.created")


def destination_payment(
    receiver: Call, transfer: api.Transfer, transaction: str, sender: str, fee: api.ApplicationFee | None = None
) -> StoredPayment:
    """Return the ``py_`` charge that a transfer creates in the receiving account; it is not stored."""
    amount = transfer["amount"]
    payment = new_object(
        kinds.PAYMENT,
        id=transfer["destination_payment"],
        amount=amount,
        amount_captured=amount,
        amount_refunded=0,
        application=application_id(sender),
        application_fee=fee["id"] if fee else None,
        application_fee_amount=conversion.convert(Money(fee["amount"], fee["currency"]), transfer["currency"]).amount
        if fee
        else None,
        balance_transaction=transaction,
        billing_details={
            "address": dict.fromkeys(fields.ADDRESS),
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        captured=True,
        created=receiver.now,
        currency=transfer["currency"],
        disputed=False,
        livemode=receiver.livemode,
        paid=True,
        payment_method_details={"stripe_account": {}, "type": "stripe_account"},
        receipt_url=receipt_links.receipt_url(receiver, transfer["destination_payment"]),
        refunded=False,
        source_transfer=transfer["id"],
        status="succeeded",
    )
    payment.update({"destination": None, "dispute": None, "invoice": None, "order": None})
    payment["source"] = _sender(receiver, sender)
    return payment


def _sender(receiver: Call, sender: str) -> PaymentSender:
    account = receiver.within(receiver.platform).objects.find(fields.ACCOUNT, sender)
    profile = account.get("business_profile") if account else None
    base = receiver.setup.base_url
    return {
        "id": sender,
        "object": "account",
        "application_icon": f"{base}/icons/{sender}",
        "application_logo": f"{base}/logos/{sender}",
        "application_name": (profile.get("name") if profile else None) or "",
        "application_url": (profile.get("url") if profile else None) or base,
    }


def _receiver_id(transfer: api.Transfer) -> str:
    id = transfer["destination"]
    assert id is not None, "every transfer goes to an account"
    return id


def check_reversible(call: Call, transfer: api.Transfer, amount: Money) -> None:
    """Raise ApiError 400 if the receiver of a transfer with a transfer group lacks the money for a reversal.

    A transfer out of a charge, or without a group, is reversed in any case: the receiver's balance may become negative.
    """
    if transfer["transfer_group"] is None or transfer["source_transaction"] is not None:
        return
    receiver = call.within(_receiver_id(transfer))
    payment = receiver.objects.get(kinds.PAYMENT, transfer["destination_payment"])
    taken = conversion.convert(amount, transaction_of(receiver, payment["balance_transaction"])["currency"])
    found = ledger.balance(receiver.tx, receiver.scope, receiver.now).get(taken.currency)
    if found is None or found.available + found.pending < taken.amount:
        message = "Insufficient funds in the destination account to reverse this transfer."
        raise invalid(message, "amount", "balance_insufficient", retry=False)


def reverse_transfer(
    call: Call,
    transfer: api.Transfer,
    amount: Money,
    *,
    refund: api.Refund | None = None,
    refund_fee: bool = False,
    description: str | None = None,
    metadata: dict[str, str] | None = None,
) -> api.TransferReversal:
    """Reverse a transfer, in part or in full, and refund the payment that it created.

    amount: minor units. refund: the refund of the charge that caused the reversal, or None. refund_fee: also refund the
        same proportion of the payment's application fee.
    """
    receiver = call.within(_receiver_id(transfer))
    payment = receiver.objects.get(kinds.PAYMENT, transfer["destination_payment"])
    id, refund_id = call.ids.new("trr"), call.ids.new("pyr")
    held_in = transaction_of(call, transfer["balance_transaction"])["currency"]
    back = book(
        call,
        Booking(
            type="transfer_refund",
            category="transfer_reversal",
            source=transfer["id"],
            amount=conversion.convert(amount, held_in),
            against=CONNECTED,
            description=description or f"REFUND FOR TRANSFER{_about(transfer)}",
            available=pending_until(call, transfer["balance_transaction"]),
            source_type=transfer["source_type"],
        ),
    )
    record_exchange_rate(call, back, amount.currency)
    mirror = refund_payment(receiver, payment, amount, refund_id, reversal=id)
    reversal = new_object(
        kinds.TRANSFER_REVERSAL,
        id=id,
        amount=amount.amount,
        balance_transaction=back["id"],
        created=call.now,
        currency=amount.currency,
        destination_payment_refund=mirror["id"],
        metadata=metadata or {},
        source_refund=refund["id"] if refund is not None else None,
        transfer=transfer["id"],
    )
    call.objects.insert(reversal)
    fee_id = payment.get("application_fee")
    if refund_fee and fee_id:
        fee = call.within(call.platform).objects.get(kinds.APPLICATION_FEE, fee_id)
        refund_application_fee(call, fee, rounding.share_down(fee["amount"], amount.amount, transfer["amount"]))
    transfer["amount_reversed"] += amount.amount
    transfer["reversed"] = transfer["amount_reversed"] >= transfer["amount"]
    fields.count_part(call, transfer["reversals"], "transfer_reversal", {"transfer": transfer["id"]})
    call.objects.save(transfer, "transfer.reversed")
    return reversal


def _about(value: api.Transfer | api.Charge) -> str:
    return f" ({value['description']})" if value.get("description") else ""


def refund_payment(receiver: Call, payment: api.Charge, amount: Money, id: str, *, reversal: str | None) -> api.Refund:
    """Refund the payment of a transfer (``pyr_``), with its balance transaction and event. amount: minor units."""
    original = transaction_of(receiver, payment["balance_transaction"])
    given = book(
        receiver,
        Booking(
            type="payment_refund",
            category="refund",
            source=id,
            amount=-conversion.convert(amount, original["currency"]),
            against=PLATFORM,
            description=f"REFUND FOR PAYMENT{_about(payment)}",
            available=pending_until(receiver, original["id"]),
        ),
    )
    record_exchange_rate(receiver, given, payment["currency"])
    mirror = new_object(
        kinds.REFUND,
        id=id,
        amount=amount.amount,
        balance_transaction=given["id"],
        charge=payment["id"],
        created=receiver.now,
        currency=payment["currency"],
        source_transfer_reversal=reversal,
        status="succeeded",
        transfer_reversal=reversal,
    )
    receiver.objects.insert(mirror)
    payment["amount_refunded"] += amount.amount
    payment["refunded"] = payment["amount_refunded"] >= payment["amount"]
    receiver.objects.save(payment, "charge.refunded")
    return mirror
