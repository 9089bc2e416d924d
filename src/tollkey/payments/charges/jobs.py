"""The names of the jobs of this package; ``on_due`` of its resources has their functions."""

from __future__ import annotations

from tollkey.wire.kinds import Job

CHARGE_COLLECT = Job("charge.collect")
CHARGE_EXPIRE = Job("charge.expire")
DISPUTE_DUE = Job("dispute.due")
CHARGE_SETTLE = Job("charge.settle")
REFUND_SETTLE = Job("refund.settle")
#: Scheduled by charges, run by ``intents``.
PAYMENT_INTENT_CHARGE_SETTLED = Job("payment_intent.charge_settled")
