"""Charges, refunds, disputes, transfers."""

from tollkey.payments.charges import lifecycle, refund_rules, splitting

__all__ = ["lifecycle", "refund_rules", "splitting"]
