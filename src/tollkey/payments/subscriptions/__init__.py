"""Subscriptions: creating, changing, renewing, ending."""

from tollkey.payments.subscriptions import (
    changes,
    creation,
    items,
    lifecycle,
    periods,
    previews,
    subscription_schedules,
)

__all__ = ["changes", "creation", "items", "lifecycle", "periods", "previews", "subscription_schedules"]
