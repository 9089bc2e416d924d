"""Disputes: a customer's bank reverses a payment, and the merchant may submit evidence.

    needs_response ──submit──▶ under_review ──▶ won (amount and fee come back) │ lost
           └───────close, or no evidence when it is due──────────────────────▶ lost
    warning_needs_response (an inquiry: no money moves) ──submit──▶ warning_under_review ──▶ warning_closed
           └───────close, a full refund, or no evidence when it is due───────▶ warning_closed

In test mode the evidence decides: ``winning_evidence`` or ``losing_evidence`` (reference section 6.7); in live mode the
bank, as the processor tells (``network_disputes``).
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, cast

from tollkey.keys import Permission
from tollkey.payments.charges import enhanced_evidence, jobs, kinds, network_disputes, states
from tollkey.payments.charges.dispute_rules import end
from tollkey.payments.processors import asking
from tollkey.payments.shared import events, fields, providers
from tollkey.wire import Action, ApiError, Call, Endpoint, Resource, invalid
from tollkey.wire.errors import wrong_purpose
from tollkey.wire.live import needs
from tollkey.wire.pages import listing, retrieve
from tollkey.wire.resource import Reaction
from tollkey.wire.versions import Change

if TYPE_CHECKING:
    from tollkey.payments.charges.stored import StoredDispute
    from tollkey.wire import api, operations

PERMISSION = Permission("dispute", "Disputes", "Core")
#: Most characters of all evidence together.
MOST_EVIDENCE = 150_000
#: What files of evidence are uploaded for.
_PURPOSE = "dispute_evidence"
_TEXTS_ONLY = (
    "The processor of this account takes the texts of evidence only, and no files. Nothing was done: say in"
    " `evidence[uncategorized_text]` what the file shows."
)
OPEN = ("needs_response", "warning_needs_response")
_REVIEW = {"needs_response": "under_review", "warning_needs_response": "warning_under_review"}
UNDER_REVIEW = ("under_review", "warning_under_review")


def update(call: Call, params: operations.PostDisputesDispute) -> StoredDispute:
    """Change the evidence of a dispute, submitted at once unless ``submit`` is false, or its metadata."""
    dispute = call.objects.get(kinds.DISPUTE, call.path["dispute"])
    return _answer(call, dispute, params)


def _answer(
    call: Call, dispute: StoredDispute, params: operations.PostChargesChargeDispute | operations.PostDisputesDispute
) -> StoredDispute:
    network_disputes.check_free(dispute)
    evidence = params.get("evidence")
    submit = params.get("submit", True)
    if evidence or params.get("submit"):
        _check_open(dispute)
    fields.merge_metadata(dispute, params)
    if evidence:
        given: Mapping[str, Any] = evidence  # the names of files and texts are computed
        _check_files(call, given)
        texts = {name: value or None for name, value in given.items() if name != "enhanced_evidence"}
        dispute["evidence"] = dispute["evidence"].copy()
        fields.assign(dispute["evidence"], texts, texts)
        if sum(len(value) for value in dispute["evidence"].values() if isinstance(value, str)) > MOST_EVIDENCE:
            raise invalid(f"The evidence has more than {MOST_EVIDENCE:,} characters altogether.", "evidence")
        if "enhanced_evidence" in evidence:
            enhanced = evidence["enhanced_evidence"] or {}
            enhanced_evidence.check_devices(enhanced)
            enhanced_evidence.check_prior(call, enhanced)
            merged = {**dispute["evidence"]["enhanced_evidence"], **enhanced} if enhanced else {}
            dispute["evidence"]["enhanced_evidence"] = cast("api.DisputeEnhancedEvidence", merged)  # the same names
    details = dispute["evidence_details"].copy()
    details["enhanced_eligibility"] = enhanced_evidence.eligibility(
        dispute["enhanced_eligibility_types"], dispute["evidence"]["enhanced_evidence"]
    )
    details["has_evidence"] = any(value for name, value in dispute["evidence"].items() if name != "enhanced_evidence")
    dispute["evidence_details"] = details
    submitted = submit and (evidence or params.get("submit")) and dispute["status"] in OPEN
    if submitted and network_disputes.ask(call, dispute, "contest"):
        return dispute
    if submitted:
        details["submission_count"] += 1
        states.DISPUTE.set(dispute, _REVIEW[dispute["status"]])
    call.objects.save(dispute, "charge.dispute.updated")
    answer = call.objects.copy(dispute)
    if dispute["status"] in UNDER_REVIEW:
        decide(call, dispute)
    return answer


def _check_open(dispute: StoredDispute) -> None:
    """Raise ApiError 400 for evidence of a dispute that is closed, or whose evidence was submitted.

    It is submitted once ("Respond to disputes" in Stripe's documentation; gumroad pull request 6918). The text of the
    second case is inferred.
    """
    if dispute["status"] in UNDER_REVIEW:
        raise invalid("The evidence of this dispute has already been submitted.", "evidence", retry=False)
    if dispute["status"] not in OPEN:
        raise _closed(dispute)


def _check_files(call: Call, evidence: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for a file that there is not, that was uploaded for something else, or that goes nowhere."""
    for name in sorted(_FILES & evidence.keys()):
        if evidence[name] and asking.backend_of(call) is not None:
            raise invalid(_TEXTS_ONLY, f"evidence[{name}]", retry=False)
        if evidence[name]:
            file = call.objects.get("file", evidence[name], f"evidence[{name}]")
            if file["purpose"] != _PURPOSE:
                raise wrong_purpose(file, _PURPOSE, f"evidence[{name}]")


def decide(call: Call, dispute: StoredDispute) -> None:
    """Decide a dispute in test mode by the text of its evidence; the response still shows ``under_review``.

    Any other text than the two of the documentation leaves the dispute under review.
    """
    text = str(dispute["evidence"].get("uncategorized_text") or "")
    if "winning_evidence" in text:
        end(call, dispute, won=True)
    elif "losing_evidence" in text:
        end(call, dispute, won=False)


def expire(call: Call, id: str) -> None:
    """Run the job ``dispute.due``: a dispute (id) that nobody answered in time is lost; an inquiry is closed."""
    dispute = call.objects.find(kinds.DISPUTE, id)
    if dispute is None or dispute["status"] not in OPEN:
        return
    dispute["evidence_details"] = {**dispute["evidence_details"], "past_due": True}
    end(call, dispute, won=False)


def close(call: Call, params: operations.PostDisputesDisputeClose) -> StoredDispute:
    """Accept a dispute: its status becomes ``lost``."""
    dispute = call.objects.get(kinds.DISPUTE, call.path["dispute"])
    network_disputes.check_free(dispute)
    if dispute["status"] not in OPEN + UNDER_REVIEW:
        raise _closed(dispute)
    if network_disputes.ask(call, dispute, "accept"):
        return dispute
    return end(call, dispute, won=False)


#: Evidence fields that hold the id of a file.
_FILES = {
    *(
        "cancellation_policy",
        "customer_communication",
        "customer_signature",
        "duplicate_charge_documentation",
        "receipt",
    ),
    *("refund_policy", "service_documentation", "shipping_documentation", "uncategorized_file"),
}


def _closed(dispute: StoredDispute) -> ApiError:
    return invalid("This dispute is already closed", None, retry=False)


def of_charge(call: Call, params: operations.GetChargesChargeDispute) -> StoredDispute:
    """Retrieve the dispute of a charge."""
    return _of_charge(call)


def update_of_charge(call: Call, params: operations.PostChargesChargeDispute) -> StoredDispute:
    """Submit evidence for the dispute of a charge."""
    return _answer(call, _of_charge(call), params)


def close_of_charge(call: Call, params: operations.PostChargesChargeDisputeClose) -> StoredDispute:
    """Accept the dispute of a charge."""
    call.path["dispute"] = _of_charge(call)["id"]
    return close(call, params)


def _of_charge(call: Call) -> StoredDispute:
    charge = call.objects.get(kinds.CHARGE, call.path["charge"])
    if not charge["dispute"]:
        raise ApiError(404, code="resource_missing", message=f"No dispute for charge: {charge['id']}", param="charge")
    return call.objects.get(kinds.DISPUTE, charge["dispute"])


def _plain(call: Call, dispute: MutableMapping[str, Any]) -> None:
    """Remove enhanced evidence, which earlier versions do not have."""
    if isinstance(dispute.get("evidence"), dict):
        dispute["evidence"].pop("enhanced_evidence", None)


DISPUTE = Resource(
    object="dispute",
    prefix="dp",
    prefixes=("du",),
    permission=PERMISSION,
    live=needs(providers.DISPUTES),
    indexed=("charge", "payment_intent"),
    path_param="dispute",
    endpoints=(
        listing("dispute", "/v1/disputes"),
        retrieve("dispute", "/v1/disputes/{dispute}"),
        Endpoint("POST", "/v1/disputes/{dispute}", update),
        Endpoint("POST", "/v1/disputes/{dispute}/close", close),
        Endpoint("GET", "/v1/charges/{charge}/dispute", of_charge),
        Endpoint("POST", "/v1/charges/{charge}/dispute", update_of_charge),
        Endpoint("POST", "/v1/charges/{charge}/dispute/close", close_of_charge),
    ),
    changes=(Change("2022-11-15", _plain),),
    due_live={jobs.DISPUTE_DUE: needs(providers.DISPUTES)},
    refusal=network_disputes.refusal,
    on=(Reaction(events.MoneyTold, network_disputes.told), Reaction(events.AttemptEnded, network_disputes.answered)),
    on_due={jobs.DISPUTE_DUE: expire},
    title="Disputes",
    columns=("amount", "status", "reason", "id", "created"),
    actions=(
        Action(
            "Submit evidence",
            "/v1/disputes/{dispute}",
            ("evidence[uncategorized_text]",),
            OPEN,
            fixed=(("submit", "true"),),
        ),
        Action("Accept", "/v1/disputes/{dispute}/close", (), OPEN),
    ),
)
