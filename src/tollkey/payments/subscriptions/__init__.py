"""Subscriptions at work: creating, changing, renewing, ending."""

from tollkey.payments.subscriptions import changes, creation, items, periods, previews, standing, subscription_schedules

__all__ = ["changes", "creation", "items", "periods", "previews", "standing", "subscription_schedules"]
