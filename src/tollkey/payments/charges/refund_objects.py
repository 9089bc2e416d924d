"""Refund objects as they are made, also for the part of an authorization that is never captured."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tollkey.payments.charges import details, kinds, states
from tollkey.payments.shared import fields
from tollkey.wire import ApiError, Call, invalid, new_object

if TYPE_CHECKING:
    from tollkey.payments.charges.stored import StoredCharge, StoredRefund
    from tollkey.wire import api, operations

    #: What a refund is asked for with: at its own address, or at that of its charge.
    RefundParams = operations.PostRefunds | operations.PostChargesChargeRefund | operations.PostChargesChargeRefunds

_NOTHING: operations.PostRefunds = {}
_OF_INTENT = (
    "This uncaptured Charge was created by a PaymentIntent ({intent}). You must {verb}. For more information, see"
    " https://stripe.com/docs/payments/place-a-hold-on-a-payment-method"
)


def check_settled(charge: StoredCharge) -> None:
    """Raise ApiError 400 for a charge whose money cannot be given back: failed, pending, or authorized by an intent.

    Source of the last one's text: woocommerce-gateway-stripe issue 1081.
    """
    if charge["status"] == "failed" and charge["payment_intent"]:
        raise without_charge(charge["payment_intent"])
    if charge["status"] in ("failed", "pending"):
        state = "has failed" if charge["status"] == "failed" else "is still pending"
        raise invalid(
            f"Charge {charge['id']} {state} and cannot be refunded.", None, "charge_not_refundable", retry=False
        )
    if charge["payment_intent"] and not charge["captured"] and not charge["amount_captured"]:
        verb = "cancel the PaymentIntent to reverse the authorization instead of refunding the Charge directly"
        raise invalid(_OF_INTENT.format(intent=charge["payment_intent"], verb=verb), None, retry=False)


def without_charge(intent: str) -> ApiError:
    """Return the 400 for a refund of a PaymentIntent that took no money. intent: its id."""
    return invalid(f"This PaymentIntent ({intent}) does not have a successful charge to refund.", retry=False)


def check_own_capture(charge: StoredCharge) -> None:
    """Raise ApiError 400 for the uncaptured charge of a PaymentIntent, which is captured through the intent.

    Source of the text: stripe-mirakl-connector issue 46.
    """
    if charge["payment_intent"] and not charge["captured"]:
        verb = "capture the PaymentIntent instead"
        raise invalid(_OF_INTENT.format(intent=charge["payment_intent"], verb=verb), None, retry=False)


def new_refund(call: Call, charge: StoredCharge, amount: int, params: RefundParams = _NOTHING) -> StoredRefund:
    """Return a refund of a charge that has succeeded at once. The caller stores it.

    amount: minor units of the charge's currency. params: ``metadata``, ``reason`` and ``instructions_email`` of the
    request.
    """
    kind = details.of_charge(charge)["type"]
    ours = charge["id"].startswith("py_")
    more = {} if kind == "stripe_account" else {"destination_details": _destination_details(kind)}
    made = new_object(
        kinds.REFUND,
        id=call.ids.new("pyr" if ours else "re"),
        amount=amount,
        charge=charge["id"],
        created=call.now,
        currency=charge["currency"],
        metadata=fields.new_metadata(params),
        payment_intent=charge["payment_intent"],
        reason=params.get("reason"),
        status=states.REFUND.start("succeeded"),
        **more,
    )
    made.update(
        {"customer": charge.get("customer"), "customer_account": None, "payment_method": charge.get("payment_method")}
    )
    fields.assign(made, params, ("instructions_email",))
    return made


def released(call: Call, charge: StoredCharge, amount: int, params: RefundParams = _NOTHING) -> StoredRefund:
    """Store the refund of a part of an authorization that was not captured. No money moves, so nothing is booked.

    amount: minor units, at least 1. The caller adds it to ``amount_refunded`` of the charge.
    """
    return call.objects.insert(new_refund(call, charge, amount, params), "refund.created")


def _destination_details(kind: str) -> api.RefundDestinationDetails:
    """Return ``destination_details``, which depend on the type of the charged payment method."""
    if kind == "card":
        return {
            "type": kind,
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
        }
    return cast("api.RefundDestinationDetails", {"type": kind, kind: {}})  # the field's name is the type
