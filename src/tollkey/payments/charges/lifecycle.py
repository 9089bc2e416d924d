"""Charging: the one place where money is taken from somebody. Charges, intents, invoices and links all come here.

charge() ──▶ failed
   │────▶ pending ──complete_pending_charge()──▶ succeeded │ failed
   │────▶ succeeded, not captured ──capture()──▶ captured
   │                               └─release()─▶ refunded in full
   └────▶ succeeded, captured ──▶ dispute, early fraud warning or review, as the test card asks
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from tollkey.ledger import NETWORK
from tollkey.payments.balance import fees, settlement, transactions
from tollkey.payments.charges import details, jobs, splitting, states
from tollkey.payments.charges.dispute_rules import after_charge
from tollkey.payments.methods import instruments
from tollkey.payments.processors import cards, processor_for, protocol
from tollkey.payments.shared import Money, conversion, providers, receipt_links
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import fields as shared_fields
from tollkey.wire import ApiError, Call, Json, blank, card_error, invalid, too_small

if TYPE_CHECKING:
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
    "with_balance_transaction",
]  # fmt: skip

#: How long an authorization holds.
HOLDS_SECONDS = 7 * 86_400
#: How long after its answer an asynchronous capture has its balance transaction.
COLLECT_SECONDS = 1
#: Before this version ``decline_code`` was left out where it only repeats ``code`` (recorded).
_DECLINE_CODE_ALWAYS = "2024-01-01"
#: Refused before there is a charge (recorded).
_WITHOUT_CHARGE = frozenset({"india_recurring_payment_mandate_canceled"})


@dataclass(frozen=True)
class Attempt:
    """What to charge, and how.

    amount: minor units of ``currency``. payment_method: the stored payment method, card, bank account or source, with
        its private fields. capture: False only authorizes. off_session: the customer is not there. authenticated: 3-D
        Secure is done.
    mandate: id of the mandate that allows a debit. invoice: id of the invoice that is paid.
    at_leisure: the balance transaction may come a moment after the answer (``automatic_async``).
    parts: whether an authorization may be captured part by part.
    """

    amount: int
    currency: str
    payment_method: Json | None
    customer: str | None = None
    capture: bool = True
    payment_intent: str | None = None
    description: str | None = None
    metadata: Json = field(default_factory=dict)
    statement_descriptor: str | None = None
    statement_descriptor_suffix: str | None = None
    receipt_email: str | None = None
    shipping: api.Shipping | None = None
    on_behalf_of: str | None = None
    transfer_group: str | None = None
    transfer_data: Json | None = None
    application_fee_amount: int | None = None
    off_session: bool = False
    authenticated: bool = False
    radar_options: Json | None = None
    mandate: str | None = None
    invoice: str | None = None
    at_leisure: bool = False
    parts: bool = False


def authorizable(call: Call) -> None:
    """Raise ApiError 402 ``testmode_charges_only`` when no charge can be made in this mode at all."""
    processor_for(call.livemode).check()


def charge(call: Call, attempt: Attempt) -> Json:
    """Charge once, and store what became of it with its event: succeeded, pending or failed. A decline does not raise.

    Raises ApiError only when no charge can be made in this mode.
    """
    instrument: Json = attempt.payment_method or {"object": "source", "type": "card"}
    request = protocol.Authorization(
        attempt.amount, attempt.currency, instrument, attempt.off_session, attempt.authenticated
    )
    verdict = processor_for(call.livemode).authorize(request, call.ids)
    value = _new(call, attempt, verdict)
    _remember_checks(call, instrument, value)
    if verdict.status == "failed":
        return call.objects.insert(value, "charge.failed")
    if verdict.status == "pending":
        if verdict.later is not None:
            value["_later"] = {"status": verdict.later, "failure": verdict.failure, "disputed": verdict.disputed}
            call.schedule.add(
                call.now + (verdict.after_seconds or shared_fields.settle_seconds(call)),
                jobs.CHARGE_SETTLE,
                value["id"],
                shared_fields.clock_of(call, attempt.customer),
            )
        return call.objects.insert(value, "charge.pending")
    if attempt.capture and attempt.at_leisure and _can_wait(value):
        value["_uncollected"] = True
        call.schedule.add(call.real + COLLECT_SECONDS, jobs.CHARGE_COLLECT, value["id"])
    elif attempt.capture:
        _book_captured_amount(call, value, value["amount_captured"])
    elif attempt.payment_intent is None:
        call.schedule.add(
            call.now + HOLDS_SECONDS, jobs.CHARGE_EXPIRE, value["id"], shared_fields.clock_of(call, attempt.customer)
        )
    call.objects.insert(value, "charge.succeeded")
    after_charge(call, value, protocol.card_of_instrument(instrument), attempt.authenticated)
    return value


def _new(call: Call, attempt: Attempt, verdict: protocol.Verdict) -> Json:
    instrument = attempt.payment_method
    failed, pending = verdict.status == "failed", verdict.status == "pending"
    card = protocol.card_of_instrument(instrument)
    kind = protocol.kind_of(instrument)
    id = call.ids.new("ch" if kind == "card" else "py")
    value = blank(
        "charge",
        id=id,
        amount=attempt.amount,
        amount_captured=attempt.amount if attempt.capture and not failed else 0,
        amount_refunded=0,
        application=splitting.application_of(call),
        application_fee_amount=attempt.application_fee_amount,
        billing_details=instruments.billing_of(instrument),
        calculated_statement_descriptor=details.descriptor(
            call, attempt.statement_descriptor, attempt.statement_descriptor_suffix
        )
        if kind == "card"
        else None,
        captured=attempt.capture and not failed,
        created=call.now,
        currency=attempt.currency,
        customer=attempt.customer,
        description=attempt.description,
        disputed=False,
        failure_code=verdict.decline.code if verdict.decline else None,
        failure_message=verdict.decline.message if verdict.decline else None,
        livemode=call.livemode,
        metadata=dict(attempt.metadata or {}),
        on_behalf_of=attempt.on_behalf_of,
        outcome=details.outcome(verdict),
        paid=not failed and not pending,
        payment_intent=attempt.payment_intent,
        payment_method=(instrument or {}).get("id"),
        payment_method_details=details.payment_method_details(
            call,
            instrument,
            attempt.amount,
            verdict,
            capture=attempt.capture,
            authenticated=attempt.authenticated,
            mandate=attempt.mandate,
        ),
        radar_options=attempt.radar_options or {},
        receipt_email=attempt.receipt_email,
        receipt_url=receipt_links.receipt_url(call, id) if not failed and not pending else None,
        refunded=False,
        shipping=attempt.shipping,
        statement_descriptor=attempt.statement_descriptor,
        statement_descriptor_suffix=attempt.statement_descriptor_suffix,
        status=states.CHARGE.start(verdict.status),
        transfer_data={"amount": None, **attempt.transfer_data} if attempt.transfer_data else None,
        transfer_group=attempt.transfer_group or splitting.group_of(attempt.transfer_data, attempt.payment_intent, id),
    )
    value.update(
        {
            "destination": (attempt.transfer_data or {}).get("destination"),
            "dispute": None,
            "invoice": attempt.invoice,
            "order": None,
            "source": None,
        }
    )
    if kind == "card":
        value["amount_updates"] = []
    if instrument is not None and instrument.get("object") in ("card", "source", "bank_account"):
        value["source"] = call.objects.copy(instrument)
    if attempt.parts and not attempt.capture and kind == "card" and not failed and not attempt.transfer_data:
        value["payment_method_details"]["card"]["multicapture"] = {"status": "available"}
    value["_card"] = card.key if card else None
    value["_decline"] = asdict(verdict.decline) if verdict.decline else None
    return value


def _remember_checks(call: Call, instrument: Json, value: Json) -> None:
    """The bank's checks are also shown on the card itself from now on (recorded)."""
    details = value["payment_method_details"].get("card")
    if not details or "id" not in instrument or call.objects.find(instrument["object"], instrument["id"]) is None:
        return
    checks = details["checks"]
    if instrument["object"] == "payment_method":
        instrument["card"]["checks"] = dict(checks)
    elif instrument["object"] == "card":
        instrument.update({"cvc_check": checks["cvc_check"]})
        instrument.update(
            {name: checks[name] for name in ("address_line1_check",)},
            address_zip_check=checks["address_postal_code_check"],
        )
    else:
        return
    call.objects.save(instrument)


