"""Charges, refunds, disputes, transfers."""

__all__: list[str] = []
