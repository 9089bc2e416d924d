"""The states of charges, refunds and disputes. A transfer has none: what was taken back of it is an amount.

charge.status:

    ● ──the processor decides──▶ succeeded │ pending │ failed
    pending ──the bank settles──▶ succeeded
            ──the bank refuses──▶ failed

Capturing, refunding and disputing a charge change its amounts and flags, not its status.

refund.status:

    ● ──created──▶ succeeded │ pending
    pending ──settled──▶ succeeded
            ──canceled──▶ canceled
            ──the processor refuses──▶ failed
    succeeded ──the bank sends the money back──▶ failed
    unused: requires_action

dispute.status:

    ● ──opened──▶ needs_response │ warning_needs_response
    needs_response ──evidence is submitted──▶ under_review
                   ──closed, or the bank decides──▶ lost
                   ──the bank decides──▶ won
    under_review ──the bank decides──▶ won │ lost
    warning_needs_response ──evidence is submitted──▶ warning_under_review
                           ──closed──▶ warning_closed
    warning_under_review ──the bank decides, or closed──▶ warning_closed
    unused: prevented, appeal_needs_response, appeal_under_review
"""

from __future__ import annotations

from tollkey.payments.shared import states

CHARGE = states.States(
    "charge",
    {"pending": ("succeeded", "failed"), "succeeded": (), "failed": ()},
    initial=("succeeded", "pending", "failed"),
)
REFUND = states.States(
    "refund",
    {
        "pending": ("succeeded", "canceled", "failed"),
        "requires_action": (),
        "succeeded": ("failed",),
        "failed": (),
        "canceled": (),
    },
    initial=("succeeded", "pending"),
)
DISPUTE = states.States(
    "dispute",
    {
        "needs_response": ("under_review", "lost", "won"),
        "under_review": ("won", "lost"),
        "won": (),
        "lost": (),
        "prevented": (),
        "appeal_needs_response": (),
        "appeal_under_review": (),
        "warning_needs_response": ("warning_under_review", "warning_closed"),
        "warning_under_review": ("warning_closed",),
        "warning_closed": (),
    },
    initial=("needs_response", "warning_needs_response"),
)
