"""The states of bank accounts, which customers and connected accounts have, and of the cards of connected accounts.

bank_account.status:

    ● ──created──▶ new │ verified
    new ──the amounts of the two deposits are entered──▶ verified
        ──wrong amounts are entered too often──▶ verification_failed
        ──its owner cannot be verified──▶ verification_failed
        ──a payout comes back──▶ errored
    verified ──a payout comes back──▶ errored
    verification_failed ──a document shows its owner──▶ new
                        ──a payout comes back──▶ errored
    errored ──its details are updated──▶ new
    unused: validated, tokenized_account_number_deactivated

card.status:

    ● ──becomes an external account──▶ new
    new ──a payout comes back──▶ errored
    errored ──its details are updated──▶ new

An external account begins as ``new``; ``verified`` is only reached by the bank accounts of customers.
"""

from __future__ import annotations

from tollkey.payments.shared import states

BANK_ACCOUNT = states.States(
    "bank_account",
    {
        "new": ("verified", "verification_failed", "errored"),
        "validated": (),
        "verified": ("errored",),
        "verification_failed": ("new", "errored"),
        "tokenized_account_number_deactivated": (),
        "errored": ("new",),
    },
    initial=("new", "verified"),
)
CARD = states.States("card", {"new": ("errored",), "errored": ("new",)}, initial=("new",))
