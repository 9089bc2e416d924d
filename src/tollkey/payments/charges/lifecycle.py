"""The lifecycle of charges. Charges, intents, invoices and payment links all create their charges here.

charge() ──▶ failed
   │────▶ pending ──complete_pending_charge()──▶ succeeded │ failed
   │────▶ succeeded, not captured ──capture()──▶ captured
   │                               └─release()─▶ refunded in full
   └────▶ succeeded, captured ──▶ dispute, early fraud warning or review, as the test card asks
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Final, cast

from tollkey.ledger import Money
from tollkey.ledger.books import NETWORK
from tollkey.payments.balance import fees, settlement, transactions
from tollkey.payments.charges import details, jobs, kinds, refund_objects, splitting, states
from tollkey.payments.charges.attempts import Attempt, new_charge
from tollkey.payments.charges.dispute_rules import after_charge, open_dispute
from tollkey.payments.methods import kinds as methods_kinds
from tollkey.payments.methods import mandates, source_limits
from tollkey.payments.processors import cards, processor_for, protocol
from tollkey.payments.shared import conversion, providers, receipt_links
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import fields as shared_fields
from tollkey.wire import ApiError, Call, invalid, new_object
from tollkey.wire.errors import card_error, too_small
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.charges.stored import StoredCharge
    from tollkey.payments.methods.stored import Instrument
    from tollkey.wire import api
    from tollkey.wire.api import EventType

__all__ = [
    "Attempt",
    "authorizable",
    "capture",
    "capture_part",
    "charge",
    "complete_pending_charge",
    "decline",
    "release",
    "take",
    "with_balance_transaction",
]  # fmt: skip

#: How long an authorization is valid.
HOLDS_SECONDS = 7 * 86_400
#: How long after the response an asynchronous capture gets its balance transaction.
COLLECT_SECONDS = 1
#: Before this version ``decline_code`` was left out where it only repeats ``code`` (recorded).
_DECLINE_CODE_ALWAYS = "2024-01-01"
#: The event of a new charge, by what became of it.
_EVENTS: Final[Mapping[str, EventType]] = {
    "failed": "charge.failed",
    "pending": "charge.pending",
    "succeeded": "charge.succeeded",
}
#: Declines that create no charge (recorded).
_WITHOUT_CHARGE = frozenset({"india_recurring_payment_mandate_canceled"})


def authorizable(call: Call) -> None:
    """Raise ApiError 402 ``testmode_charges_only`` if this mode has no provider for charges."""
    processor_for(call.livemode).check()


def charge(call: Call, attempt: Attempt, answered: protocol.Verdict | None = None) -> StoredCharge:
    """Make one payment attempt and store the charge, succeeded, pending or failed, with its event.

    answered: the verdict of a processor on a network, which was asked before; None asks the one of this mode.
    A decline does not raise. Raises ApiError only if this mode has no provider for charges.
    """
    instrument = attempt.payment_method or new_object(methods_kinds.SOURCE, type="card")
    request = protocol.Authorization(
        attempt.amount, attempt.currency, instrument, attempt.off_session, attempt.authenticated
    )
    source = instrument if methods_kinds.is_source(instrument) else None
    refused = answered is None and source and source_limits.refusal(source, attempt.amount, attempt.currency)
    if answered is not None:
        verdict = answered
    elif refused:
        verdict = protocol.Verdict("failed", refused)
    else:
        verdict = processor_for(call.livemode).authorize(request, call.ids)
    value = new_charge(call, attempt, verdict)
    if attempt.payment_method is not None:
        _remember_checks(call, attempt.payment_method, value)
    if verdict.status == "pending" and verdict.later is not None:
        value["_later"] = {
            "status": verdict.later,
            "failure": verdict.failure,
            "disputed": verdict.disputed,
            "ends_mandate": verdict.ends_mandate,
        }
        call.schedule.add(
            max(call.now, attempt.not_before) + (verdict.after_seconds or shared_fields.settle_seconds(call)),
            jobs.CHARGE_SETTLE,
            value["id"],
            shared_fields.clock_of(call, attempt.customer),
        )
    elif verdict.status == "succeeded":
        take(call, value, asynchronous=attempt.asynchronous)
    call.objects.insert(value, _EVENTS[verdict.status])
    if source is not None and verdict.status != "failed":
        source_limits.charged(call, source, attempt.amount)
    card = protocol.card_of_instrument(instrument)
    if verdict.status == "succeeded" and card is not None:
        after_charge(call, value, card, attempt.authenticated)
    return value


def take(call: Call, value: StoredCharge, *, asynchronous: bool = False) -> None:
    """Take the money of a charge that was approved: now, a moment later, or within the time that it is held.

    asynchronous: its balance transaction may be created a moment later.
    """
    if value["captured"] and asynchronous and _can_wait(value):
        value["_uncollected"] = True
        call.schedule.add(call.real + COLLECT_SECONDS, jobs.CHARGE_COLLECT, value["id"])
    elif value["captured"]:
        _book_captured_amount(call, value, value["amount_captured"])
    elif value["payment_intent"] is None:
        call.schedule.add(
            call.now + HOLDS_SECONDS, jobs.CHARGE_EXPIRE, value["id"], shared_fields.clock_of(call, value["customer"])
        )


def _remember_checks(call: Call, instrument: Instrument, value: StoredCharge) -> None:
    """Copy the results of the bank's checks to the stored card (recorded)."""
    card = details.of_charge(value).get("card")
    # a card that no customer has saved is not stored
    stored = bool(instrument.get("customer")) or not methods_kinds.is_card(instrument)
    if card and stored and "id" in instrument and call.objects.find(instrument["object"], instrument["id"]) is not None:
        checks = card["checks"]
        assert checks is not None, "every charge of a card tells its checks"
        if methods_kinds.is_payment_method(instrument):
            instrument["card"]["checks"] = checks.copy()
        elif methods_kinds.is_card(instrument):
            instrument.update(
                {
                    "cvc_check": checks["cvc_check"],
                    "address_line1_check": checks["address_line1_check"],
                    "address_zip_check": checks["address_postal_code_check"],
                }
            )
        call.objects.save(instrument)


