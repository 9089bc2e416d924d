"""The PaymentIntent behind an invoice: made when it is finalized, confirmed when it is collected.

Payments are made at the machine's time, even where a test clock's time is the invoice's.
"""

from __future__ import annotations

from tollkey.payments.intents import payment_intents
from tollkey.payments.invoices.payments import Outcome, new_payment, payment_paid
from tollkey.payments.shared import providers
from tollkey.wire import Call, Json

_DESCRIPTIONS = {
    "subscription_create": "Subscription creation",
    "subscription_update": "Subscription update",
    "subscription_cycle": "Subscription update",
}
_OVER = ("succeeded", "canceled")


def _types(call: Call, invoice: Json) -> list[str]:
    """What an invoice may be paid with unless it says so (recorded for dollars, 2023 and later)."""
    if invoice["currency"] == "usd" and call.version >= "2023-08-16":
        return ["acss_debit", "card", "cashapp", "link", "us_bank_account"]
    return ["card"]


def prepare(call: Call, invoice: Json, customer: Json) -> None:
    """Make the intent of an invoice that is being finalized, and the invoice payment that ties them."""
    now = call.at(call.real)
    params: Json = {
        "amount": invoice["amount_remaining"],
        "currency": invoice["currency"],
        "customer": customer["id"],
        "description": _DESCRIPTIONS.get(invoice["billing_reason"], "Payment for Invoice"),
        "capture_method": "automatic",
        "payment_details": {"order_reference": invoice["id"][:25]},
        "payment_method_types": (invoice["payment_settings"] or {}).get("payment_method_types")
        or _types(call, invoice),
    }
    if invoice["billing_reason"] in ("subscription_create", "subscription_update"):
        params["setup_future_usage"] = "off_session"
    transfer: Json = invoice.get("_transfer_data") or {}
    if transfer.get("destination"):
        params["transfer_data"] = {"destination": transfer["destination"]}
        if transfer.get("amount") is not None:
            params["transfer_data"]["amount"] = transfer["amount"]
        elif transfer.get("amount_percent") is not None:
            params["transfer_data"]["amount"] = int(
                invoice["amount_remaining"] * float(transfer["amount_percent"]) / 100
            )
    fee = invoice.get("_application_fee")
    percent = invoice.get("_application_fee_percent")
    if fee is None and percent is not None:
        fee = int(invoice["amount_remaining"] * float(percent) / 100)
    if fee:
        params["application_fee_amount"] = fee
    for name in ("on_behalf_of", "statement_descriptor"):
        if invoice[name] is not None:
            params[name] = invoice[name]
    intent = payment_intents.create_intent(now, params, _invoice=invoice["id"])
    new_payment(call, invoice, intent["id"])


#: What the status of an intent, after an attempt, means for its invoice; any other status is a failure.
_OUTCOMES = {"succeeded": "paid", "processing": "processing", "requires_action": "requires_action"}


def charge(call: Call, invoice: Json, customer: Json, method: str, *, off_session: bool) -> Outcome:
    """Confirm the invoice's intent with a payment method or source. Where nobody can charge, the attempt fails."""
    now = call.at(call.real)
    if not invoice.get("_payment_intent"):
        prepare(call, invoice, customer)
    intent = now.objects.get("payment_intent", invoice["_payment_intent"])
    if intent["status"] == "requires_action":
        return Outcome("requires_action")
    if not call.has(providers.CHARGES):
        return Outcome("failed", providers.CHARGES.refusal())
    if off_session:
        intent["setup_future_usage"] = None  # nobody is there to set anything up
    asked: Json = {"payment_method": method, "off_session": off_session}
    call.memo[collecting_key(invoice)] = True
    error = payment_intents.confirm_intent(now, intent, asked)
    if error is not None and off_session and "authentication_required" in (error.code, error.extra.get("decline_code")):
        # The customer can still pass the challenge later.
        intent["setup_future_usage"] = "off_session"
        error = payment_intents.confirm_intent(now, intent, {**asked, "off_session": False})
        if (
            intent["status"] == "requires_action"
        ):  # then the refused charge is all that tells of the first try (recorded)
            intent["last_payment_error"] = None
            now.objects.save(intent)
    del call.memo[collecting_key(invoice)]
    if intent["status"] == "succeeded":
        payment_paid(call, invoice, intent["amount_received"])
    return Outcome(_OUTCOMES.get(intent["status"], "failed"), error)


def collecting_key(invoice: Json) -> tuple[str, str]:
    """The key in ``call.memo`` that is set while an invoice is collected: the collection itself then records the
    success of the intent.
    """
    return "collecting", str(invoice["id"])


def was_refused(call: Call, invoice: Json) -> bool:
    """Whether a charge of the invoice was made and refused, even if the customer is asked to act now."""
    intent = call.objects.find("payment_intent", invoice.get("_payment_intent") or "")
    return intent is not None and intent["latest_charge"] is not None


def cancel_intent_of(call: Call, invoice: Json) -> None:
    """Cancel the intent of an invoice that will not be paid, or was paid elsewhere."""
    if not invoice.get("_payment_intent"):
        return
    now = call.at(call.real)
    intent = now.objects.find("payment_intent", invoice["_payment_intent"])
    if intent is not None and intent["status"] not in (*_OVER, "processing"):
        payment_intents.cancel_intent(now, intent, "void_invoice")


def reduce_intent_amount(call: Call, invoice: Json) -> None:
    """Reduce the amount of the invoice's own intent to what remains to be paid."""
    intent = call.objects.find("payment_intent", invoice.get("_payment_intent") or "")
    if intent is not None and intent["status"] in ("requires_payment_method", "requires_confirmation"):
        intent["amount"] = invoice["amount_remaining"]
        call.objects.save(intent)


def record_paid(call: Call, invoice: Json) -> None:
    """Record that the invoice's payment is complete."""
    payment_paid(call, invoice, invoice["amount_remaining"])
