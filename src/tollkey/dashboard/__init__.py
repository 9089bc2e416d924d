"""HTML: the Dashboard, where people manage keys. ``app.py`` says how it works and how to write a page."""

from tollkey.dashboard.door import Dashboard, owner_link, reset_link
from tollkey.dashboard.schema import MIGRATION

__all__ = ["MIGRATION", "Dashboard", "owner_link", "reset_link"]
