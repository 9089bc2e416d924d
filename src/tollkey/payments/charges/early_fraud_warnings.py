"""Early fraud warnings: an issuer reports suspected fraud before there is a dispute.

actionable ──refund or dispute──▶ no longer actionable
"""

from __future__ import annotations

from tollkey.keys import Permission
from tollkey.wire import Resource
from tollkey.wire.pages import listing, retrieve

PERMISSION = Permission("radar_early_fraud_warning", "Early fraud warnings", "Radar", levels=("read",))

EARLY_FRAUD_WARNING = Resource(
    object="radar.early_fraud_warning",
    prefix="issfr",
    permission=PERMISSION,
    indexed=("charge", "payment_intent"),
    path_param="early_fraud_warning",
    label="early_fraud_warning",
    endpoints=(
        listing("radar.early_fraud_warning", "/v1/radar/early_fraud_warnings"),
        retrieve("radar.early_fraud_warning", "/v1/radar/early_fraud_warnings/{early_fraud_warning}"),
    ),
    title="Early fraud warnings",
    columns=("fraud_type", "charge", "id", "created"),
)
