"""Subscriptions: creating, changing, renewing, ending."""

from tollkey.payments.subscriptions import (
    changes,
    creation,
    items,
    kinds,
    lifecycle,
    periods,
    previews,
    subscription_schedules,
)

__all__ = ["changes", "creation", "items", "kinds", "lifecycle", "periods", "previews", "subscription_schedules"]
