"""Customers and their balances."""

from tollkey.payments.customers import balance, cash, customers, default_methods, kinds, views

__all__ = ["balance", "cash", "customers", "default_methods", "kinds", "views"]
