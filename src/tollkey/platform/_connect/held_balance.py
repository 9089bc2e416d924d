"""The balance settings of an account: how long money is held, when it is paid out, and what is kept back then.

What accounts show as well stands in their ``settings.payouts``; the rest are private fields of the account:
``_delay_days`` (the override), ``_minimum_balances`` (minor units by currency), ``_start_of_day``.

Sources: the specification; "Minimum balances for automatic payouts", "Manage payout schedule" and "Update balance
settings" in Stripe's documentation. Texts without another source are inferred.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from tollkey.platform._connect.countries import CURRENCIES
from tollkey.platform._connect.settings_rules import check_delay, check_schedule
from tollkey.platform._connect.shape import set_schedule, settings
from tollkey.wire import Json, invalid
from tollkey.wire.errors import missing_param, too_large, too_small

_LONGEST_DELAY = 31
_MINIMUM = "payments[payouts][minimum_balance_by_currency]"
_TIMING = "payments[settlement_timing]"
_START = f"{_TIMING}[start_of_day]"
_SCHEDULE = "payments[payouts][schedule]"
#: Countries whose accounts keep no minimum.
_WITHOUT_MINIMUM = frozenset({"BR", "IN", "TH"})
_HALVES = (0, 30)


def shown(account: Json) -> Json:
    """Return the balance settings of an account, as the API shows them.

    ``automatic_transfer_rules_by_currency`` is left out: no FinancialAccount exists here, the specification does not
    require it, and stripe-python 15.6 cannot read null there.
    """
    payouts = account["settings"]["payouts"]
    schedule = {"interval": payouts["schedule"]["interval"]}
    days = f"{schedule['interval']}_payout_days"
    if days in payouts["schedule"]:
        schedule[days] = payouts["schedule"][days]
    timing: Json = {
        "delay_days": payouts["schedule"]["delay_days"],
        "start_of_day": account.get("_start_of_day"),
    }
    if "_delay_days" in account:
        timing["delay_days_override"] = account["_delay_days"]
    return {
        "object": "balance_settings",
        "payments": {
            "debit_negative_balances": payouts["debit_negative_balances"],
            "payouts": {
                "minimum_balance_by_currency": account.get("_minimum_balances"),
                "schedule": schedule,
                "statement_descriptor": payouts["statement_descriptor"],
                "status": "enabled" if account["payouts_enabled"] else "disabled",
            },
            "settlement_timing": timing,
        },
    }


def override_delay(account: Json, days: int | None) -> None:
    """Set how many days money is held, or return to the default of the country. days: None for the default."""
    schedule = account["settings"]["payouts"]["schedule"]
    if days is None:
        account.pop("_delay_days", None)
        schedule["delay_days"] = settings(account["country"])["payouts"]["schedule"]["delay_days"]
    else:
        account["_delay_days"] = schedule["delay_days"] = days


def change(account: Json, given: Mapping[str, Any]) -> None:
    """Change the balance settings of an account. given: ``payments`` as it was sent. Raises ApiError 400."""
    payouts, told = account["settings"]["payouts"], given.get("payouts") or {}
    if given.get("debit_negative_balances") is not None:
        payouts["debit_negative_balances"] = given["debit_negative_balances"]
    if "statement_descriptor" in told:
        payouts["statement_descriptor"] = told["statement_descriptor"] or None
    if told.get("schedule"):
        check_schedule(payouts["schedule"], told["schedule"], _SCHEDULE)
        set_schedule(payouts["schedule"], told["schedule"])
    if "minimum_balance_by_currency" in told:
        account["_minimum_balances"] = _minimums(account, told["minimum_balance_by_currency"])
    timing = given.get("settlement_timing") or {}
    if "delay_days_override" in timing:
        _set_override(account, timing["delay_days_override"])
    if "start_of_day" in timing:
        account["_start_of_day"] = _start(timing["start_of_day"])


def _set_override(account: Json, days: int | None) -> None:
    param = f"{_TIMING}[delay_days_override]"
    if days is not None:
        check_delay(account["settings"]["payouts"]["schedule"], days, param)
        if days > _LONGEST_DELAY:
            raise too_large(param, _LONGEST_DELAY)
    override_delay(account, days)


def _minimums(account: Json, given: Mapping[str, int | None] | None) -> dict[str, int] | None:
    """Return the minimums with those that were told: each is added, replaced, or with None removed. None clears all."""
    if not given:
        return None
    if account["country"] in _WITHOUT_MINIMUM:
        raise invalid(f"Minimum balances are not supported in {account['country']}.", _MINIMUM)
    kept = dict(account.get("_minimum_balances") or {})
    for currency, amount in given.items():
        if currency.lower() not in CURRENCIES.values():
            raise invalid(f"Invalid currency: {currency.lower()}", f"{_MINIMUM}[{currency}]")
        if amount is None:
            kept.pop(currency.lower(), None)
        elif amount < 0:
            raise too_small(f"{_MINIMUM}[{currency}]", 0)
        else:
            kept[currency.lower()] = amount
    return kept or None


def _start(given: Mapping[str, Any] | None) -> Json | None:
    """Return a start of day with all that it needs. Raises ApiError 400 for a time or a zone that there is not."""
    if not given:
        return None
    for name in ("hour", "minutes", "timezone"):
        if given.get(name) is None:
            raise missing_param(f"{_START}[{name}]")
    if not 0 <= given["hour"] <= 23:
        raise invalid("The hour must be between 0 and 23.", f"{_START}[hour]")
    if given["minutes"] not in _HALVES:
        raise invalid("The minutes must be either 0 or 30.", f"{_START}[minutes]")
    try:
        ZoneInfo(given["timezone"])
    except (ValueError, KeyError, OSError) as problem:
        raise invalid(f"Invalid timezone: {given['timezone']}", f"{_START}[timezone]") from problem
    return {name: given[name] for name in ("hour", "minutes", "timezone")}
