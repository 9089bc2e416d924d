"""Refunds: payments returned to the customer.

succeeded                      (at once, and for good)
pending ──▶ succeeded │ canceled
succeeded ──▶ failed           (the bank sends it back)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.keys import Permission
from tollkey.payments.charges import jobs, kinds, refund_objects, refund_rules
from tollkey.payments.processors import asking
from tollkey.payments.shared import events, fields, providers
from tollkey.wire import Action, ApiError, Call, Endpoint, Page, Resource, invalid
from tollkey.wire.live import needs, records
from tollkey.wire.pages import list_page, listing, retrieve
from tollkey.wire.resource import Reaction

if TYPE_CHECKING:
    from tollkey.payments.charges.stored import StoredCharge, StoredRefund
    from tollkey.wire import operations

PERMISSION = Permission("refund", "Refunds", "Core")


def create(call: Call, params: operations.PostRefunds) -> StoredRefund:
    """Refund a charge, or the charge of a PaymentIntent, in full or in part."""
    if params.get("payment_intent"):
        intent = call.objects.get(kinds.PAYMENT_INTENT, params["payment_intent"], "payment_intent")
        charge_id = intent.get("latest_charge")
        if not charge_id or intent.get("status") not in ("succeeded", "requires_capture"):
            raise refund_objects.without_charge(intent["id"])
        charge = call.objects.get(kinds.CHARGE, charge_id, "payment_intent")
        if params.get("charge", charge_id) != charge_id:
            raise _of_another(params["charge"], intent["id"], "charge")
    elif params.get("charge"):
        charge = call.objects.get(kinds.CHARGE, params["charge"])  # 404 and ``id``, as recorded
    else:
        raise invalid("One of the following params should be provided for this request: payment_intent or charge.")
    return refund_rules.refund(call, charge, params)


def create_of_charge(call: Call, params: operations.PostChargesChargeRefunds) -> StoredRefund:
    """Refund the charge in the path, in full or in part."""
    return refund_rules.refund(call, _charge(call, params), params)


def refund_charge(call: Call, params: operations.PostChargesChargeRefund) -> StoredCharge:
    """Refund a charge and return the charge, as before there were refund objects."""
    charge = _charge(call, params)
    refund_rules.refund(call, charge, params)
    return charge


def _charge(
    call: Call, params: operations.PostChargesChargeRefund | operations.PostChargesChargeRefunds
) -> StoredCharge:
    """Return the charge in the path. Raises ApiError 400 for a ``payment_intent`` that is not the charge's."""
    charge = call.objects.get(kinds.CHARGE, call.path["charge"])
    intent = params.get("payment_intent")
    if intent is not None and intent != charge["payment_intent"]:
        raise _of_another(charge["id"], intent, "payment_intent")
    return charge


def _of_another(charge: str, intent: str, param: str) -> ApiError:
    return invalid(f"The charge {charge} is not the latest charge of the PaymentIntent {intent}.", param)


def update(call: Call, params: operations.PostRefundsRefund) -> StoredRefund:
    """Change a refund's metadata."""
    refund = call.objects.get(kinds.REFUND, call.path["refund"])
    return _update(call, refund, params)


def _update(
    call: Call, refund: StoredRefund, params: operations.PostChargesChargeRefundsRefund | operations.PostRefundsRefund
) -> StoredRefund:
    fields.merge_metadata(refund, params)
    call.objects.save(refund, "refund.updated")
    call.emit("charge.refund.updated", refund)
    return refund


def cancel(call: Call, params: operations.PostRefundsRefundCancel) -> StoredRefund:
    """Cancel a refund that waits for an action of the customer."""
    refund = call.objects.get(kinds.REFUND, call.path["refund"])
    if asking.backend_of(call) is not None and refund["status"] == "pending":
        raise asking.busy()  # the processor has it, and has not answered
    if refund["status"] not in ("requires_action", "pending"):
        raise invalid("Canceling this refund is unsupported.", retry=False)
    return refund_rules.return_refund(call, refund, "canceled")


def list_of_charge(call: Call, params: operations.GetChargesChargeRefunds) -> Page:
    """List the refunds of a charge."""
    charge = call.objects.get(kinds.CHARGE, call.path["charge"])
    return list_page(call, kinds.REFUND, params, {"charge": charge["id"]}, url=f"/v1/charges/{charge['id']}/refunds")


def _of_charge(call: Call) -> StoredRefund:
    return fields.part_of(call, "charge", kinds.REFUND, "refund", "refund")


def retrieve_of_charge(call: Call, params: operations.GetChargesChargeRefundsRefund) -> StoredRefund:
    """Retrieve one refund of a charge."""
    return _of_charge(call)


def update_of_charge(call: Call, params: operations.PostChargesChargeRefundsRefund) -> StoredRefund:
    """Change one refund of a charge."""
    return _update(call, _of_charge(call), params)


REFUND = Resource(
    object="refund",
    prefix="re",
    prefixes=("pyr",),
    permission=PERMISSION,
    live=records(),
    path_param="id",
    indexed=("charge", "payment_intent"),
    endpoints=(
        listing("refund", "/v1/refunds"),
        Endpoint("POST", "/v1/refunds", create, live=needs(providers.REFUNDS)),
        retrieve("refund", "/v1/refunds/{refund}"),
        Endpoint("POST", "/v1/refunds/{refund}", update),
        Endpoint("POST", "/v1/refunds/{refund}/cancel", cancel, live=needs(providers.REFUNDS)),
        Endpoint("GET", "/v1/charges/{charge}/refunds", list_of_charge),
        Endpoint("POST", "/v1/charges/{charge}/refunds", create_of_charge, live=needs(providers.REFUNDS)),
        Endpoint("GET", "/v1/charges/{charge}/refunds/{refund}", retrieve_of_charge),
        Endpoint("POST", "/v1/charges/{charge}/refunds/{refund}", update_of_charge),
        Endpoint("POST", "/v1/charges/{charge}/refund", refund_charge, object="charge", live=needs(providers.REFUNDS)),
    ),
    due_live={jobs.REFUND_SETTLE: needs(providers.REFUNDS)},
    on=(Reaction(events.AttemptEnded, refund_rules.attempt_ended),),
    on_due={jobs.REFUND_SETTLE: refund_rules.complete_delayed_refund},
    title="Refunds",
    columns=("amount", "status", "reason", "id", "created"),
    actions=(Action("Cancel", "/v1/refunds/{refund}/cancel", (), ("pending", "requires_action")),),
)
