"""The outbox: events recorded in the caller's transaction are delivered later as signed webhooks."""

from tollkey.outbox.deliver import LIVE_RETRIES, TEST_RETRIES, Deliverer, Limits, Outcome, retry_delay
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
    "Deliverer",
    "Delivery",
    "DeliveryAttempt",
    "Destination",
    "InvalidSignature",
    "Limits",
    "Outcome",
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
