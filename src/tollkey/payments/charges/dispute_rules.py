"""Events after a successful charge: a dispute, an early fraud warning or a review (reference sections 6.6 and 6.7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tollkey.ledger import Money
from tollkey.ledger.books import DISPUTES, NETWORK
from tollkey.payments.balance import fees, settlement, transactions
from tollkey.payments.charges import details, enhanced_evidence, jobs, kinds, states
from tollkey.payments.processors import cards
from tollkey.payments.shared import fields, rounding
from tollkey.wire import Call, new_object
from tollkey.wire.kinds import Job

if TYPE_CHECKING:
    from tollkey.payments.charges.stored import StoredCharge, StoredDispute
    from tollkey.wire import api

EVIDENCE = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication", "customer_email_address", "customer_name", "customer_purchase_ip", "customer_signature",
    "duplicate_charge_documentation", "duplicate_charge_explanation", "duplicate_charge_id", "enhanced_evidence",
    "product_description", "receipt", "refund_policy", "refund_policy_disclosure", "refund_refusal_explanation",
    "service_date",
    "service_documentation", "shipping_address", "shipping_carrier", "shipping_date", "shipping_documentation",
    "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
)  # fmt: skip
_DAY = 86_400
#: Days until evidence is due, rounded to the end of that day (recorded).
_DUE_DAYS = 9
_REASONS = {
    cards.Dispute.FRAUDULENT: ("fraudulent", "83"),
    cards.Dispute.PRODUCT_NOT_RECEIVED: ("product_not_received", "30"),
    cards.Dispute.INQUIRY: ("fraudulent", "83"),
    cards.Dispute.MULTIPLE: ("fraudulent", "83"),
    cards.Dispute.CE3_ELIGIBLE: ("fraudulent", "10.4"),
    cards.Dispute.COMPLIANCE: ("noncompliant", "98"),
}


def _halves(amount: int) -> list[int]:
    first = rounding.share_down(amount, 1, 2)
    return [first, amount - first]


def after_charge(call: Call, charge: StoredCharge, card: cards.TestCard, authenticated: bool) -> None:
    """Create the dispute, warning or review that the test card or test account simulates."""
    if card.risk_level == "elevated":
        open_review(call, charge)
    if card.early_fraud_warning:
        warn(call, charge)
    if card.dispute is not None and not (authenticated and card.dispute_protected_by_3ds):
        amounts = [charge["amount"]] if card.dispute is not cards.Dispute.MULTIPLE else _halves(charge["amount"])
        for amount in amounts:
            if amount:
                open_dispute(call, charge, card.dispute, amount)
    if card.account_effect is not None and call.account != call.owner:
        call.within(call.owner).schedule.add(call.now, Job(f"account.{card.account_effect}"), call.account)


def open_review(call: Call, charge: StoredCharge, reason: str = "rule") -> api.Review:
    """Open a review of a payment, with ``review.opened``. reason: its ``opened_reason``."""
    intent = {"payment_intent": charge["payment_intent"]} if charge["payment_intent"] else {}
    address = charge["billing_details"]["address"]
    review = new_object(
        kinds.REVIEW,
        id=call.ids.new("prv"),
        charge=charge["id"],
        created=call.now,
        livemode=call.livemode,
        open=True,
        opened_reason=reason,
        reason=reason,
        **intent,
        billing_zip=address["postal_code"] if address else None,
    )
    charge["review"] = review["id"]
    call.objects.save(charge)
    return call.objects.insert(review, "review.opened")


def warn(call: Call, charge: StoredCharge) -> api.RadarEarlyFraudWarning:
    """Store an early fraud warning for a charge, with its event."""
    intent = {"payment_intent": charge["payment_intent"]} if charge["payment_intent"] else {}
    warning = new_object(
        kinds.EARLY_FRAUD_WARNING,
        id=call.ids.new("issfr"),
        actionable=True,
        charge=charge["id"],
        created=call.now,
        fraud_type="misc",
        livemode=call.livemode,
        **intent,
    )
    return call.objects.insert(warning, "radar.early_fraud_warning.created")


def open_dispute(call: Call, charge: StoredCharge, kind: cards.Dispute, amount: int | None = None) -> StoredDispute:
    """Open a dispute of a charge, as the customer's bank would. An inquiry moves no money.

    amount: minor units of the charge's currency; None for the full amount.
    Returns the dispute. It closes an open review, and fraud warnings are no longer actionable.
    """
    due_by = (call.now // _DAY + _DUE_DAYS) * _DAY + _DAY - 1
    reason, network_code = _REASONS[kind]
    inquiry = kind is cards.Dispute.INQUIRY
    eligible = (
        ["visa_compelling_evidence_3"]
        if kind is cards.Dispute.CE3_ELIGIBLE
        else ["visa_compliance"]
        if kind is cards.Dispute.COMPLIANCE
        else []
    )
    case = "inquiry" if inquiry else "compliance" if kind is cards.Dispute.COMPLIANCE else "chargeback"
    of_card = _card_details(details.of_charge(charge).get("card"), case, network_code)
    amount = charge["amount"] if amount is None else amount
    dispute = _new(call, charge, amount, due_by, reason, of_card, eligible)
    _mark(call, charge, dispute)
    call.schedule.add(due_by + 1, jobs.DISPUTE_DUE, dispute["id"])
    if inquiry:
        return call.objects.insert(dispute, "charge.dispute.created")
    fee = fees.pricing_of(fields.account_country(call)).dispute_fee
    return _withdrawn(call, dispute, fee)


@dataclass(frozen=True, slots=True)
class Chargeback:
    """A dispute, as a processor on a network tells it.

    amount, fee: minor units of the charge's currency. reason: Stripe's. code: the network's. due_by: UTC epoch seconds.
    case: the processor's own id of it, empty if it has none.
    """

    amount: int
    fee: int
    reason: str
    code: str | None
    due_by: int
    case: str


def open_chargeback(call: Call, charge: StoredCharge, told: Chargeback) -> StoredDispute:
    """Open a dispute that only a notice of its processor ends. Returns it."""
    of_card = _card_details(details.of_charge(charge).get("card"), "chargeback", told.code)
    dispute = _new(call, charge, told.amount, told.due_by, told.reason, of_card, [])
    dispute["_case"] = told.case
    _mark(call, charge, dispute)
    return _withdrawn(call, dispute, told.fee)


def _new(
    call: Call,
    charge: StoredCharge,
    amount: int,
    due_by: int,
    reason: str,
    of_card: api.DisputePaymentMethodDetails | None,
    eligible: list[str],
) -> StoredDispute:
    """Return a dispute of a charge; the caller stores it. of_card: its ``payment_method_details``, whose case decides
    whether it is an inquiry. amount: minor units. due_by: UTC epoch seconds. eligible: ``enhanced_eligibility_types``.
    """
    inquiry = of_card is not None and of_card["card"]["case_type"] == "inquiry"
    dispute = new_object(
        kinds.DISPUTE,
        id=call.ids.new("dp"),
        amount=amount,
        charge=charge["id"],
        created=call.now,
        currency=charge["currency"],
        enhanced_eligibility_types=eligible,
        evidence={name: None if name != "enhanced_evidence" else {} for name in EVIDENCE},
        evidence_details={
            "due_by": due_by,
            "enhanced_eligibility": enhanced_evidence.eligibility(eligible, {}),
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        is_charge_refundable=inquiry,
        livemode=call.livemode,
        payment_intent=charge["payment_intent"],
        payment_method_details=of_card,
        reason=reason,
        status=states.DISPUTE.start("warning_needs_response" if inquiry else "needs_response"),
    )
    dispute["balance_transaction"] = None
    return dispute


def _mark(call: Call, charge: StoredCharge, dispute: StoredDispute) -> None:
    charge.update({"disputed": True, "dispute": dispute["id"]})
    call.objects.save(charge)
    _close_others(call, charge)


def _withdrawn(call: Call, dispute: StoredDispute, fee: int) -> StoredDispute:
    """Store a dispute whose amount and fee are withdrawn."""
    withdraw(call, dispute, fee)
    call.objects.insert(dispute, "charge.dispute.created")
    call.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def _close_others(call: Call, charge: StoredCharge) -> None:
    """Close the open review of a disputed charge, and mark its fraud warnings as not actionable."""
    review = call.objects.find(kinds.REVIEW, charge["review"] or "")
    if review is not None and review["open"]:
        review.update({"open": False, "closed_reason": "disputed", "reason": "disputed"})
        call.objects.save(review, "review.closed")
    for warning in call.objects.query(kinds.EARLY_FRAUD_WARNING, {"charge": charge["id"]}):
        warning["actionable"] = False
        call.objects.save(warning, "radar.early_fraud_warning.updated")


def _card_details(
    card: api.PaymentMethodDetailsCard | None, case: str, network_code: str | None
) -> api.DisputePaymentMethodDetails | None:
    if not card:
        return None
    brand = card["brand"] or "unknown"  # of a token that says nothing of its card
    network = card.get("network") or brand
    disputed: api.DisputePaymentMethodDetailsCard = {
        "brand": brand,
        "case_type": case,
        "network": network,
        "network_reason_code": network_code,
    }
    return {"card": disputed, "type": "card"}


def withdraw(call: Call, dispute: StoredDispute, fee: int) -> None:
    """Withdraw the disputed amount and the dispute fee from the balance (recorded: adjustment, 1500 in the US)."""
    _adjust(
        call,
        dispute,
        -dispute["amount"],
        fee,
        "dispute",
        f"Chargeback withdrawal for {dispute['charge']}",
        "Dispute fee",
    )


def end(call: Call, dispute: StoredDispute, *, won: bool, fee: int | None = None) -> StoredDispute:
    """Close a dispute, with its events. won: the money comes back; an inquiry has taken none.

    fee: that is kept then, negative if it comes back, as a processor told; None if all of it comes back.
    """
    inquiry = dispute["status"].startswith("warning_")
    states.DISPUTE.set(dispute, "warning_closed" if inquiry else "won" if won else "lost")
    charge = call.objects.get(kinds.CHARGE, dispute["charge"])
    dispute["is_charge_refundable"] = (inquiry or won) and not charge["refunded"]
    back = won and not inquiry
    if back:
        reinstate(call, dispute, fee if fee is not None else -fees.pricing_of(fields.account_country(call)).dispute_fee)
    call.objects.save(dispute, "charge.dispute.closed")
    if back:
        call.emit("charge.dispute.funds_reinstated", dispute)
    return dispute


def after_refund(call: Call, charge: StoredCharge) -> None:
    """Close the inquiries of a payment that was refunded in full: nothing is left to dispute."""
    for dispute in call.objects.query(kinds.DISPUTE, {"charge": charge["id"]}) if charge["disputed"] else ():
        if dispute["status"] in ("warning_needs_response", "warning_under_review"):
            end(call, dispute, won=False)
        elif dispute["is_charge_refundable"]:
            dispute["is_charge_refundable"] = False
            call.objects.save(dispute, "charge.dispute.updated")


def reinstate(call: Call, dispute: StoredDispute, fee: int) -> None:
    """Return amount and fee of a dispute that was won to the balance (recorded: ``dispute_reversal``)."""
    _adjust(
        call,
        dispute,
        dispute["amount"],
        fee,
        "dispute_reversal",
        f"Chargeback reversal for {dispute['charge']}",
        "Dispute fee refund",
    )


def _adjust(
    call: Call, dispute: StoredDispute, amount: int, fee: int, category: str, description: str, fee_text: str
) -> None:
    charge = call.objects.get(kinds.CHARGE, dispute["charge"])
    settled = settlement.to_settlement_currency(call, charge, Money(amount, dispute["currency"]))
    own_fee = settled.with_amount(fee)
    transaction = transactions.book(  # without ``exchange_rate`` (recorded)
        call,
        transactions.Booking(
            type="adjustment",
            category=category,
            source=dispute["id"],
            amount=settled,
            against=NETWORK if "_case" in dispute else DISPUTES,
            fee=own_fee,
            fee_details=[transactions.stripe_fee(own_fee, fee_text)] if fee else [],
            description=description,
            available=transactions.available_on(call),
        ),
    )
    dispute["balance_transactions"] = [*dispute["balance_transactions"], *transactions.embed(call, [transaction["id"]])]
    if dispute.get("balance_transaction") is None:
        dispute["balance_transaction"] = transaction["id"]
