"""What customers see and keep: pages headed by the business, their forms, and documents as PDF."""

from tollkey.payments.documents import brand, colours, forms, icons, parties, printed

__all__ = ["brand", "colours", "forms", "icons", "parties", "printed"]
