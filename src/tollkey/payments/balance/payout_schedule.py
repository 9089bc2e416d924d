"""The schedule of automatic payouts, ``settings.payouts.schedule`` of an account: date arithmetic, and one job.

money becomes available ──▶ the next day of the schedule, when it begins ──▶ automatic payout of what is available then

A day begins at midnight UTC, or when the account's balance settings say (``start_of_day``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from tollkey.payments.shared import fields
from tollkey.wire import Call
from tollkey.wire.kinds import Job

if TYPE_CHECKING:
    from tollkey.payments.balance.stored import AccountPayouts, AccountStart
    from tollkey.wire import api

RUN = Job("payout.automatic")
PLAN = Job("payout.plan")
_DAY = 86_400
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: Days to search: longer than the interval of any schedule.
_LONGEST = 62


def schedule_of(account: Mapping[str, Any] | None) -> api.TransferSchedule:
    """Return an account's payout schedule; manual if it has none."""
    payouts = ((account or {}).get("settings") or {}).get("payouts") or {}
    schedule: api.TransferSchedule | None = payouts.get("schedule")
    return schedule or {"delay_days": 0, "interval": "manual"}


def is_payout_day(schedule: api.TransferSchedule, day: datetime) -> bool:
    """Return whether automatic payouts are made on that day. A day that a month lacks becomes its last day."""
    interval = schedule.get("interval")
    if interval == "weekly":
        weekdays = schedule.get("weekly_payout_days") or [schedule.get("weekly_anchor") or "monday"]
        return _WEEKDAYS[day.weekday()] in weekdays
    if interval == "monthly":
        last = (day + timedelta(days=1)).month != day.month
        wanted = schedule.get("monthly_payout_days") or [schedule.get("monthly_anchor") or 1]
        return day.day in wanted or (last and max(wanted) > day.day)
    return bool(interval == "daily")


def next_run(schedule: api.TransferSchedule, at: int, start: AccountStart | None = None) -> int | None:
    """Return when the schedule pays out first at or after ``at`` (UTC epoch seconds), or None for never.

    start: when a day begins; None for midnight UTC.
    """
    zone = ZoneInfo(start["timezone"]) if start else UTC
    day = datetime.fromtimestamp(at, zone).replace(minute=0, second=0)
    day = day.replace(hour=start["hour"], minute=start["minutes"]) if start else day.replace(hour=0)
    for _ in range(_LONGEST):
        if day.timestamp() >= at and is_payout_day(schedule, day):
            return int(day.timestamp())
        day += timedelta(days=1)
    return None


def payouts_of(account: Mapping[str, Any] | None) -> AccountPayouts:
    """Return an account with what its balance settings say of its balance."""
    return cast("AccountPayouts", account or {})


def next_payout(account: Mapping[str, Any] | None, at: int) -> int | None:
    """Return when an account is paid out first at or after ``at`` (UTC epoch seconds), or None for never."""
    return next_run(schedule_of(account), at, payouts_of(account).get("_start_of_day"))


def plan(call: Call, at: int) -> None:
    """Schedule the next automatic payout of an account whose money is available from ``at`` (UTC epoch seconds)."""
    run = next_payout(fields.acting_account(call), at)
    if run is not None:
        call.schedule.once(run, RUN, str(run))
