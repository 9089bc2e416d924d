"""The states of Climate orders.

climate.order.status:

    ● ──created──▶ awaiting_funds
    awaiting_funds ──the balance has enough, at once or tried daily──▶ confirmed
                   ──canceled, or not paid within a week──▶ canceled
    confirmed ──delivered──▶ delivered
              ──canceled within 24 hours──▶ canceled
    unused: open
"""

from __future__ import annotations

from tollkey.payments.shared import states

ORDER = states.States(
    "climate.order",
    {
        "awaiting_funds": ("confirmed", "canceled"),
        "open": (),
        "confirmed": ("delivered", "canceled"),
        "delivered": (),
        "canceled": (),
    },
    initial=("awaiting_funds",),
)
