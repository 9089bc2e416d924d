"""Tax."""

from tollkey.payments.tax import automatic, kinds, linking, rates, tax_ids, tax_rates

__all__ = ["automatic", "kinds", "linking", "rates", "tax_ids", "tax_rates"]
