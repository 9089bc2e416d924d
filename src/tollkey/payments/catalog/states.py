"""The states of invoice rendering templates.

invoice_rendering_template.status:

    ● ──created──▶ active
    active ──archived──▶ archived
    archived ──unarchived──▶ active
"""

from __future__ import annotations

from tollkey.payments.shared import states

TEMPLATE = states.States(
    "invoice_rendering_template", {"active": ("archived",), "archived": ("active",)}, initial=("active",)
)
