"""The states of what a card reader is asked to do.

terminal_reader_reader_resource_reader_action.status:

    ● ──the reader is asked──▶ in_progress
    in_progress ──the card pays──▶ succeeded
                ──the card is refused──▶ failed

Canceling an action removes it from its reader.
"""

from __future__ import annotations

from tollkey.payments.shared import states

ACTION = states.States(
    "terminal_reader_reader_resource_reader_action",
    {"in_progress": ("succeeded", "failed"), "succeeded": (), "failed": ()},
    initial=("in_progress",),
)
