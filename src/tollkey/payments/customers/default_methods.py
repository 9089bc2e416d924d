"""The payment method that a customer pays with by default, as an app sets it with an ephemeral key.

Source of path, parameter and answer: the mobile SDKs and their network tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.customers import customers, kinds
from tollkey.payments.methods import claims, instruments
from tollkey.payments.methods import kinds as methods_kinds
from tollkey.wire import Call, Endpoint, P
from tollkey.wire.access import Access
from tollkey.wire.resource import MoreEndpoints

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.wire import operations


def set_default(call: Call, params: operations.PostElementsCustomersCustomerSetDefaultPaymentMethod) -> StoredCustomer:
    """Make a saved payment method the customer's default; an empty text leaves none.

    Raises ApiError 400 for what the customer has not saved.
    """
    customer = call.objects.get(kinds.CUSTOMER, call.path["customer"])
    named = params["payment_method"]
    if named:
        method = call.objects.find(methods_kinds.PAYMENT_METHOD, named)
        if method is None or method.get("customer") != customer["id"]:
            raise instruments.no_payment_method(call, named, "payment_method")
        claims.check_listed(call, method, claims.of_caller(call), "payment_method")
    return make_default(call, customer, named or "")


def make_default(call: Call, customer: StoredCustomer, method: str) -> StoredCustomer:
    """Store a customer's default payment method, with its event. method: an id; empty for none."""
    return customers.change(call, customer, {"invoice_settings": {"default_payment_method": method}})


DEFAULT_METHODS = MoreEndpoints(
    of="customer",
    endpoints=(
        Endpoint(
            "POST",
            "/v1/elements/customers/{customer}/set_default_payment_method",
            set_default,
            params=P.object(required=["payment_method"], payment_method=P.unset(P.string())),
            ephemeral=Access(takes="payment_method", granted=frozenset({claims.SET_DEFAULT})),
        ),
    ),
)