def _can_wait(value: Json) -> bool:
    """Whether the money of a card charge may come later: not where the test card disputes it, or is there for funds at
    once.
    """
    card = _card(value)
    return card is not None and card.dispute is None and not card.bypass_pending


def with_balance_transaction(call: Call, value: Json) -> Json:
    """The charge with its balance transaction: an asynchronous capture is brought to its end now, with
    ``charge.updated``.
    """
    if value.pop("_uncollected", None):
        call.schedule.cancel(jobs.CHARGE_COLLECT, value["id"])
        _book_captured_amount(call, value, value["amount_captured"])
        call.objects.save(value, "charge.updated")
    return value


def _book_captured_amount(call: Call, value: Json, captured: int) -> None:
    """The money arrives: balance transaction, ledger, and what connected accounts and platforms get of it.

    captured: minor units of the charge's currency that are taken now.
    """
    card = _card(value)
    currency = settlement.currency_to_settle_in(call, value)
    amount = conversion.convert(Money(captured, value["currency"]), currency)
    kind = value["payment_method_details"]["type"]
    country = shared_fields.account_country(call)
    if kind in ("us_bank_account", "sepa_debit"):
        fee = fees.bank_debit_fee(amount, kind)
    else:
        fee = fees.processing_fee(amount, card.country if card else None, country)
    fee = min(fee, amount)
    bypass = card is not None and card.bypass_pending
    details = [] if fee.is_zero else [transactions.stripe_fee(fee, "Stripe processing fees")]
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
            fee_details=details + extra,
            description=value["description"],
            available=None if bypass else transactions.available_on(call),
            source_type="bank_account" if kind in ("us_bank_account", "sepa_debit", "ach_debit") else "card",
            postings=parts,
        ),
    )
    value["balance_transaction"] = settlement.record_exchange_rate(call, transaction, value["currency"])["id"]
    splitting.transfer_to_destination(call, value)


