"""Customers and their balances."""

from tollkey.payments.customers import balance, cash, customers, kinds, views

__all__ = ["balance", "cash", "customers", "kinds", "views"]
