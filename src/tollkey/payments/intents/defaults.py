"""A payment method that becomes its customer's default by paying, or by being saved.

The mobile SDKs send ``set_as_default_payment_method`` with a confirmation, for a customer session whose feature offers
it. A confirmation does not name the session, so one of the customer's that has not expired must grant it (inferred).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.customers import default_methods
from tollkey.payments.intents import kinds
from tollkey.payments.methods import claims
from tollkey.payments.methods import kinds as methods_kinds
from tollkey.wire import Call

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import AnyIntent


def ask(call: Call, intent: AnyIntent, wanted: bool) -> None:
    """Note whether a confirmation asks for it. Raises ApiError 403 when no customer session grants it."""
    if wanted and not (intent["customer"] and claims.granted_to(call, intent["customer"], claims.SET_DEFAULT)):
        raise claims.not_granted("make a payment method the default", claims.SET_DEFAULT)
    intent.pop("_default", None)
    if wanted:
        intent["_default"] = True


def apply(call: Call, intent: AnyIntent) -> None:
    """Make the payment method of an intent that has succeeded the customer's default, if that was asked for.

    One that was not saved stays what it is. The caller stores the intent.
    """
    if intent.pop("_default", False):
        customer = call.objects.find(kinds.CUSTOMER, intent["customer"] or "")
        method = call.objects.find(methods_kinds.PAYMENT_METHOD, intent["payment_method"] or "")
        if customer is not None and method is not None and method.get("customer") == customer["id"]:
            default_methods.make_default(call, customer, method["id"])
