"""Payment methods, tokens and sources."""

__all__: list[str] = []
