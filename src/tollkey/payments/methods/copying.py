"""Cloning: copying a saved payment method of a platform's customer to a connected account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.keys import Permission
from tollkey.payments.methods import kinds
from tollkey.payments.methods.instruments import no_payment_method, not_attached, resolve_payment_method, shown_card
from tollkey.payments.shared import fields
from tollkey.wire import Call, invalid

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import StoredCard, StoredPaymentMethod
    from tollkey.wire import operations

#: Source of the rule: the specification of ``customer`` on ``POST /v1/payment_methods``; the text is inferred.
_WHOSE = (
    "The payment method supplied ({method}) belongs to the Customer {customer}. Please include the Customer in the"
    " `customer` parameter."
)


def shared_from(call: Call, param: str, permission: Permission) -> Call:
    """Return the call in the platform's scope, for copying one of its objects to the connected account.

    param: the parameter that names the object. permission: the permission required to read it on the platform.
    Raises ApiError 400 without a connected account (source of the rule: the specification of ``customer`` on ``POST
    /v1/tokens``; the text is ours), and 403 if the key may not read the object.
    """
    if call.account == call.platform:
        raise invalid(f"You can only use `{param}` with an OAuth access token or the `Stripe-Account` header.", param)
    platform = call.within(call.platform)
    platform.needs(permission)
    return platform


def copy_payment_method(
    call: Call, params: operations.PostPaymentMethods, permission: Permission
) -> StoredPaymentMethod:
    """Store a copy of a payment method of the platform on the connected account, and return it.

    params: ``payment_method``, an id on the platform, and ``customer``, one of the platform's customers, or None.
    Raises ApiError like ``shared_from``, and 400 if the platform or the customer does not have the payment method.
    """
    platform, id = shared_from(call, "payment_method", permission), params["payment_method"]
    original = resolve_payment_method(platform, id, "payment_method")
    if (
        params.get("customer")
        and original.get("customer") != platform.objects.get(kinds.CUSTOMER, params["customer"], "customer")["id"]
    ):
        raise not_attached(original["id"], "payment_method")
    if original.get("customer") and not params.get("customer"):
        raise invalid(_WHOSE.format(method=original["id"], customer=original["customer"]), "payment_method")
    if kinds.is_card(original):
        value = _of_card(call, original)
    elif kinds.is_payment_method(original):
        value = original.copy()
    else:
        raise no_payment_method(platform, id, "payment_method")
    value.update(
        {"id": call.ids.new("pm"), "customer": None, "created": call.now, "metadata": fields.new_metadata(params)}
    )
    value.pop("_used", None)
    value.pop("_vault", None)  # the number is of the other account
    return call.objects.insert(value)


def _of_card(call: Call, card: StoredCard) -> StoredPaymentMethod:
    """Return a payment method made from a saved legacy card, with its private fields."""
    value = shown_card(call, card)
    if "_card" in card:
        value["_card"] = card["_card"]
    value["_cvc"], value["_zip"], value["_line1"] = (bool(card.get(name)) for name in ("_cvc", "_zip", "_line1"))
    return value
