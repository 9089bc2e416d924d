"""The PaymentIntent of an invoice: created when the invoice is finalized, confirmed when it is collected.

Payments are made at the real time, even if the invoice follows a test clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from tollkey.payments.charges import splitting
from tollkey.payments.intents import payment_intents
from tollkey.payments.invoices import kinds, states
from tollkey.payments.invoices.drafts import subscription_of
from tollkey.payments.invoices.payments import Outcome, method_of, new_payment, payment_paid
from tollkey.payments.methods import instruments, method_types
from tollkey.payments.methods import kinds as methods_kinds
from tollkey.payments.shared import providers
from tollkey.wire import ApiError, Call

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.intents.stored import StoredPaymentIntent
    from tollkey.payments.invoices.stored import StoredInvoice
    from tollkey.payments.methods.stored import Instrument
    from tollkey.wire import api, operations

_DESCRIPTIONS = {
    "subscription_create": "Subscription creation",
    "subscription_update": "Subscription update",
    "subscription_cycle": "Subscription update",
}
_FINAL = ("succeeded", "canceled")


def _types(call: Call, invoice: StoredInvoice) -> list[str]:
    """What an invoice may be paid with, as it says or by default (recorded for dollars, 2023 and later).

    The default has the type of the default payment method too, if it pays in this currency (``payment_settings`` in
    Stripe's specification). Types that a connected account cannot accept are left out, and those of sources, which
    ``charge`` adds.
    """
    by_default = ["card"]
    if invoice["currency"] == "usd" and call.version >= "2023-08-16":
        by_default = ["acss_debit", "card", "cashapp", "link", "us_bank_account"]
    types = invoice["payment_settings"].get("payment_method_types") or [*by_default, *_default_type(call, invoice)]
    refused = splitting.refused_types(call, invoice["on_behalf_of"], invoice["currency"])
    return [name for name in dict.fromkeys(types) if name not in refused and name in method_types.TYPES] or ["card"]


def _default_type(call: Call, invoice: StoredInvoice) -> list[str]:
    """Return the type of the payment method that is charged by default, if it pays in the invoice's currency."""
    subscription = call.objects.find(kinds.SUBSCRIPTION, subscription_of(invoice) or "")
    customer = call.objects.get(kinds.CUSTOMER, invoice["customer"], "customer")
    method = call.objects.find(methods_kinds.PAYMENT_METHOD, method_of(call, invoice, subscription, customer) or "")
    known = method_types.TYPES.get(method["type"]) if method is not None else None
    return [known.name] if known is not None and known.pays_in(invoice["currency"]) else []


def _receiver_type(invoice: StoredInvoice, paying: Instrument) -> list[str]:
    """Return the type of what an invoice is paid with if that is a receiver, which the invoice takes; else nothing."""
    if not methods_kinds.is_source(paying) or paying["flow"] != "receiver":
        return []
    types = invoice["payment_settings"].get("payment_method_types")
    return [paying["type"]] if not types or paying["type"] in types else []


def prepare(call: Call, invoice: StoredInvoice, customer: StoredCustomer) -> None:
    """Create the PaymentIntent of an invoice that is being finalized, and the invoice payment that links them."""
    now = call.at(call.real)
    params: operations.PostPaymentIntents = {
        "amount": invoice["amount_remaining"],
        "currency": invoice["currency"],
        "customer": customer["id"],
        "description": _DESCRIPTIONS.get(invoice["billing_reason"] or "", "Payment for Invoice"),
        "capture_method": "automatic",
        "payment_details": {"order_reference": invoice["id"][:25]},
        "payment_method_types": _types(call, invoice),
    }
    options = invoice["payment_settings"].get("payment_method_options")
    if options:
        params["payment_method_options"] = cast("operations.PostPaymentIntentsPaymentMethodOptions", options)
    if invoice["billing_reason"] in ("subscription_create", "subscription_update"):
        params["setup_future_usage"] = "off_session"
    fee, transfer = _shares(invoice)
    if transfer is not None:
        params["transfer_data"] = transfer
    if fee is not None:
        params["application_fee_amount"] = fee
    if invoice["on_behalf_of"] is not None:
        params["on_behalf_of"] = invoice["on_behalf_of"]
    if invoice["statement_descriptor"] is not None:
        params["statement_descriptor"] = invoice["statement_descriptor"]
    intent = payment_intents.create_intent(now, params, _invoice=invoice["id"])
    new_payment(call, invoice, intent["id"])


def _shares(invoice: StoredInvoice) -> tuple[int | None, operations.PostPaymentIntentsTransferData | None]:
    """Return ``application_fee_amount`` and ``transfer_data`` for what remains to be paid of an invoice.

    Percentages are of that remainder. Amounts are of the amount due that the invoice was finalized with: once less
    remains, because of a credit note or a payment, at most the remainder (inferred: a PaymentIntent allows no more).
    """
    left, lowered = invoice["amount_remaining"], bool(invoice.get("_payment_intent"))
    fee, percent = invoice.get("_application_fee"), invoice.get("_application_fee_percent")
    if fee is None and percent is not None:
        fee = int(left * float(percent) / 100)
    elif fee is not None and lowered:
        fee = min(fee, left)
    wish = invoice.get("_transfer_data")
    if not wish or not wish.get("destination"):
        return fee or None, None
    transfer: operations.PostPaymentIntentsTransferData = {"destination": wish["destination"]}
    amount, share = wish.get("amount"), wish.get("amount_percent")
    if amount is not None:
        transfer["amount"] = min(amount, left) if lowered else amount
    elif share is not None:
        transfer["amount"] = int(left * float(share) / 100)
    return fee or None, transfer


def excess(invoice: StoredInvoice, due: int) -> ApiError | None:
    """Return the error of a PaymentIntent if more of it than ``due`` (minor units) is to go to other accounts."""
    wish = invoice.get("_transfer_data")
    if wish and (wish.get("amount") or 0) > due:
        return payment_intents.too_much_transferred()
    return payment_intents.too_large_fee() if (invoice.get("_application_fee") or 0) > due else None


#: Status of a PaymentIntent after an attempt -> outcome for its invoice; any other status is a failure.
_OUTCOMES = {"succeeded": "paid", "processing": "processing", "requires_action": "requires_action"}


def charge(call: Call, invoice: StoredInvoice, customer: StoredCustomer, method: str, *, off_session: bool) -> Outcome:
    """Confirm the invoice's PaymentIntent with a payment method or source, and return the outcome.

    method: an id. off_session: whether the customer is absent. Without a provider for charges, the attempt fails.
    """
    now = call.at(call.real)
    if not invoice.get("_payment_intent"):
        prepare(call, invoice, customer)
    intent = now.objects.get(kinds.PAYMENT_INTENT, invoice["_payment_intent"])
    if intent["status"] == "requires_action":
        return Outcome("requires_action")
    nobody = None if call.has(providers.PAYMENTS) else providers.PAYMENTS.refusal()
    behalf, paying = intent["on_behalf_of"], instruments.resolve_payment_method(now, method)
    intent["payment_method_types"] = list(
        dict.fromkeys((*intent["payment_method_types"], *_receiver_type(invoice, paying)))
    )
    refused = nobody or splitting.charge_refusal(now, behalf)
    refused = refused or splitting.method_refusal(now, behalf, paying, intent["currency"])
    refused = refused or payment_intents.method_refusal(now, paying, intent["currency"])
    if refused is not None:
        return Outcome("failed", refused)
    if off_session:
        intent["setup_future_usage"] = None  # the customer is absent and cannot set up anything
    asked = {"payment_method": method, "off_session": off_session, **_mandate(call, invoice, paying)}
    call.memo[collecting_key(invoice)] = True
    error = payment_intents.confirm_intent(now, intent, asked)
    if error is not None and off_session and "authentication_required" in (error.code, error.extra.get("decline_code")):
        # The customer can still pass the challenge later.
        intent["setup_future_usage"] = "off_session"
        error = payment_intents.confirm_intent(now, intent, {**asked, "off_session": False})
        if (
            states.status_now(intent) == "requires_action"
        ):  # the declined charge is the only trace of the first attempt (recorded)
            intent["last_payment_error"] = None
            now.objects.save(intent)
    del call.memo[collecting_key(invoice)]
    if intent["status"] == "succeeded":
        payment_paid(call, invoice, intent["amount_received"])
    return Outcome(_OUTCOMES.get(intent["status"], "failed"), error)


def _mandate(call: Call, invoice: StoredInvoice, paying: Instrument) -> Mapping[str, str]:
    """Return the parameter with the invoice's default mandate, if it is one of what pays."""
    id = invoice["payment_settings"].get("default_mandate")
    found = call.objects.find(kinds.MANDATE, id) if id and "mandate" in call.setup.tables.of else None
    return {"mandate": found["id"]} if found is not None and found["payment_method"] == paying["id"] else {}


def collecting_key(invoice: StoredInvoice) -> tuple[str, str]:
    """Return the key in ``call.memo`` that is set while an invoice is collected.

    With it set, the collection itself records the success of the PaymentIntent.
    """
    return "collecting", str(invoice["id"])


def was_refused(call: Call, invoice: StoredInvoice) -> bool:
    """Return whether a charge of the invoice was declined, even if the customer has to act now."""
    intent = call.objects.find(kinds.PAYMENT_INTENT, invoice.get("_payment_intent") or "")
    return intent is not None and intent["latest_charge"] is not None


def cancel_intent_of(call: Call, invoice: StoredInvoice) -> None:
    """Cancel the PaymentIntent of an invoice that is void, or was paid otherwise."""
    if not invoice.get("_payment_intent"):
        return
    now = call.at(call.real)
    intent = now.objects.find(kinds.PAYMENT_INTENT, invoice["_payment_intent"])
    if intent is not None and intent["status"] not in (*_FINAL, "processing"):
        payment_intents.cancel_intent(now, intent, "void_invoice")


def _waiting(call: Call, invoice: StoredInvoice) -> StoredPaymentIntent | None:
    """Return the PaymentIntent of an invoice if it still waits for its payment, else None."""
    intent = call.objects.find(kinds.PAYMENT_INTENT, invoice.get("_payment_intent") or "")
    return intent if intent is not None and intent["status"] in payment_intents.UPDATABLE else None


def adjust_intent_amount(call: Call, invoice: StoredInvoice) -> None:
    """Set the amount of the invoice's PaymentIntent, and the parts for other accounts, to what remains to be paid."""
    intent = _waiting(call, invoice)
    if intent is not None:
        intent["amount"] = invoice["amount_remaining"]
        _share(intent, invoice)
        call.objects.save(intent)


def _share(intent: StoredPaymentIntent, invoice: StoredInvoice) -> None:
    fee, transfer = _shares(invoice)
    intent["application_fee_amount"] = fee
    intent["transfer_data"] = cast("api.TransferData | None", transfer)


def follow(call: Call, invoice: StoredInvoice, params: operations.PostInvoicesInvoice) -> None:
    """Let the PaymentIntent of a finalized invoice, while it waits, follow what an update changed of the payment.

    Raises ApiError 400 if more is to be transferred than remains to be paid, or nobody would get the application fee.
    """
    intent = _waiting(call, invoice)
    if intent is None:
        return
    if params.get("payment_settings") and intent["status"] != "requires_action":
        types, options = _types(call, invoice), invoice["payment_settings"].get("payment_method_options")
        intent["payment_method_types"] = types
        intent["payment_method_options"] = method_types.options_for(types, cast("Mapping[str, object] | None", options))
    if "transfer_data" in params:
        _share(intent, invoice)
        wish = invoice.get("_transfer_data")
        whole = wish.get("amount") if wish else None
        asked = {"amount": intent["amount"], "application_fee_amount": intent["application_fee_amount"]}
        if whole is not None and intent["transfer_data"] is not None:
            intent["transfer_data"]["amount"] = whole
        payment_intents.check_parts(call, intent, cast("operations.PostPaymentIntentsIntent", asked))
    call.objects.save(intent)


def record_paid(call: Call, invoice: StoredInvoice) -> None:
    """Mark the invoice payment as paid, with the full remaining amount."""
    payment_paid(call, invoice, invoice["amount_remaining"])
