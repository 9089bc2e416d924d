"""Resources without money: accounts, keys, events, webhook endpoints, request logs, files."""

__all__: list[str] = []
