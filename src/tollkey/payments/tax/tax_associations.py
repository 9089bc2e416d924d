"""Tax associations: the tax transactions of a payment whose intent had a tax calculation.

named in the intent ──it succeeds──▶ committed (a tax transaction) │ errored (why there is none)
                       └──each refund──▶ committed (a reversal)    │ errored
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.shared import events
from tollkey.payments.tax import kinds, linking
from tollkey.payments.tax.calculations import TRANSACTIONS
from tollkey.payments.tax.linking import calculation_of
from tollkey.wire import ApiError, Call, Endpoint, Resource, new_object
from tollkey.wire.resource import Reaction

if TYPE_CHECKING:
    from tollkey.wire import api, operations


def find(call: Call, params: operations.GetTaxAssociationsFind) -> api.TaxAssociation:
    """Retrieve the tax association of a PaymentIntent. Raises ApiError 404 if it has no tax calculation."""
    intent = call.objects.get(kinds.PAYMENT_INTENT, params["payment_intent"], "payment_intent")
    calculation = calculation_of(intent)
    if calculation is None:
        message = f"No tax association found for PaymentIntent: '{intent['id']}'"
        raise ApiError(404, code="resource_missing", message=message, param="payment_intent")
    return new_object(
        kinds.ASSOCIATION,
        id=f"taxa_{intent['id'].removeprefix('pi_')}",
        calculation=calculation,
        payment_intent=intent["id"],
        tax_transaction_attempts=intent.get("_tax_attempts") or None,
    )


ASSOCIATION = Resource(
    object="tax.association",
    permission=TRANSACTIONS,
    stored=False,
    endpoints=(Endpoint("GET", "/v1/tax/associations/find", find),),
    on=(Reaction(events.IntentSucceeded, linking.paid), Reaction(events.Refunded, linking.refunded)),
)
