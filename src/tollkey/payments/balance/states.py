"""The states of payouts and top-ups.

payout.status:

    ● ──created──▶ pending
    pending ──arrives──▶ paid
            ──the bank sends it back──▶ failed
            ──canceled──▶ canceled
    paid ──the bank sends it back later──▶ failed
    unused: in_transit

Reversing a paid payout makes a second payout; the first one stays paid.

topup.status:

    ● ──created──▶ pending
    pending ──arrives──▶ succeeded
            ──the bank refuses──▶ failed
            ──canceled──▶ canceled
    unused: reversed
"""

from __future__ import annotations

from tollkey.payments.shared import states

PAYOUT = states.States(
    "payout",
    {"pending": ("paid", "failed", "canceled"), "in_transit": (), "paid": ("failed",), "failed": (), "canceled": ()},
    initial=("pending",),
)
TOPUP = states.States(
    "topup",
    {"pending": ("succeeded", "failed", "canceled"), "succeeded": (), "failed": (), "canceled": (), "reversed": ()},
    initial=("pending",),
)
