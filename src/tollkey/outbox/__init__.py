"""EVENTS: recorded in the caller's transaction, delivered later as signed webhooks."""

from tollkey.outbox.deliver import LIVE_RETRIES, TEST_RETRIES, Deliverer, Outcome, retry_delay
from tollkey.outbox.signature import Forged, Genuine, sign, verify
from tollkey.outbox.store import (
    MIGRATION,
    Attempt,
    Delivery,
    Endpoint,
    UnknownDelivery,
    attempts,
    deliveries,
    enqueue,
    failing_since,
    pending,
    resend,
)

__all__ = [
    "LIVE_RETRIES",
    "MIGRATION",
    "TEST_RETRIES",
    "Attempt",
    "Deliverer",
    "Delivery",
    "Endpoint",
    "Forged",
    "Genuine",
    "Outcome",
    "UnknownDelivery",
    "attempts",
    "deliveries",
    "enqueue",
    "failing_since",
    "pending",
    "resend",
    "retry_delay",
    "sign",
    "verify",
]
