"""The names of the jobs of this package; ``on_due`` of its resources has their functions."""

from __future__ import annotations

from tollkey.wire.kinds import Job

PAYMENT_INTENT_EXPIRE = Job("payment_intent.expire")
PAYMENT_INTENT_WAITED = Job("payment_intent.waited")
SETUP_INTENT_DEPOSITS = Job("setup_intent.deposits")
