"""The outbox: events recorded in the caller's transaction are delivered later as signed webhooks.

``tollkey.outbox.signature`` signs and verifies alone; ``tollkey.outbox.deliver`` has the times of retries.
"""

from tollkey.outbox.deliver import Deliverer, Limits
from tollkey.outbox.store import (
    MIGRATION,
    Delivery,
    Destination,
    UnknownDelivery,
    attempts,
    deliveries,
    enqueue,
    failing_since,
    pending,
    resend,
)

__all__ = [
    "MIGRATION",
    "Deliverer",
    "Delivery",
    "Destination",
    "Limits",
    "UnknownDelivery",
    "attempts",
    "deliveries",
    "enqueue",
    "failing_since",
    "pending",
    "resend",
]
