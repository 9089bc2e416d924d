"""The Dashboard: HTML pages where people manage keys, payments and their team. ``app.py`` shows how to write a page."""

from tollkey.dashboard.activity import LOG, protect_log
from tollkey.dashboard.factors import SEALED
from tollkey.dashboard.for_keys import ForKeys
from tollkey.dashboard.for_payments import ForPayments
from tollkey.dashboard.lazy import Dashboard
from tollkey.dashboard.links import Link, owner_link, reset_link
from tollkey.dashboard.schema import MIGRATION

__all__ = [
    "LOG",
    "MIGRATION",
    "SEALED",
    "Dashboard",
    "ForKeys",
    "ForPayments",
    "Link",
    "owner_link",
    "protect_log",
    "reset_link",
]