def _card(value: Json) -> cards.TestCard | None:
    return cards.by_key(value["_card"]) if value.get("_card") else None


def complete_pending_charge(call: Call, id: str) -> Json:
    """Make a pending charge succeed or fail, and schedule the job ``payment_intent.charge_settled`` of its intent.

    Returns the charge; one that is not pending is returned unchanged.
    """
    value = call.objects.get("charge", id)
    later = value.pop("_later", None)
    if value["status"] != "pending" or later is None:
        return value
    if later["status"] == "failed":
        code, message = later["failure"] or ("generic_could_not_process", "The payment failed.")
        states.CHARGE.set(value, "failed")
        value.update({"failure_code": code, "failure_message": message, "amount_captured": 0, "captured": False})
        value["_decline"] = {"code": code, "decline_code": None, "message": message, "param": None}
        call.objects.save(value, "charge.failed")
    else:
        states.CHARGE.set(value, "succeeded")
        value.update({"paid": True, "receipt_url": receipt_links.receipt_url(call, id)})
        details.debited(value["payment_method_details"], call.now)
        _book_captured_amount(call, value, value["amount_captured"])
        call.objects.save(value, "charge.succeeded")
        after_charge(call, value, None, False, bank_disputes=bool(later["disputed"]))
    if value["payment_intent"] is not None:
        call.schedule.add(
            call.now,
            jobs.PAYMENT_INTENT_CHARGE_SETTLED,
            value["payment_intent"],
            shared_fields.clock_of(call, value["customer"]),
        )
    return value


def decline(call: Call, charge: Json, payment_method: Json | None, payment_intent: Json | None = None) -> ApiError:
    """The 402 that tells of a failed charge, with every field the real one has. What was written is kept.

    payment_method: told in full when it is a PaymentMethod. payment_intent: told in full, as it is now.
    """
    facts = charge["_decline"]
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


def capture(call: Call, charge: Json, amount_to_capture: int | None = None, **fields: object) -> Json:
    """Take the money of an authorized charge, or a part of it; the rest is released.

    fields: ``statement_descriptor``, ``application_fee_amount``, ``transfer_data``, … that replace the charge's own.
    Raises ApiError: captured or expired before, or too much.
    """
    call.require(providers.CHARGES)
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
    for name, given in fields.items():
        if given is not None:
            charge[name] = (
                {**(charge.get(name) or {}), **given} if name == "transfer_data" and isinstance(given, dict) else given
            )
    if fields.get("statement_descriptor") or fields.get("statement_descriptor_suffix"):
        own = charge["statement_descriptor"], charge["statement_descriptor_suffix"]
        charge["calculated_statement_descriptor"] = details.descriptor(call, *own)
    charge.update({"captured": True, "amount_captured": taken, "amount_refunded": amount - taken})
    _book_captured_amount(call, charge, taken)
    call.schedule.cancel(jobs.CHARGE_EXPIRE, id)
    return call.objects.save(charge, "charge.captured")


def capture_part(call: Call, charge: Json, amount: int, *, last: bool) -> Json:
    """Take a part of an authorization that allows several captures; after the last one the rest is released.

    amount: minor units, at most what is left; 0 only releases. Each part has a balance transaction of its own.
    """
    call.require(providers.CHARGES)
    if amount:
        charge["amount_captured"] += amount
        first = charge["balance_transaction"]
        _book_captured_amount(call, charge, amount)
        charge["balance_transaction"] = first or charge["balance_transaction"]
    if last:
        charge["amount_refunded"] += charge["amount"] - charge["amount_captured"]
        charge.update({"captured": True, "refunded": charge["amount_refunded"] >= charge["amount"]})
        call.schedule.cancel(jobs.CHARGE_EXPIRE, charge["id"])
    return call.objects.save(charge, "charge.captured" if last else "charge.updated")


def release(call: Call, charge: Json, event: EventType = "charge.refunded") -> Json:
    """Give an authorization back uncaptured: a cancelled intent, or one that has expired.

    event: ``charge.expired`` when its time has run out.
    """
    call.require(providers.CHARGES)
    charge.update({"amount_refunded": charge["amount"], "refunded": True})
    call.schedule.cancel(jobs.CHARGE_EXPIRE, charge["id"])
    return call.objects.save(charge, event)
