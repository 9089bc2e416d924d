"""The names of the jobs of this package; ``on_due`` of its resources has their functions."""

from __future__ import annotations

from tollkey.wire.kinds import Job

QUOTE_EXPIRE = Job("quote.expire")
SUBSCRIPTION_CANCEL = Job("subscription.cancel")
SUBSCRIPTION_DROP_PENDING = Job("subscription.drop_pending")
SUBSCRIPTION_EXPIRE = Job("subscription.expire")
SUBSCRIPTION_RENEW = Job("subscription.renew")
SUBSCRIPTION_RESUME = Job("subscription.resume")
SUBSCRIPTION_RESUME_EXPIRE = Job("subscription.resume_expire")
SUBSCRIPTION_TRIAL_WILL_END = Job("subscription.trial_will_end")
SUBSCRIPTION_UPCOMING = Job("subscription.upcoming")
SUBSCRIPTION_PENDING_ITEMS = Job("subscription.pending_items")
SUBSCRIPTION_THRESHOLDS = Job("subscription.thresholds")
SCHEDULE_STEP = Job("subscription_schedule.step")
SCHEDULE_EXPIRING = Job("subscription_schedule.expiring")
