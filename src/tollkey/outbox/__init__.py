"""EVENTS: recorded in the caller's transaction, delivered later as signed webhooks."""

from tollkey.outbox.deliver import LIVE_RETRIES, TEST_RETRIES, Deliverer, Limits, Outcome, retry_delay
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
    forget,
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
    "Limits",
    "Outcome",
    "UnknownDelivery",
    "attempts",
    "deliveries",
    "enqueue",
    "failing_since",
    "forget",
    "pending",
    "resend",
    "retry_delay",
    "sign",
    "verify",
]
