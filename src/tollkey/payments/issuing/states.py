"""The states of cardholders, cards, authorizations and disputes of Issuing.

issuing.cardholder.status:

    ● ──created──▶ active │ inactive
    active ──updated──▶ active │ inactive
    inactive ──updated──▶ inactive │ active
    unused: blocked

issuing.card.status:

    ● ──created──▶ inactive │ active
    inactive ──updated──▶ inactive │ active │ canceled
    active ──updated──▶ active │ inactive │ canceled
    canceled ──updated──▶ canceled

issuing_card_shipping.status:

    ● ──created──▶ pending
    pending ──a test helper──▶ submitted │ shipped │ delivered │ returned │ failure
    submitted ──a test helper──▶ shipped │ delivered │ returned │ failure
    shipped ──a test helper──▶ delivered │ returned │ failure
    unused: canceled

issuing.authorization.status:

    ● ──requested──▶ pending
    pending ──declined, or captured in full──▶ closed
            ──reversed in full──▶ reversed
            ──the hold expires──▶ expired

issuing.dispute.status:

    ● ──created──▶ unsubmitted
    unsubmitted ──submitted──▶ submitted
    submitted ──the network decides──▶ won │ lost
    unused: expired
"""

from __future__ import annotations

from tollkey.payments.shared import states

CARDHOLDER = states.States(
    "issuing.cardholder",
    {"active": ("active", "inactive"), "inactive": ("inactive", "active"), "blocked": ()},
    initial=("active", "inactive"),
)
CARD = states.States(
    "issuing.card",
    {
        "inactive": ("inactive", "active", "canceled"),
        "active": ("active", "inactive", "canceled"),
        "canceled": ("canceled",),
    },
    initial=("inactive", "active"),
)
_ENDS = ("delivered", "returned", "failure")
SHIPPING = states.States(
    "issuing_card_shipping",
    {
        "pending": ("submitted", "shipped", *_ENDS),
        "submitted": ("shipped", *_ENDS),
        "shipped": _ENDS,
        "delivered": (),
        "returned": (),
        "failure": (),
        "canceled": (),
    },
    initial=("pending",),
)
AUTHORIZATION = states.States(
    "issuing.authorization",
    {"pending": ("closed", "reversed", "expired"), "closed": (), "reversed": (), "expired": ()},
    initial=("pending",),
)
DISPUTE = states.States(
    "issuing.dispute",
    {"unsubmitted": ("submitted",), "submitted": ("won", "lost"), "won": (), "lost": (), "expired": ()},
    initial=("unsubmitted",),
)
