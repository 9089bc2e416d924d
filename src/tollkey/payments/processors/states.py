"""The states of bank accounts, which customers and connected accounts have, of the cards of connected accounts, and of
what is asked of a processor on a network.

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

attempt.state:

    ● ──what is asked is stored──▶ prepared
    prepared ──one process takes it, before its first byte leaves──▶ sent
             ──it cannot be sent──▶ withdrawn
    sent ──answered──▶ approved │ declined │ pending
         ──not one byte left──▶ prepared
         ──no answer, or its process has ended──▶ unknown
    pending ──asked──▶ inquiring
            ──told──▶ approved │ declined
    unknown ──asked──▶ inquiring
            ──sent again, where that does nothing twice──▶ sent
            ──undone──▶ reversing
            ──told──▶ approved │ declined
            ──nobody could tell for days──▶ manual
    inquiring ──answered──▶ approved │ declined │ pending │ unknown
    reversing ──the reversal is sent again──▶ reversing
              ──it is undone──▶ reversed
              ──it cannot be undone──▶ manual
    manual ──told, or a person decides──▶ approved │ declined

An approval that arrives while a reversal is on its way, or later, changes nothing: the reversal wins.
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
ATTEMPT = states.States(
    "attempt",
    {
        "prepared": ("sent", "withdrawn"),
        "sent": ("approved", "declined", "pending", "prepared", "unknown"),
        "pending": ("inquiring", "approved", "declined"),
        "unknown": ("inquiring", "sent", "reversing", "approved", "declined", "manual"),
        "inquiring": ("approved", "declined", "pending", "unknown"),
        "reversing": ("reversing", "reversed", "manual"),
        "manual": ("approved", "declined"),
        "approved": (),
        "declined": (),
        "withdrawn": (),
        "reversed": (),
    },
    initial=("prepared",),
    field="state",
)
