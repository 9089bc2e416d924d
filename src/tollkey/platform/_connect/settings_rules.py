"""Settings of an account that are refused: incomplete payout schedules, and texts that statements cannot print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tollkey.wire import Json, invalid
from tollkey.wire.errors import missing_param

_SCHEDULE = "settings[payouts][schedule]"
#: Interval -> the fields of which one says on which day.
_DAYS = {"weekly": ("weekly_anchor", "weekly_payout_days"), "monthly": ("monthly_anchor", "monthly_payout_days")}
_SHORTEST_DELAY = 2
_LONGEST_MONTH = 31
_SHORTEST_TEXT = 5
_NOT_PRINTED = set("<>\\\"'*")


def check_settings(current: Json, given: Mapping[str, Any]) -> None:
    """Check the settings of a new or changed account.

    current: the settings as they are now. given: ``settings`` as they were sent.
    Raises ApiError 400 for a schedule without its day or below the shortest delay, and for a statement descriptor.
    """
    check_schedule(current["payouts"]["schedule"], (given.get("payouts") or {}).get("schedule") or {})
    _check_descriptor((given.get("payments") or {}).get("statement_descriptor"))


def check_schedule(current: Json, given: Mapping[str, Any], param: str = _SCHEDULE) -> None:
    """Check a payout schedule. current: the one that there is. param: the parameter that holds the given one.

    Raises ApiError 400. Sources: the descriptions of both anchors (required for their interval); public reports for
    the delay's text.
    """
    delay = given.get("delay_days")
    if isinstance(delay, int):
        check_delay(current, delay, f"{param}[delay_days]")
    interval = given.get("interval") or current["interval"]
    for name in given:
        if name.startswith(("weekly_", "monthly_")) and not name.startswith(f"{interval}_"):
            raise invalid(
                f"`{name}` is only applicable if the interval is {name.partition('_')[0]}; it is {interval}.",
                f"{param}[{name}]",
            )
    days = _DAYS.get(given.get("interval") or "", ())
    if days and all(given.get(name, current.get(name)) in (None, []) for name in days):
        raise missing_param(f"{param}[{days[0] if param == _SCHEDULE else days[1]}]")
    anchor = given.get("monthly_anchor")
    if anchor is not None and not 1 <= anchor <= _LONGEST_MONTH:
        raise invalid("The monthly anchor must be between 1 and 31.", f"{param}[monthly_anchor]")
    for place, day in enumerate(given.get("monthly_payout_days") or []):
        if not 1 <= day <= _LONGEST_MONTH:
            message = f"The days of a month are between 1 and {_LONGEST_MONTH}."
            raise invalid(message, f"{param}[monthly_payout_days][{place}]")


def check_delay(current: Json, days: int, param: str) -> None:
    """Raise ApiError 400 for fewer days than money is held at least. current: the payout schedule that there is."""
    if days < min(_SHORTEST_DELAY, current.get("delay_days", _SHORTEST_DELAY)):
        raise invalid(f"You cannot lower this merchant's delay below {_SHORTEST_DELAY}.", param)


def _check_descriptor(text: str | None) -> None:
    """Source: the documentation of statement descriptors, which lists these requirements; the texts are inferred."""
    if not text:
        return
    problem = None
    if _NOT_PRINTED & set(text):
        problem = "must not contain any of the following characters: <, >, \\, \", ', *."
    elif not any(sign.isalpha() for sign in text):
        problem = "must contain at least one letter."
    elif len(text) < _SHORTEST_TEXT:
        problem = f"must be at least {_SHORTEST_TEXT} characters."
    if problem is not None:
        raise invalid(f"The statement descriptor {problem}", "settings[payments][statement_descriptor]")
