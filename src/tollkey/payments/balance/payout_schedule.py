"""When an account is paid out by itself: the days that its ``settings.payouts.schedule`` names. Pure dates, and one
appointment.

money becomes available ──▶ the next day of the schedule, midnight UTC ──▶ automatic payout of what is available then
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tollkey.payments.shared import fields
from tollkey.wire import Call
from tollkey.wire.kinds import Job

if TYPE_CHECKING:
    from tollkey.wire import api

RUN = Job("payout.automatic")
PLAN = Job("payout.plan")
_DAY = 86_400
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: Farther than any schedule reaches, in days.
_LONGEST = 62


def schedule_of(account: Mapping[str, Any] | None) -> api.TransferSchedule:
    """An account's payout schedule; manual where it has none."""
    payouts = ((account or {}).get("settings") or {}).get("payouts") or {}
    schedule: api.TransferSchedule | None = payouts.get("schedule")
    return schedule or {"delay_days": 0, "interval": "manual"}


def is_payout_day(schedule: api.TransferSchedule, day: datetime) -> bool:
    """Whether automatic payouts are made on that day. A month that is too short pays out on its last day."""
    interval = schedule.get("interval")
    if interval == "weekly":
        weekdays = schedule.get("weekly_payout_days") or [schedule.get("weekly_anchor") or "monday"]
        return _WEEKDAYS[day.weekday()] in weekdays
    if interval == "monthly":
        last = (day + timedelta(days=1)).month != day.month
        wanted = schedule.get("monthly_payout_days") or [schedule.get("monthly_anchor") or 1]
        return day.day in wanted or (last and max(wanted) > day.day)
    return bool(interval == "daily")


def next_run(schedule: api.TransferSchedule, at: int) -> int | None:
    """The first midnight (UTC epoch seconds), not before ``at``, on which the schedule pays out; None when it never
    does.
    """
    day = datetime.fromtimestamp(-(-at // _DAY) * _DAY, UTC)
    for _ in range(_LONGEST):
        if is_payout_day(schedule, day):
            return int(day.timestamp())
        day += timedelta(days=1)
    return None


def plan(call: Call, at: int) -> None:
    """Make the account's next automatic payout an appointment, for money that is there from ``at`` (UTC epoch seconds)
    on.
    """
    run = next_run(schedule_of(fields.acting_account(call)), at)
    if run is not None:
        call.schedule.once(run, RUN, str(run))
