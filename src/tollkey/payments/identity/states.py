"""The states of VerificationSessions.

identity.verification_session.status:

    ● ──created──▶ requires_input
    requires_input ──submitted──▶ processing
                   ──canceled, or redacted──▶ canceled
    processing ──verified──▶ verified
               ──a check failed──▶ requires_input
"""

from __future__ import annotations

from tollkey.payments.shared import states

SESSION = states.States(
    "identity.verification_session",
    {
        "requires_input": ("processing", "canceled"),
        "processing": ("verified", "requires_input"),
        "verified": (),
        "canceled": (),
    },
    initial=("requires_input",),
)