def _can_wait(value: StoredCharge) -> bool:
    """Return whether the balance transaction of a card charge may be created later.

    It may not if the test card disputes the charge or makes its money available at once.
    """
    card = _card(value)
    return card is not None and card.dispute is None and not card.bypass_pending


def with_balance_transaction(call: Call, value: StoredCharge) -> StoredCharge:
    """Return the charge with its balance transaction.

    For an asynchronous capture it is created now, with ``charge.updated``.
    """
    if value.pop("_uncollected", None):
        call.schedule.cancel(jobs.CHARGE_COLLECT, value["id"])
        _book_captured_amount(call, value, value["amount_captured"])
        call.objects.save(value, "charge.updated")
    return value


def _book_captured_amount(call: Call, value: StoredCharge, captured: int) -> None:
    """Post captured money: balance transaction, ledger, and the shares of connected accounts and platforms.

    captured: the amount captured now, in minor units of the charge's currency.
    """
    card = _card(value)
    currency = settlement.currency_to_settle_in(call, value)
    amount = conversion.convert(Money(captured, value["currency"]), currency)
    kind = details.of_charge(value)["type"]
    country = shared_fields.account_country(call)
    if kind in ("us_bank_account", "sepa_debit"):
        fee = fees.bank_debit_fee(amount, kind)
    else:
        fee = fees.processing_fee(amount, card.country if card else None, country)
    if call.livemode:
        fee = amount.with_amount(0)  # what the processor keeps is told by its settlement
    fee = min(fee, amount)
    bypass = card is not None and card.bypass_pending
    fee_details = [] if fee.is_zero else [transactions.stripe_fee(fee, "Stripe processing fees")]
    parts, extra = splitting.application_fee(call, value, currency)
    transaction = transactions.book(
        call,
        transactions.Booking(
            type="charge" if value["id"].startswith("ch_") else "payment",
            category="charge",
            source=value["id"],
            amount=amount,
            against=NETWORK,
            fee=sum((Money(part.amount, part.currency) for part in parts), fee),
            fee_details=fee_details + extra,
            description=value["description"],
            available=None if bypass else transactions.available_on(call),
            source_type="bank_account" if kind in ("us_bank_account", "sepa_debit", "ach_debit") else "card",
            postings=parts,
        ),
    )
    value["balance_transaction"] = settlement.record_exchange_rate(call, transaction, value["currency"])["id"]
    splitting.transfer_to_destination(call, value)


