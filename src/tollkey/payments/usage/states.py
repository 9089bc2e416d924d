"""The states of meters and of alerts about their usage.

billing.meter.status:

    ● ──created──▶ active
    active ──deactivated──▶ inactive
    inactive ──reactivated──▶ active

billing.alert.status:

    ● ──created──▶ active
    active ──deactivated──▶ inactive
           ──archived──▶ archived
    inactive ──activated──▶ active
             ──archived──▶ archived
"""

from __future__ import annotations

from tollkey.payments.shared import states

METER = states.States("billing.meter", {"active": ("inactive",), "inactive": ("active",)}, initial=("active",))
ALERT = states.States(
    "billing.alert",
    {"active": ("inactive", "archived"), "inactive": ("active", "archived"), "archived": ()},
    initial=("active",),
)
