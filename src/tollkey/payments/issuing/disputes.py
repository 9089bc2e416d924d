"""Issuing disputes: claims of the account against a merchant.

unsubmitted ──submit──▶ submitted ──(settles)──▶ won, or lost when the evidence says ``losing_evidence``
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from tollkey.keys import Permission
from tollkey.ledger import Money
from tollkey.payments.issuing import jobs, kinds, states
from tollkey.payments.issuing._book import move
from tollkey.payments.shared import fields, providers
from tollkey.wire import Call, Endpoint, Resource, invalid, new_object
from tollkey.wire.live import needs
from tollkey.wire.objects import value_at
from tollkey.wire.pages import listing, retrieve

if TYPE_CHECKING:
    from tollkey.wire import api, operations

PERMISSION = Permission("issuing_dispute", "Disputes", "Issuing")
_NAME = "issuing.dispute"


def _evidence(
    call: Call, given: Mapping[str, Any] | None, old: api.IssuingDisputeEvidence | None = None
) -> api.IssuingDisputeEvidence:
    before: Mapping[str, Any] = old or {"reason": "fraudulent"}
    new = {**before, **(given or {})}
    reason = new["reason"]
    details = new.get(reason) or {}
    if given and details.get("additional_documentation"):
        param = f"evidence[{reason}][additional_documentation]"
        call.objects.get("file", details["additional_documentation"], param)
    new[reason] = {"additional_documentation": None, "explanation": None, **details}
    return cast("api.IssuingDisputeEvidence", new)  # the details are in the field named like the reason


def create(call: Call, params: operations.PostIssuingDisputes) -> api.IssuingDispute:
    """Create a dispute of a transaction."""
    transaction = call.objects.get(kinds.TRANSACTION, params.get("transaction") or "", "transaction")
    if transaction["dispute"] is not None:
        raise invalid("This transaction already has a dispute.", "transaction")
    dispute = new_object(
        kinds.DISPUTE,
        id=call.ids.new("idp"),
        amount=params.get("amount") or abs(transaction["amount"]),
        balance_transactions=[],
        created=call.now,
        currency=transaction["currency"],
        evidence=_evidence(call, params.get("evidence")),
        livemode=call.livemode,
        metadata=fields.new_metadata(params),
        status=states.DISPUTE.start("unsubmitted"),
        transaction=transaction["id"],
    )
    transaction["dispute"] = dispute["id"]
    call.objects.save(transaction)
    return call.objects.insert(dispute, "issuing_dispute.created")


def _amount_of(dispute: api.IssuingDispute) -> Money:
    return Money(dispute["amount"], dispute["currency"])


def _unsubmitted(call: Call) -> api.IssuingDispute:
    dispute = call.objects.get(kinds.DISPUTE, call.path["dispute"])
    if dispute["status"] != "unsubmitted":
        raise invalid(f"This dispute cannot be changed because its status is {dispute['status']}.", retry=False)
    return dispute


def update(call: Call, params: operations.PostIssuingDisputesDispute) -> api.IssuingDispute:
    """Change the evidence, the amount or the metadata of a dispute."""
    dispute = (
        _unsubmitted(call) if set(params) - {"metadata"} else call.objects.get(kinds.DISPUTE, call.path["dispute"])
    )
    if params.get("amount"):
        dispute["amount"] = params["amount"]
    if "evidence" in params:
        dispute["evidence"] = _evidence(call, params["evidence"], dispute["evidence"])
    fields.merge_metadata(dispute, params)
    return call.objects.save(dispute, "issuing_dispute.updated")


def submit(call: Call, params: operations.PostIssuingDisputesDisputeSubmit) -> api.IssuingDispute:
    """Submit the dispute to the network; the amount is credited provisionally at once."""
    dispute = _unsubmitted(call)
    fields.merge_metadata(dispute, params)
    back = move(call, "issuing_dispute", _amount_of(dispute), dispute["id"])
    states.DISPUTE.set(dispute, "submitted")
    dispute["balance_transactions"] = [call.objects.copy(back)]
    call.schedule.add(call.now + call.services.settings.settle_seconds, jobs.ISSUING_DISPUTE, dispute["id"])
    call.objects.save(dispute)
    call.emit("issuing_dispute.submitted", dispute)
    call.emit("issuing_dispute.funds_reinstated", dispute)
    return dispute


def decide_dispute(call: Call, id: str) -> None:
    """Run the job ``issuing_dispute``: the network decides a submitted dispute."""
    dispute = call.objects.get(kinds.DISPUTE, id)
    if dispute["status"] != "submitted":
        return
    explanation = value_at(dispute, f"evidence.{dispute['evidence']['reason']}.explanation")
    lost = explanation == "losing_evidence"
    states.DISPUTE.set(dispute, "lost" if lost else "won")
    if lost:
        taken = move(call, "issuing_dispute", -_amount_of(dispute), id)
        dispute["balance_transactions"] = [*(dispute["balance_transactions"] or ()), call.objects.copy(taken)]
    call.objects.save(dispute)
    call.emit("issuing_dispute.closed", dispute)


DISPUTE = Resource(
    object=_NAME,
    prefix="idp",
    permission=PERMISSION,
    live=needs(providers.ISSUING),
    label="issuing dispute",
    path_param="dispute",
    indexed=("status", "transaction"),
    on_due={jobs.ISSUING_DISPUTE: decide_dispute},
    endpoints=(
        Endpoint("POST", "/v1/issuing/disputes", create),
        listing(_NAME, "/v1/issuing/disputes"),
        retrieve(_NAME, "/v1/issuing/disputes/{dispute}"),
        Endpoint("POST", "/v1/issuing/disputes/{dispute}", update),
        Endpoint("POST", "/v1/issuing/disputes/{dispute}/submit", submit),
    ),
    title="Issuing disputes",
    columns=("amount", "status", "id", "created"),
)
