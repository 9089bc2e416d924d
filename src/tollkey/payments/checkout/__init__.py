"""Checkout Sessions and Payment Links."""

from tollkey.payments.checkout import sessions

__all__ = ["sessions"]
