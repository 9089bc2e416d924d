"""The names of the jobs of this package; ``on_due`` of its resources has their functions."""

from __future__ import annotations

from tollkey.wire.kinds import Job

ACCOUNT_CHARGE_BLOCK = Job("account.charge_block")
ACCOUNT_NEXT_REQUIREMENTS = Job("account.next_requirements")
ACCOUNT_PAYOUT_BLOCK = Job("account.payout_block")
REPORT_RUN = Job("report_run")
