"""Tollkey: Stripe's API-key system as software that anyone can run."""

__version__ = "0.1.0"

__all__ = ["__version__"]
