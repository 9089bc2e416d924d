"""Test clocks."""

__all__: list[str] = []
