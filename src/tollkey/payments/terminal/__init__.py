"""Terminal."""

__all__: list[str] = []
