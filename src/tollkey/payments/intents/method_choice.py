"""The payment method of an intent: an id, data entered by the customer, or a ConfirmationToken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from tollkey.payments.intents import kinds
from tollkey.payments.methods import customer_sources, instruments, payment_methods
from tollkey.payments.methods import kinds as methods_kinds
from tollkey.payments.processors import protocol
from tollkey.wire import ApiError, Call, invalid
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import AnyIntent, Instrument, StoredConfirmationToken

#: Recorded: the two kinds of intents word it differently, and a PaymentIntent blames ``source``.
_BELONGS = {
    "payment_intent": (
        "The `payment_method` parameter supplied {method} belongs to the Customer {customer}."
        " Please include the Customer in the `customer` parameter on the PaymentIntent.",
        "source",
        "parameter_missing",
    ),
    "setup_intent": (
        "The payment method supplied ({method}) belongs to the Customer {customer}."
        " Please include the Customer in the `customer` parameter on the SetupIntent.",
        "payment_method",
        None,
    ),
}
_NOT_THEIRS = (
    "The PaymentMethod {method} does not belong to the Customer you supplied {customer}. Please use this PaymentMethod"
    " with the Customer that it belongs to instead."
)
#: Fields that a ConfirmationToken passes to the intent besides its payment method.
_CARRIED = ("return_url", "setup_future_usage", "shipping", "mandate_data")


def resolve_method(call: Call, params: Mapping[str, Any]) -> Instrument | None:
    """Return the stored payment method that the parameters refer to or describe; None without one.

    ``payment_method_data`` is stored as a new PaymentMethod. Raises ApiError for an unknown id.
    """
    data, named = params.get("payment_method_data"), params.get("payment_method")
    source = params.get("source") or params.get("payment_method_id")
    method: Instrument | None = None
    if data is not None:
        method = payment_methods.create(call, data)
    elif named is not None:
        method = instruments.named_method(call, named, "payment_method")
    elif isinstance(source, str):
        method = instruments.resolve_payment_method(call, source, "source")
    return method


def redeem_confirmation_token(call: Call, params: Mapping[str, Any], intent: AnyIntent) -> Mapping[str, Any]:
    """Return the parameters with the content of ``confirmation_token`` in its place, and use up the token.

    Raises ApiError 400 if it does not exist, was used or has expired.
    """
    text = params.get("confirmation_token")
    if text is not None:
        token = call.objects.get(kinds.CONFIRMATION_TOKEN, text, "confirmation_token")
        _check_unspent(call, token)
        token["payment_intent" if intent["object"] == "payment_intent" else "setup_intent"] = intent["id"]
        call.objects.save(token)
        params = _with_token({name: value for name, value in params.items() if name != "confirmation_token"}, token)
    return params


def _check_unspent(call: Call, token: StoredConfirmationToken) -> None:
    """Raise ApiError 400 for a ConfirmationToken that was used before, or has expired."""
    if token["payment_intent"] or token["setup_intent"]:
        kind = "PaymentIntent" if token["payment_intent"] else "SetupIntent"
        raise invalid(
            f"The confirmation token has already been used to confirm a previous {kind}.",
            "confirmation_token",
            retry=False,
        )
    if token["expires_at"] is not None and call.now >= token["expires_at"]:
        raise invalid(
            "The confirmation token has expired. Please create a new confirmation token.",
            "confirmation_token",
            retry=False,
        )


def _with_token(params: Mapping[str, Any], token: StoredConfirmationToken) -> Mapping[str, Any]:
    """Return the parameters with what a ConfirmationToken carries; what they say themselves comes first."""
    carried = {name: value_at(token, name) for name in _CARRIED if value_at(token, name) is not None}
    if token.get("_default"):
        carried["set_as_default_payment_method"] = True
    if token.get("_payment_method"):
        carried["payment_method"] = token["_payment_method"]
    options = cast("Mapping[str, Any] | None", token.get("payment_method_options"))
    if options:
        carried["payment_method_options"] = {
            name: {k: v for k, v in inner.items() if v} for name, inner in options.items() if inner
        }
    return {**carried, **params}


def check_owner(call: Call, intent: AnyIntent, method: Instrument) -> None:
    """Raise ApiError 400 if the payment method belongs to another customer, was used up or was detached."""
    owner = method.get("customer")
    owner = owner if isinstance(owner, str) else None
    name = "PaymentIntent" if intent["object"] == "payment_intent" else "SetupIntent"
    if owner is not None and owner != intent["customer"] and call.client:  # whose id is hidden from it
        message = f"The payment method supplied ({method['id']}) belongs to another Customer."
        raise _not_usable(call, intent, message, "payment_method", None)
    if owner is not None and intent["customer"] is None:
        message, param, code = _BELONGS[intent["object"]]
        raise _not_usable(call, intent, message.format(method=method["id"], customer=owner), param, code)
    if owner is not None and owner != intent["customer"]:
        message = _NOT_THEIRS.format(method=method["id"], customer=intent["customer"])
        raise _not_usable(call, intent, message, "payment_method", None)
    used = method.get("_used") or (name == "SetupIntent" and method.get("_set_up"))
    if owner is None and used and method["object"] == "payment_method":
        raise invalid(instruments.USED, retry=False)


def usable_by(call: Call, intent: AnyIntent, method: Instrument) -> None:
    """Raise ApiError 400 if the payment method is not the intent's to use, or of a type that it does not allow."""
    check_owner(call, intent, method)
    name = "PaymentIntent" if intent["object"] == "payment_intent" else "SetupIntent"
    allowed = intent["payment_method_types"]
    kind = protocol.kind_of(method)
    if kind not in allowed and not (kind == "ach_debit" and "us_bank_account" in allowed):
        raise invalid(
            f"The PaymentMethod provided ({kind}) is not allowed for this {name}."
            f" Please attach a PaymentMethod of one of the following"
            f" types: {', '.join(allowed)}. Alternatively update the allowed payment_method_types for this {name} to"
            f" include"
            f' "{kind}".',
            None,
            "payment_intent_incompatible_payment_method"
            if intent["object"] == "payment_intent"
            else "setup_intent_invalid_parameter",
            retry=False,
        )


def spend(call: Call, method: Instrument) -> None:
    """Use up what was paid with and belongs to no customer: it is valid for one payment."""
    if method.get("customer") is None and methods_kinds.is_source(method):
        customer_sources.consume(call, method)
    elif method.get("customer") is None:
        consume(call, method)


def _not_usable(call: Call, intent: AnyIntent, message: str, param: str, code: str | None) -> ApiError:
    """Return the 400 for a payment method of another customer; it contains the intent unless that is being made."""
    refusal = invalid(message, param, code)
    if "intent" in call.path:
        refusal.extra[intent["object"]] = call.objects.copy(intent)
    return refusal


def consume(call: Call, method: Instrument) -> None:
    """Mark a payment method without a customer as used up, whether it was charged or declined."""
    if method["object"] == "payment_method" and method.get("customer") is None and not method.get("_used"):
        method["_used"] = True
        call.objects.save(method)


def attach(call: Call, method: Instrument, customer: str | None, *, off_session: bool) -> None:
    """Attach a payment method to a customer after a successful payment or set-up. off_session: prepare it for
    such payments.
    """
    if method["object"] == "payment_method":
        was = method.get("customer")
        customer_sources.checked(method)
        if off_session:
            method["_set_up"] = True
        if customer is not None and was is None:
            method["customer"] = customer
            method.pop("_used", None)
            call.objects.save(method)
            call.emit("payment_method.attached", method)
        elif off_session:
            call.objects.save(method)
