"""What a session waits for: the customer, at a challenge or another step of its intent.

The step is for what the session came to when it began. Whatever changes the session since then takes it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.payments.checkout import kinds
from tollkey.payments.intents import payment_intents
from tollkey.wire import Call

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import StoredSession
    from tollkey.payments.intents.stored import AnyIntent, StoredPaymentIntent


def intent_of_invoice(call: Call, invoice: str | None) -> StoredPaymentIntent | None:
    """Return the PaymentIntent of an invoice, given by its id, else None."""
    found = call.objects.find(kinds.INVOICE, invoice) if invoice else None
    id = found.get("_payment_intent") if found is not None else None
    return call.objects.get(kinds.PAYMENT_INTENT, id) if id else None


def _payment(call: Call, session: StoredSession) -> StoredPaymentIntent | None:
    """Return the PaymentIntent of a session, or of its subscription's first invoice, else None."""
    id = session["payment_intent"]
    return call.objects.find(kinds.PAYMENT_INTENT, id) if id else intent_of_invoice(call, session["invoice"])


def intent_of(call: Call, session: StoredSession) -> AnyIntent | None:
    """Return the intent that a session is paid with, or that saves its payment method; None before there is one."""
    if session["mode"] == "setup":
        return call.objects.find(kinds.SETUP_INTENT, session["setup_intent"] or "")
    return _payment(call, session)


def waiting_for(call: Call, session: StoredSession) -> str | None:
    """Return the URL of the challenge that the customer has to pass now, else None."""
    intent = intent_of(call, session)
    if intent is None or intent["status"] != "requires_action":
        return None
    action: Mapping[str, Any] = intent["next_action"] or {}
    inner = action.get("redirect_to_url") or action.get(action.get("type") or "") or {}
    url: str | None = inner.get("url") or inner.get("hosted_verification_url") or inner.get("hosted_instructions_url")
    return url


def withdraw(call: Call, session: StoredSession) -> None:
    """Fail the step that a payment waits for, before its session is changed or paid in another way.

    Whoever kept the page of a challenge could otherwise raise the order, pass the challenge, and have paid what it came
    to before. The caller saves the session.
    """
    intent = _payment(call, session) if session["mode"] != "setup" else None
    if intent is not None and intent["status"] == "requires_action":
        payment_intents.not_authenticated(call, intent)
        session.pop("_redeemed", None)  # given back, as for every refusal
        if session["mode"] == "subscription":  # its invoice may still be paid, for itself
            intent.pop("_checkout", None)
            call.objects.save(intent)
            session["subscription"] = session["invoice"] = None
