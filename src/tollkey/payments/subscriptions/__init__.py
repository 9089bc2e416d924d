"""Subscriptions: creating, changing, renewing, ending."""

from tollkey.payments.subscriptions import (
    changes,
    creation,
    currencies,
    items,
    kinds,
    lifecycle,
    periods,
    previews,
    subscription_schedules,
)

__all__ = [
    "changes",
    "creation",
    "currencies",
    "items",
    "kinds",
    "lifecycle",
    "periods",
    "previews",
    "subscription_schedules",
]
