"""Charges, refunds, disputes, transfers."""

from tollkey.payments.charges import eligibility, jobs, kinds, lifecycle, refund_rules, splitting

__all__ = ["eligibility", "jobs", "kinds", "lifecycle", "refund_rules", "splitting"]
