"""The states of sources and mandates.

source.status:

    ● ──created──▶ pending │ chargeable
    pending ──authorized on its page, or money arrives──▶ chargeable
            ──refused on its page──▶ failed
            ──not answered in time──▶ canceled
            ──detached──▶ consumed
    chargeable ──more money arrives──▶ chargeable
               ──charged for the only time, or detached──▶ consumed
    consumed ──detached──▶ consumed
    failed ──detached──▶ consumed
    canceled ──detached──▶ consumed

mandate.status:

    ● ──accepted──▶ active
    active ──used for its only payment, or the payment method is detached──▶ inactive
    unused: pending
"""

from __future__ import annotations

from tollkey.payments.shared import states

SOURCE = states.States(
    "source",
    {
        "pending": ("chargeable", "failed", "canceled", "consumed"),
        "chargeable": ("chargeable", "consumed"),
        "consumed": ("consumed",),
        "failed": ("consumed",),
        "canceled": ("consumed",),
    },
    initial=("pending", "chargeable"),
)
MANDATE = states.States("mandate", {"active": ("inactive",), "inactive": (), "pending": ()}, initial=("active",))
