"""Charges, refunds, disputes, transfers."""

from tollkey.payments.charges import jobs, kinds, lifecycle, refund_rules, splitting

__all__ = ["jobs", "kinds", "lifecycle", "refund_rules", "splitting"]
