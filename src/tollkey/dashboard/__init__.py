"""HTML: the Dashboard, where people manage keys. ``app.py`` says how it works and how to write a page."""

from tollkey.dashboard.activity import LOG, protect_log
from tollkey.dashboard.door import Dashboard, Link, owner_link, reset_link
from tollkey.dashboard.factors import SEALED
from tollkey.dashboard.schema import MIGRATION

__all__ = ["LOG", "MIGRATION", "SEALED", "Dashboard", "Link", "owner_link", "protect_log", "reset_link"]