def _card(value: StoredCharge) -> cards.TestCard | None:
    key = value.get("_card")
    return cards.by_key(key) if key else None


def complete_pending_charge(call: Call, id: str) -> StoredCharge:
    """Make a pending charge succeed or fail, and schedule the job ``payment_intent.charge_settled`` of its intent.

    Returns the charge; one that is not pending is returned unchanged.
    """
    value = call.objects.get(kinds.CHARGE, id)
    later = value.pop("_later", None)
    if value["status"] != "pending" or later is None:
        return value
    if later["status"] == "failed":
        code, message = later["failure"] or ("generic_could_not_process", "The payment failed.")
        states.CHARGE.set(value, "failed")
        value.update({"failure_code": code, "failure_message": message, "amount_captured": 0, "captured": False})
        value["_decline"] = {"code": code, "decline_code": None, "message": message, "param": None}
        call.objects.save(value, "charge.failed")
        source = call.objects.find(methods_kinds.SOURCE, value["payment_method"] or "")
        if source is not None:
            source_limits.failed(call, source)
        if later.get("ends_mandate") and value["payment_method"]:
            mandates.withdraw(call, value["payment_method"])
    else:
        states.CHARGE.set(value, "succeeded")
        value.update({"paid": True, "receipt_url": receipt_links.receipt_url(call, id)})
        details.debited(details.of_charge(value), call.now)
        _book_captured_amount(call, value, value["amount_captured"])
        call.objects.save(value, "charge.succeeded")
        if later["disputed"]:
            open_dispute(call, value, cards.Dispute.FRAUDULENT)
    if value["payment_intent"] is not None:
        call.schedule.add(
            call.now,
            jobs.PAYMENT_INTENT_CHARGE_SETTLED,
            value["payment_intent"],
            shared_fields.clock_of(call, value["customer"]),
        )
    return value


def decline(
    call: Call, charge: StoredCharge, payment_method: Instrument | None, payment_intent: api.PaymentIntent | None = None
) -> ApiError:
    """Return the 402 error of a failed charge, with all fields of the real one. Changes made so far are kept.

    payment_method: included in the error if it is a PaymentMethod. payment_intent: included with its present state.
    """
    facts = charge["_decline"]
    assert facts is not None, f"{charge['id']} has not failed"
    code, decline_code = facts["code"], facts["decline_code"]
    if decline_code == code and call.version < _DECLINE_CODE_ALWAYS and code != "authentication_required":
        decline_code = None
    modern = payment_method is not None and payment_method["object"] == "payment_method"
    return card_error(
        code,
        facts["message"],
        facts["param"],
        decline_code,
        advice_code=facts.get("advice_code"),
        network_decline_code=facts.get("network_decline_code"),
        network_advice_code=facts.get("network_advice_code"),
        charge=None if code in _WITHOUT_CHARGE else charge["id"],
        payment_intent=call.objects.copy(payment_intent) if payment_intent is not None else None,
        payment_method=call.objects.copy(payment_method) if modern and payment_method is not None else None,
    )


