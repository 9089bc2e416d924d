"""Identity verification."""

__all__: list[str] = []
