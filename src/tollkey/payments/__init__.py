"""Resources with money. Each file declares its resources; the server gathers them."""

__all__: list[str] = []
