"""Reviews of payments with elevated risk.

open ──approve──▶ closed (approved)
  ├──refund─────▶ closed (refunded, or refunded_as_fraud)
  └──dispute────▶ closed (disputed)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.keys import Permission
from tollkey.payments.charges import kinds
from tollkey.wire import Action, Call, Endpoint, Resource, invalid
from tollkey.wire.live import records
from tollkey.wire.pages import listing, retrieve

if TYPE_CHECKING:
    from tollkey.wire import api, operations

PERMISSION = Permission("review", "Reviews", "Radar")


def approve(call: Call, params: operations.PostReviewsReviewApprove) -> api.Review:
    """Approve a payment and close its review."""
    review = call.objects.get(kinds.REVIEW, call.path["review"])
    if not review["open"]:
        raise invalid(f"Review {review['id']} has already been closed.", None, retry=False)
    review.update({"open": False, "closed_reason": "approved", "reason": "approved"})
    charge = call.objects.find(kinds.CHARGE, review["charge"] or "")
    if charge is not None and charge["outcome"]:
        charge["outcome"] = {**charge["outcome"], "type": "authorized"}
        call.objects.save(charge)
    return call.objects.save(review, "review.closed")


REVIEW = Resource(
    object="review",
    prefix="prv",
    permission=PERMISSION,
    live=records(),
    path_param="review",
    endpoints=(
        listing("review", "/v1/reviews"),
        retrieve("review", "/v1/reviews/{review}"),
        Endpoint("POST", "/v1/reviews/{review}/approve", approve),
    ),
    title="Reviews",
    columns=("reason", "open", "id", "created"),
    actions=(Action("Approve", "/v1/reviews/{review}/approve"),),
)
