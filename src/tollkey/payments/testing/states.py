"""The states of test clocks.

test_helpers.test_clock.status:

    ● ──created──▶ ready
    ready ──advanced──▶ advancing
    advancing ──everything that is due has been done──▶ ready
    unused: internal_failure

A clock is deleted from any state, with its customers.
"""

from __future__ import annotations

from tollkey.payments.shared import states

CLOCK = states.States(
    "test_helpers.test_clock",
    {"ready": ("advancing",), "advancing": ("ready",), "internal_failure": ()},
    initial=("ready",),
)
