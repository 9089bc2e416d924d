"""Charges, refunds, disputes, transfers."""

from tollkey.payments.charges import jobs, lifecycle, refund_rules, splitting

__all__ = ["jobs", "lifecycle", "refund_rules", "splitting"]
