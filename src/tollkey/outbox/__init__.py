"""The outbox: events recorded in the caller's transaction are delivered later as signed webhooks."""

from tollkey.outbox.deliver import LIVE_RETRIES, TEST_RETRIES, AttemptResult, Deliverer, Limits, retry_delay
from tollkey.outbox.signature import InvalidSignature, ValidSignature, sign, verify
from tollkey.outbox.store import (
    MIGRATION,
    Delivery,
    DeliveryAttempt,
    Destination,
    UnknownDelivery,
    attempts,
    delete_settled,
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
    "AttemptResult",
    "Deliverer",
    "Delivery",
    "DeliveryAttempt",
    "Destination",
    "InvalidSignature",
    "Limits",
    "UnknownDelivery",
    "ValidSignature",
    "attempts",
    "delete_settled",
    "deliveries",
    "enqueue",
    "failing_since",
    "pending",
    "resend",
    "retry_delay",
    "sign",
    "verify",
]
