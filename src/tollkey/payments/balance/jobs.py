"""The names of the jobs of this package; ``on_due`` of its resources has their functions."""

from __future__ import annotations

from tollkey.wire.kinds import Job

BALANCE_AVAILABLE = Job("balance.available")
BALANCE_WRITE_OFF = Job("balance.write_off")
PAYOUT_ARRIVE = Job("payout.arrive")
TOPUP_SETTLE = Job("topup.settle")
