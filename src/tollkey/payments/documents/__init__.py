"""Documents that customers keep, as PDF: who is named on them, and how they are printed."""

from tollkey.payments.documents import parties, printed

__all__ = ["parties", "printed"]
