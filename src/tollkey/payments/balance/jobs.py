"""The scheduled work of this room, by name. The resources say in ``on_due`` what it does."""

from __future__ import annotations

from tollkey.wire.kinds import Job

BALANCE_AVAILABLE = Job("balance.available")
PAYOUT_ARRIVE = Job("payout.arrive")
TOPUP_SETTLE = Job("topup.settle")
