"""Refunds: their checks, their ledger entries, and the later outcomes that some test cards simulate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.ledger import Money
from tollkey.ledger.books import NETWORK
from tollkey.payments.balance import kinds as balance_kinds
from tollkey.payments.balance import settlement, transactions
from tollkey.payments.charges import (
    details,
    dispute_rules,
    jobs,
    kinds,
    refund_objects,
    splitting,
    states,
    through_network,
)
from tollkey.payments.charges.lifecycle import with_balance_transaction
from tollkey.payments.processors import asking, attempts, cards
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import events, fields, providers
from tollkey.wire import Call, invalid
from tollkey.wire.errors import too_small

if TYPE_CHECKING:
    from tollkey.payments.balance.stored import StoredBalanceTransaction
    from tollkey.payments.charges.refund_objects import RefundParams
    from tollkey.payments.charges.stored import StoredCharge, StoredRefund

_PART_OF_UNCAPTURED = (
    "You cannot partially refund an uncaptured charge. Instead, capture the charge for an amount less than the original"
    " amount."
)
_FROM_BANK = ("us_bank_account", "sepa_debit", "ach_debit")


def refund(call: Call, charge: StoredCharge, params: RefundParams) -> StoredRefund:
    """Refund a charge in full or in part, with its events.

    params: ``amount`` (minor units; by default the rest), ``reason``, ``metadata``, ``reverse_transfer``,
        ``refund_application_fee``.
    Raises ApiError with the recorded texts if it was refunded before, is disputed, or less is left.
    """
    call.require(providers.REFUNDS)
    through_network.check_free(charge)
    with_balance_transaction(call, charge)
    left = check_refundable(call, charge, params.get("amount"))
    if "currency" in params and params["currency"].lower() != charge["currency"]:
        raise invalid(f"The currency of a refund is that of its charge: {charge['currency']}.", "currency")
    _check_transfer(charge, params)
    amount = params.get("amount") or left
    outcome = _outcome(charge)
    if not charge["captured"] and not charge["amount_captured"]:
        return _release(call, charge, params)
    value = refund_objects.new_refund(call, charge, amount, params)
    asked = _ask(call, charge, value)
    if asked or outcome is cards.RefundOutcome.PENDING:
        value["status"] = states.REFUND.start("pending")
        value["pending_reason"] = "processing"
    transaction = _book(call, charge, value, -Money(amount, charge["currency"]))
    value["balance_transaction"] = transaction["id"]
    splitting.reverse_shares(
        call,
        charge,
        value,
        reverse=bool(params.get("reverse_transfer")),
        fee=bool(params.get("refund_application_fee")),
    )
    call.objects.insert(value, "refund.created")
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] >= charge["amount"]
    call.objects.save(charge, "charge.refunded")
    call.announce(events.Refunded(value, whole=amount == charge["amount"]))
    _close_review_and_warnings(call, charge, params.get("reason"))
    if not asked and outcome is not cards.RefundOutcome.SUCCEEDED:
        call.schedule.add(call.now + fields.settle_seconds(call), jobs.REFUND_SETTLE, value["id"])
    return value


def _ask(call: Call, charge: StoredCharge, value: StoredRefund) -> bool:
    """Ask the account's processor for a refund, if that is on a network; the refund is pending until it answers.

    Returns whether it was asked. Raises ApiError 400 for what it does not do.
    """
    backend = asking.backend_of(call)
    if backend is None:
        return False
    if value["amount"] < charge["amount_captured"] and not backend.features.partial_refund:
        raise invalid("The processor of this account refunds only the full amount.", "amount", retry=False)
    through_network.ask_about(call, backend, charge, "refund", value["id"], value["amount"], {})
    return True


def attempt_ended(call: Call, fact: events.AttemptEnded) -> None:
    """Let a refund succeed or fail, as its processor has decided."""
    attempt = fact.attempt
    if attempt.operation == "void":
        _released(call, attempt)
    value = call.objects.find(kinds.REFUND, attempt.object) if attempt.operation == "refund" else None
    if value is None or value["status"] != "pending":
        return
    if attempt.state == "approved":
        complete_delayed_refund(call, value["id"])
    else:
        return_refund(call, value, "failed", "declined")


def _check_transfer(charge: StoredCharge, params: RefundParams) -> None:
    """Raise ApiError 400 if a transfer is to be reversed, or a fee refunded, that the charge does not have.

    A missing application fee is no error of a charge with a transfer: recorded for ``transfer_data[amount]``.
    Source of the second text: alf.io issue 739.
    """
    if params.get("reverse_transfer") and not charge.get("transfer"):
        message = f"Cannot reverse transfer on charge `{charge['id']}` because it does not have an associated transfer."
        raise invalid(message, "reverse_transfer", retry=False)
    if params.get("refund_application_fee") and not charge.get("transfer") and not charge["application_fee"]:
        message = f"Attempting to refund_application_fee on {charge['id']}, but it has no application fee"
        raise invalid(message, "refund_application_fee", retry=False)


def check_refundable(call: Call, charge: StoredCharge, amount: int | None) -> int:
    """Return the amount left to refund, in minor units. Raises ApiError if less than ``amount`` is left."""
    id = charge["id"]
    refund_objects.check_settled(charge)
    in_parts = not charge["captured"] and charge["amount_captured"] > 0  # the last capture is still to come
    left = (charge["amount_captured"] if in_parts else charge["amount"]) - charge["amount_refunded"]
    currency = charge["currency"]
    if left <= 0:
        raise invalid(f"Charge {id} has already been refunded.", None, "charge_already_refunded", retry=False)
    if charge["disputed"] and not _refundable_in_dispute(call, charge):
        raise invalid(
            f"Charge {id} has been charged back; cannot issue a refund.", None, "charge_disputed", retry=False
        )
    if amount is None:
        return int(left)
    if amount < 1:
        raise too_small("amount")
    if amount > charge["amount"]:
        whole = shared_currency.show(charge["amount"], currency)
        message = f"Refund amount ({shared_currency.show(amount, currency)}) is greater than charge amount ({whole})"
        raise invalid(message, "amount", retry=False)
    if amount > left:
        message = (
            f"Refund amount ({shared_currency.show(amount, currency)}) is greater than unrefunded amount on charge"
            f" ({shared_currency.show(left, currency)})"
        )
        raise invalid(message, "amount", retry=False)
    return int(left)


def _refundable_in_dispute(call: Call, charge: StoredCharge) -> bool:
    dispute = call.objects.find(kinds.DISPUTE, charge["dispute"] or "")
    return dispute is None or bool(dispute["is_charge_refundable"])


def _outcome(charge: StoredCharge) -> cards.RefundOutcome:
    key = charge.get("_card")
    card = cards.by_key(key) if key else None
    return card.refund if card is not None else cards.RefundOutcome.SUCCEEDED


def _release(call: Call, charge: StoredCharge, params: RefundParams) -> StoredRefund:
    """Refund an uncaptured charge by releasing its authorization; no money moves.

    Raises ApiError 400 if only a part is asked for: a part is released by capturing the other one.
    """
    if (params.get("amount") or charge["amount"]) < charge["amount"]:
        raise invalid(_PART_OF_UNCAPTURED, "amount", retry=False)
    backend = asking.backend_of(call)
    if backend is not None:
        value = refund_objects.new_refund(call, charge, charge["amount"], params)
        value["status"] = states.REFUND.start("pending")
        value["pending_reason"] = "processing"
        id, amount = value["id"], charge["amount"]
        charge["_attempt"] = through_network.ask_about(call, backend, charge, "void", id, amount, {})
        call.objects.save(charge)
        return call.objects.insert(value, "refund.created")
    value = refund_objects.released(call, charge, charge["amount"], params)
    _mark_released(call, charge)
    return value


def _mark_released(call: Call, charge: StoredCharge) -> None:
    charge.update({"amount_refunded": charge["amount"], "refunded": True})
    call.schedule.cancel(jobs.CHARGE_EXPIRE, charge["id"])
    call.objects.save(charge, "charge.refunded")


def _released(call: Call, attempt: attempts.Attempt) -> None:
    """Let the refund of an uncaptured charge succeed, or fail and leave the charge as it was. No money has moved."""
    value = call.objects.find(kinds.REFUND, attempt.object) if attempt.object.startswith("re_") else None
    if value is None or value["status"] != "pending":
        return
    charge = call.objects.get(kinds.CHARGE, value["charge"] or "")
    charge.pop("_attempt", None)
    value.pop("pending_reason", None)
    if attempt.state == "approved":
        states.REFUND.set(value, "succeeded")
        _mark_released(call, charge)
    else:
        states.REFUND.set(value, "failed")
        value["failure_reason"] = "declined"
        call.objects.save(charge)
    call.objects.save(value, "refund.updated")
    if value["status"] == "failed":
        call.emit("refund.failed", value)


def _book(
    call: Call, charge: StoredCharge, value: StoredRefund, amount: Money, failed: bool = False
) -> StoredBalanceTransaction:
    payment = charge["id"].startswith("py_")
    about = "PAYMENT" if payment else "CHARGE"
    text = f"REFUND {'FAILURE' if failed else 'FOR'} {'' if not failed else '('}{about}{')' if failed else ''}"
    if charge["description"]:
        text += f" ({charge['description']})"
    original = call.objects.find(balance_kinds.BALANCE_TRANSACTION, charge["balance_transaction"] or "")
    due = original["available_on"] if original is not None and original["available_on"] > call.now else None
    kind = details.of_charge(charge)["type"]
    category = "refund_failure" if failed else "refund"
    type = (
        "payment_failure_refund"
        if failed and payment
        else "refund_failure"
        if failed
        else "payment_refund"
        if payment
        else "refund"
    )
    transaction = transactions.book(
        call,
        transactions.Booking(
            type=type,
            category=category,
            source=value["id"],
            amount=settlement.to_settlement_currency(call, charge, amount),
            against=splitting.counter_book(charge) or NETWORK,
            description=text,
            available=due,
            source_type="bank_account" if kind in _FROM_BANK else "card",
        ),
    )
    return settlement.record_exchange_rate(call, transaction, value["currency"])


def _close_review_and_warnings(call: Call, charge: StoredCharge, reason: str | None) -> None:
    """Close the open review of a refunded charge; a full refund makes its fraud warnings not actionable."""
    if reason == "fraudulent":
        charge["fraud_details"] = {**(charge["fraud_details"] or {}), "user_report": "fraudulent"}
        call.objects.save(charge, "charge.updated")
    review = call.objects.find(kinds.REVIEW, charge["review"] or "")
    if review is not None and review["open"]:
        closed = "refunded_as_fraud" if reason == "fraudulent" else "refunded"
        review.update({"open": False, "closed_reason": closed, "reason": closed})
        call.objects.save(review, "review.closed")
    if charge["refunded"]:
        dispute_rules.after_refund(call, charge)
        for warning in call.objects.query(kinds.EARLY_FRAUD_WARNING, {"charge": charge["id"]}):
            warning["actionable"] = False
            call.objects.save(warning, "radar.early_fraud_warning.updated")


def complete_delayed_refund(call: Call, id: str) -> None:
    """Run the job ``refund.settle``: a pending refund succeeds; the failing test card's refund fails."""
    value = call.objects.find(kinds.REFUND, id)
    if value is None or value["status"] not in ("pending", "succeeded"):
        return
    if value["status"] == "pending":
        states.REFUND.set(value, "succeeded")
        value.pop("pending_reason", None)
        call.objects.save(value, "refund.updated")
        call.emit("charge.refund.updated", value)
    else:
        return_refund(call, value, "failed")


def return_refund(
    call: Call, value: StoredRefund, status: str, reason: str = "expired_or_canceled_card"
) -> StoredRefund:
    """Return the money of a failed or canceled refund to the balance.

    status: ``failed`` or ``canceled``. reason: ``failure_reason`` of a failed one.
    """
    charge = call.objects.get(kinds.CHARGE, value["charge"] or "")
    transaction = _book(call, charge, value, Money(value["amount"], value["currency"]), failed=True)
    states.REFUND.set(value, status)
    value["failure_balance_transaction"] = transaction["id"]
    value.pop("pending_reason", None)
    if status == "failed":
        value["failure_reason"] = reason
    charge["amount_refunded"] -= value["amount"]
    charge["refunded"] = False
    call.objects.save(charge)
    call.objects.save(value, "refund.updated")
    call.emit("charge.refund.updated", value)
    if status == "failed":
        call.emit("refund.failed", value)
    return value
