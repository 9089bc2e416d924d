"""Issuing: cards that an account gives out, and what is bought with them."""

__all__: list[str] = []
