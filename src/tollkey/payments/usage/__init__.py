"""Meters, usage, credits and alerts."""

__all__: list[str] = []
