"""Tax."""

__all__: list[str] = []
