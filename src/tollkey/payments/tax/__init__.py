"""Tax."""

from tollkey.payments.tax import automatic, kinds, linking, rates, tax_ids

__all__ = ["automatic", "kinds", "linking", "rates", "tax_ids"]
