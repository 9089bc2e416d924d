"""Application fees: the part of a connected account's charge that its platform receives, and refunds of it.

created ──refund──▶ refunded in part ──refund──▶ refunded
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.keys import Permission
from tollkey.payments.balance import kinds as balance_kinds
from tollkey.payments.balance import platform_fees
from tollkey.payments.shared import fields, providers
from tollkey.wire import Call, Endpoint, Page, Resource
from tollkey.wire.live import needs, records
from tollkey.wire.pages import list_page, listing, retrieve

if TYPE_CHECKING:
    from tollkey.wire import api, operations

PERMISSION = Permission("application_fee", "Application Fees", "Connect")


def create_refund(call: Call, params: operations.PostApplicationFeesIdRefunds) -> api.FeeRefund:
    """Refund an application fee, in full or in part."""
    fee = call.objects.get(balance_kinds.APPLICATION_FEE, call.path["id"])
    return platform_fees.refund_application_fee(call, fee, params.get("amount"), fields.new_metadata(params))


def refund_whole(call: Call, params: operations.PostApplicationFeesIdRefund) -> api.ApplicationFee:
    """Refund an application fee and return the fee, as before there were fee refund objects."""
    fee = call.objects.get(balance_kinds.APPLICATION_FEE, call.path["id"])
    platform_fees.refund_application_fee(call, fee, params.get("amount"))
    return fee


def _refund(call: Call) -> api.FeeRefund:
    return fields.part_of(call, "fee", balance_kinds.FEE_REFUND, "fee refund")


def retrieve_refund(call: Call, params: operations.GetApplicationFeesFeeRefundsId) -> api.FeeRefund:
    """Retrieve one refund of an application fee."""
    return _refund(call)


def update_refund(call: Call, params: operations.PostApplicationFeesFeeRefundsId) -> api.FeeRefund:
    """Change the metadata of a fee refund."""
    refund = _refund(call)
    fields.merge_metadata(refund, params)
    return call.objects.save(refund, "application_fee.refund.updated")


def list_refunds(call: Call, params: operations.GetApplicationFeesIdRefunds) -> Page:
    """List the refunds of an application fee."""
    fee = call.objects.get(balance_kinds.APPLICATION_FEE, call.path["id"])
    return list_page(
        call, balance_kinds.FEE_REFUND, params, {"fee": fee["id"]}, url=f"/v1/application_fees/{fee['id']}/refunds"
    )


APPLICATION_FEE = Resource(
    object="application_fee",
    prefix="fee",
    permission=PERMISSION,
    live=records(),
    label="application fee",
    indexed=("charge", "account"),
    endpoints=(
        listing("application_fee", "/v1/application_fees"),
        retrieve("application_fee", "/v1/application_fees/{id}"),
        Endpoint("POST", "/v1/application_fees/{id}/refund", refund_whole, live=needs(providers.REFUNDS)),
    ),
    title="Collected fees",
    columns=("amount", "account", "id", "created"),
)
FEE_REFUND = Resource(
    object="fee_refund",
    prefix="fr",
    permission=PERMISSION,
    live=records(),
    indexed=("fee",),
    endpoints=(
        Endpoint("GET", "/v1/application_fees/{id}/refunds", list_refunds),
        Endpoint("POST", "/v1/application_fees/{id}/refunds", create_refund, live=needs(providers.REFUNDS)),
        Endpoint("GET", "/v1/application_fees/{fee}/refunds/{id}", retrieve_refund),
        Endpoint("POST", "/v1/application_fees/{fee}/refunds/{id}", update_refund),
    ),
    title="Fee refunds",
    columns=("amount", "fee", "id", "created"),
)
