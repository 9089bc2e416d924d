"""Customers and their balances."""

__all__: list[str] = []
