"""Issuing: cards that an account issues, and the purchases made with them."""

__all__: list[str] = []
