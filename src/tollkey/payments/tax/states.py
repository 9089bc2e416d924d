"""The states of the tax settings. A registration's status follows from its two dates, whenever it is read.

tax.settings.status:

    ● ──read for the first time──▶ pending
    pending ──changed, and still incomplete──▶ pending
            ──changed, and complete──▶ active
    active ──changed, and still complete──▶ active
           ──changed, and incomplete──▶ pending
"""

from __future__ import annotations

from tollkey.payments.shared import states

SETTINGS = states.States(
    "tax.settings", {"pending": ("pending", "active"), "active": ("active", "pending")}, initial=("pending",)
)
