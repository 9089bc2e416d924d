"""Climate orders."""

__all__: list[str] = []
