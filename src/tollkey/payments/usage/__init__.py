"""Meters, usage, credits and alerts."""

from tollkey.payments.usage import credits, quantities, sessions

__all__ = ["credits", "quantities", "sessions"]
