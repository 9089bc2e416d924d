"""Checkout Sessions and Payment Links."""

__all__: list[str] = []
