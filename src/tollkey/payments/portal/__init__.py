"""The customer portal."""

__all__: list[str] = []
