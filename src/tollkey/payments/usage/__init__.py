"""Meters, usage, credits and alerts."""

from tollkey.payments.usage import credits, quantities

__all__ = ["credits", "quantities"]
