"""What every room of payments uses."""

__all__: list[str] = []
