"""Removing a saved payment method in an app: what the customer session grants is asked first.

    saved ──/v1/elements/payment_methods/{id}/detach──▶ detached, as by ``/v1/payment_methods/{id}/detach``

Source of path and parameters: the mobile SDKs, which call it when the app was given a customer session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.methods import claims
from tollkey.payments.methods.instruments import named_method, no_payment_method
from tollkey.payments.methods.mandates import detach_from
from tollkey.wire import Call, Endpoint, P, invalid
from tollkey.wire.access import Access
from tollkey.wire.resource import MoreEndpoints

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import Instrument
    from tollkey.wire import operations


def remove(call: Call, params: operations.PostElementsPaymentMethodsPaymentMethodDetach) -> Instrument:
    """Detach a saved payment method from the customer of a customer session.

    Raises ApiError 400 for a session that is wrong or has expired, 403 when it does not grant this, and 404 for what
    its customer has not saved.
    """
    method = named_method(call, call.path["payment_method"], None)
    session = claims.session_of(call, params["customer_session_client_secret"])
    owner = method.get("customer")
    if owner != session["customer"] or call.hides(method):
        raise no_payment_method(call, call.path["payment_method"], None)
    if call.key is not None and call.key.kind == "ephemeral" and call.key.subject != owner:
        raise invalid("This CustomerSession is of another customer.", claims.PARAM)
    claims.check_listed(call, method, claims.grants(session))
    claims.check_removal(call, method, claims.grants(session))
    detach_from(call, method, session["customer"])
    return method


REMOVALS = MoreEndpoints(
    of="payment_method",
    endpoints=(
        Endpoint(
            "POST",
            "/v1/elements/payment_methods/{payment_method}/detach",
            remove,
            params=P.object(required=[claims.PARAM], customer_session_client_secret=P.string()),
            ephemeral=Access(takes=claims.PARAM, granted=frozenset({claims.REMOVE})),
        ),
    ),
)
