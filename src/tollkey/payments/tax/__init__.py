"""Tax."""

from tollkey.payments.tax import automatic, linking, rates, tax_ids

__all__ = ["automatic", "linking", "rates", "tax_ids"]
