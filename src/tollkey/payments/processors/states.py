"""The states of bank accounts, which customers and connected accounts have.

bank_account.status:

    ● ──created──▶ new │ verified
    new ──the amounts of the two deposits are entered──▶ verified
        ──wrong amounts are entered too often──▶ verification_failed
        ──a payout comes back──▶ errored
    verified ──a payout comes back──▶ errored
    verification_failed ──a payout comes back──▶ errored
    unused: validated
"""

from __future__ import annotations

from tollkey.payments.shared import states

BANK_ACCOUNT = states.States(
    "bank_account",
    {
        "new": ("verified", "verification_failed", "errored"),
        "validated": (),
        "verified": ("errored",),
        "verification_failed": ("errored",),
        "errored": (),
    },
    initial=("new", "verified"),
)
