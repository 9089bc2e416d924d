"""Copying what a platform's customer has saved onto a connected account, as Connect's cloning does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.keys import Permission
from tollkey.payments.methods import kinds
from tollkey.payments.methods.instruments import no_payment_method, resolve_payment_method, shown_card
from tollkey.payments.shared import fields
from tollkey.wire import Call, invalid

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import StoredCard, StoredPaymentMethod


def shared_from(call: Call, param: str, permission: Permission) -> Call:
    """The platform's side of a call that copies an object of the platform onto the connected account it acts for.

    param: what names the object. permission: what protects it on the platform. Raises ApiError: 400 without a connected
    account (the rule is the specification's, of ``customer`` on ``POST /v1/tokens``; the text is ours), 403 when the
    key may not read the object.
    """
    if call.account == call.platform:
        raise invalid(f"You can only use `{param}` with an OAuth access token or the `Stripe-Account` header.", param)
    platform = call.within(call.platform)
    platform.needs(permission)
    return platform


def copy_payment_method(call: Call, params: Mapping[str, Any], permission: Permission) -> StoredPaymentMethod:
    """A copy, on the connected account, of its platform's payment method, which the named customer has to have.

    params: ``payment_method``, an id of the platform's, and ``customer``, one of its customers, or None.
    Raises ApiError as ``shared_from`` does, and 400 for what the platform, or the customer, does not have.
    """
    platform, id = shared_from(call, "payment_method", permission), params["payment_method"]
    original = resolve_payment_method(platform, id, "payment_method")
    if (
        params.get("customer")
        and original.get("customer") != platform.objects.get(kinds.CUSTOMER, params["customer"], "customer")["id"]
    ):
        raise invalid(
            f"The customer does not have a payment method with the ID {original['id']}."
            f" The payment method must be attached to the"
            " customer.",
            "payment_method",
            "resource_missing",
        )
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
    return call.objects.insert(value)


def _of_card(call: Call, card: StoredCard) -> StoredPaymentMethod:
    """A payment method of a saved card of the old kind, with what is known of the card."""
    value = shown_card(call, card)
    if "_card" in card:
        value["_card"] = card["_card"]
    value["_cvc"], value["_zip"], value["_line1"] = (bool(card.get(name)) for name in ("_cvc", "_zip", "_line1"))
    return value