def capture(call: Call, charge: StoredCharge, amount_to_capture: int | None = None, **fields: object) -> StoredCharge:
    """Capture an authorized charge, in full or in part, and release the rest, for which there is a refund object.

    amount_to_capture: minor units; None for the full amount.
    fields: ``statement_descriptor``, ``application_fee_amount``, ``transfer_data``, … replace those of the charge.
    Raises ApiError 400 if it was captured or expired before, or the amount exceeds the authorization.
    """
    call.require(providers.PAYMENTS)
    id, amount = charge["id"], charge["amount"]
    taken = amount if amount_to_capture is None else amount_to_capture
    if charge["captured"]:
        raise invalid(f"Charge {id} has already been captured.", None, "charge_already_captured", retry=False)
    if charge["refunded"] or charge["status"] != "succeeded":
        message = f"Charge {id} cannot be captured because it has expired or been refunded."
        raise invalid(message, None, "charge_expired_for_capture", retry=False)
    if taken > amount:
        most = shared_currency.show(amount, charge["currency"])
        raise invalid(
            f"Requested capture amount ({shared_currency.show(taken, charge['currency'])})"
            f" is greater than the authorized amount ({most}).",
            "amount",
        )
    if taken < 1:
        raise too_small("amount")
    _replace(call, charge, fields)
    charge.update({"captured": True, "amount_captured": taken, "amount_refunded": amount - taken})
    _book_captured_amount(call, charge, taken)
    call.schedule.cancel(jobs.CHARGE_EXPIRE, id)
    call.objects.save(charge, "charge.captured")
    if taken < amount:
        refund_objects.released(call, charge, amount - taken)
    return charge


def increase(call: Call, charge: StoredCharge, amount: int, given: Mapping[str, object]) -> None:
    """Increase an authorization. amount: the new one, minor units. given: fields that replace those of the charge."""
    _replace(call, charge, given)
    charge["amount"] = amount
    card = value_at(charge, "payment_method_details.card")
    if card is not None:
        card["amount_authorized"] = amount
    call.objects.save(charge, "charge.updated")


def _replace(call: Call, charge: StoredCharge, given: Mapping[str, object]) -> None:
    """Set fields of an authorized charge; ``transfer_data`` keeps the values that were not given again."""
    changed = cast("MutableMapping[str, object]", charge)  # a TypedDict cannot be set by computed names
    for name, value in given.items():
        if name == "transfer_data" and isinstance(value, dict):
            changed[name] = {**(charge.get("transfer_data") or {}), **value}
        elif value is not None:
            changed[name] = value
    if given.get("statement_descriptor") or given.get("statement_descriptor_suffix"):
        own = charge["statement_descriptor"], charge["statement_descriptor_suffix"]
        charge["calculated_statement_descriptor"] = details.descriptor(call, *own)


def capture_part(call: Call, charge: StoredCharge, amount: int, *, last: bool) -> StoredCharge:
    """Capture a part of an authorization that can be captured several times; the last capture releases the rest.

    amount: minor units, at most what is left; 0 only releases. Each capture has its own balance transaction.
    """
    call.require(providers.PAYMENTS)
    if amount:
        charge["amount_captured"] += amount
        first = charge["balance_transaction"]
        _book_captured_amount(call, charge, amount)
        charge["balance_transaction"] = first or charge["balance_transaction"]
    rest = charge["amount"] - charge["amount_captured"]
    if last:
        charge["amount_refunded"] += rest
        charge.update({"captured": True, "refunded": charge["amount_refunded"] >= charge["amount"]})
        call.schedule.cancel(jobs.CHARGE_EXPIRE, charge["id"])
    call.objects.save(charge, "charge.captured" if last else "charge.updated")
    if last and rest:
        refund_objects.released(call, charge, rest)
    return charge


def release(call: Call, charge: StoredCharge, event: EventType = "charge.refunded") -> StoredCharge:
    """Release an uncaptured authorization: its intent was canceled, or it expired.

    event: ``charge.expired`` if it expired.
    """
    call.require(providers.PAYMENTS)
    refund_objects.released(call, charge, charge["amount"] - charge["amount_refunded"])
    charge.update({"amount_refunded": charge["amount"], "refunded": True})
    call.schedule.cancel(jobs.CHARGE_EXPIRE, charge["id"])
    return call.objects.save(charge, event)
