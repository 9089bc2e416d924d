"""The description of a payment attempt, and the new charge object built from it before money moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tollkey.payments.charges import details, kinds, splitting, states
from tollkey.payments.methods import instruments
from tollkey.payments.methods import kinds as methods_kinds
from tollkey.payments.processors import cards, protocol
from tollkey.payments.shared import receipt_links
from tollkey.wire import Call, new_object

if TYPE_CHECKING:
    from tollkey.payments.charges.stored import DeclineFacts, StoredCharge
    from tollkey.payments.methods.stored import Instrument
    from tollkey.wire import api


@dataclass(frozen=True)
class Attempt:
    """What to charge, and how.

    amount: minor units of ``currency``. payment_method: the stored payment method, card, bank account or source, with
        its private fields. capture: False authorizes only. off_session: the customer is not present. authenticated: 3-D
        Secure has been completed.
    mandate: id of the mandate for a debit. invoice: id of the invoice being paid.
    asynchronous: the balance transaction may be created shortly after the response (``automatic_async``).
    not_before: when a debit is made at the earliest, UTC epoch seconds.
    parts: whether the authorization can be captured several times.
    """

    amount: int
    currency: str
    payment_method: Instrument | None
    customer: str | None = None
    capture: bool = True
    payment_intent: str | None = None
    description: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    statement_descriptor: str | None = None
    statement_descriptor_suffix: str | None = None
    receipt_email: str | None = None
    shipping: api.Shipping | None = None
    on_behalf_of: str | None = None
    transfer_group: str | None = None
    transfer_data: api.ChargeTransferData | None = None
    application_fee_amount: int | None = None
    off_session: bool = False
    authenticated: bool = False
    radar_options: api.RadarRadarOptions | None = None
    mandate: str | None = None
    invoice: str | None = None
    asynchronous: bool = False
    not_before: int = 0
    parts: bool = False


def new_charge(call: Call, attempt: Attempt, verdict: protocol.Verdict) -> StoredCharge:
    """Return a charge object with the status that the verdict gives it. The caller stores it."""
    instrument = attempt.payment_method
    failed, pending = verdict.status == "failed", verdict.status == "pending"
    card = protocol.card_of_instrument(instrument)
    kind = protocol.kind_of(instrument)
    id = call.ids.new("ch" if kind == "card" else "py")
    value = new_object(
        kinds.CHARGE,
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
        payment_method=instrument.get("id") if instrument is not None else None,
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
            "destination": attempt.transfer_data.get("destination") if attempt.transfer_data else None,
            "dispute": None,
            "invoice": attempt.invoice,
            "order": None,
            "source": None,
        }
    )
    if kind == "card":
        value["amount_updates"] = []
    if instrument is not None and not methods_kinds.is_payment_method(instrument):
        value["source"] = call.objects.copy(instrument)
    if attempt.parts and not attempt.capture and kind == "card" and not failed and not attempt.transfer_data:
        details.of_charge(value)["card"]["multicapture"] = {"status": "available"}
    value["_card"] = card.key if card else None
    value["_decline"] = decline_facts(verdict.decline) if verdict.decline else None
    return value


def decline_facts(decline: cards.Decline) -> DeclineFacts:
    """Return why a charge has failed, as it is stored."""
    return {
        "code": decline.code,
        "decline_code": decline.decline_code,
        "message": decline.message,
        "param": decline.param,
        "advice_code": decline.advice_code,
        "network_decline_code": decline.network_decline_code,
        "network_advice_code": decline.network_advice_code,
    }
