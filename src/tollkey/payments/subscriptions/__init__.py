"""Subscriptions at work: creating, changing, renewing, ending."""

from tollkey.payments.subscriptions import pending_items
from tollkey.payments.subscriptions.billing import collect_now, discounts_of, make_invoice, period_lines, usage_lines
from tollkey.payments.subscriptions.changes import cancel, update, wanted_changes
from tollkey.payments.subscriptions.creation import create
from tollkey.payments.subscriptions.items import (
    apply_changes,
    change_item,
    cost_quantity,
    full_price,
    interval_of,
    load,
    put,
    recurring_price,
)
from tollkey.payments.subscriptions.periods import next_period, period_of, plan_work
from tollkey.payments.subscriptions.proration import is_metered, prorations
from tollkey.payments.subscriptions.renewal import (
    drop_pending,
    expire,
    leave,
    renew,
    resume_collection,
    start_again,
    trial_will_end,
)

__all__ = [
    "apply_changes",
    "cancel",
    "change_item",
    "collect_now",
    "cost_quantity",
    "create",
    "discounts_of",
    "drop_pending",
    "expire",
    "full_price",
    "interval_of",
    "is_metered",
    "leave",
    "load",
    "make_invoice",
    "next_period",
    "pending_items",
    "period_lines",
    "period_of",
    "plan_work",
    "prorations",
    "put",
    "recurring_price",
    "renew",
    "resume_collection",
    "start_again",
    "trial_will_end",
    "update",
    "usage_lines",
    "wanted_changes",
]
