"""Which settings of a connected account are refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api, rule_table

BOTH = {name: {"requested": True} for name in ("card_payments", "transfers")}
_REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "weekly without a day": ({"interval": "weekly"}, "weekly_anchor", "Missing required param: "),
    "monthly without a day": ({"interval": "monthly"}, "monthly_anchor", "Missing required param: "),
    "day 0": ({"interval": "monthly", "monthly_anchor": 0}, "monthly_anchor", "The monthly anchor must be"),
    "day 32": ({"interval": "monthly", "monthly_anchor": 32}, "monthly_anchor", "The monthly anchor must be"),
    "a day's delay": ({"delay_days": 1}, "delay_days", "You cannot lower this merchant's delay below 2."),
}
_TAKEN = (
    {"interval": "weekly", "weekly_anchor": "friday"},
    {"interval": "monthly", "monthly_anchor": 31},
    {"delay_days": 2},
    {"delay_days": "minimum"},
)


def _account(api: Api, settings: dict[str, Any]) -> Any:
    return api.post("/v1/accounts", type="custom", country="US", capabilities=BOTH, settings=settings)


@rule_table
@pytest.mark.parametrize("case", _REFUSED)
def test_a_payout_schedule_says_its_day_and_a_possible_delay(api: Api, case: str) -> None:
    schedule, name, message = _REFUSED[case]
    refused = _account(api, {"payouts": {"schedule": schedule}})
    assert (refused.status, refused.error["param"]) == (400, f"settings[payouts][schedule][{name}]")
    assert refused.error["message"].startswith(message)


@rule_table
@pytest.mark.parametrize("schedule", _TAKEN, ids=str)
def test_a_complete_schedule_is_taken(api: Api, schedule: dict[str, Any]) -> None:
    assert _account(api, {"payouts": {"schedule": schedule}}).status == 200


@rule_table
@pytest.mark.parametrize("text", ["shop", "12345", "a<bcde", "it's me", "two*three", "x" * 23])
def test_a_statement_descriptor_is_what_banks_print(api: Api, text: str) -> None:
    refused = _account(api, {"payments": {"statement_descriptor": text}})
    assert (refused.status, refused.error["param"]) == (400, "settings[payments][statement_descriptor]")
    assert _account(api, {"payments": {"statement_descriptor": "SHOP5"}}).status == 200


def test_terms_were_accepted_between_2009_and_now(api: Api) -> None:
    for date, status in ((api.now + 60, 400), (1_230_767_999, 400), (api.now, 200), (1_230_768_000, 200)):
        terms = {"date": date, "ip": "8.8.8.8"}
        answer = api.post("/v1/accounts", type="custom", country="US", capabilities=BOTH, tos_acceptance=terms)
        assert answer.status == status, date
        if status == 400:
            assert answer.refusal == (
                400,
                None,
                "tos_acceptance[date]",
                "ToS acceptance date is not valid. Dates are expected to be integers, measured in seconds, not in the"
                " future, and after 2009",
            )
