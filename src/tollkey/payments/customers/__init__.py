"""Customers and their balances."""

from tollkey.payments.customers import balance, cash, customers

__all__ = ["balance", "cash", "customers"]
