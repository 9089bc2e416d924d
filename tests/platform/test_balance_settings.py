"""Balance settings: how an account's money is held and paid out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api, rule_table
from tests.support.connected import acting, connected
from tests.support.openapi import assert_valid

PATH = "/v1/balance_settings"
TIMING = "payments[settlement_timing]"
SCHEDULE = "payments[payouts][schedule]"
MINIMUM = "payments[payouts][minimum_balance_by_currency]"
RULE = {"payout_method": "fa_1", "type": "transfer_all"}
ZONE = {"hour": 9, "minutes": 30, "timezone": "Europe/Berlin"}


def of(api: Api, account: Answer) -> dict[str, Any]:
    payments: dict[str, Any] = api.ok("get", PATH, headers=acting(account))["payments"]
    return payments


def change(api: Api, account: Answer, **payments: Any) -> Answer:
    return api.post(PATH, headers=acting(account), payments=payments)


def test_settings_are_those_that_the_account_shows_too(api: Api) -> None:
    account = connected(api)
    shown = api.ok("get", PATH, headers=acting(account))
    assert_valid("GET", PATH, 200, shown)
    assert shown == {
        "object": "balance_settings",
        "payments": {
            "debit_negative_balances": False,
            "payouts": {
                "minimum_balance_by_currency": None,
                "schedule": {"interval": "manual"},
                "statement_descriptor": None,
                "status": "enabled",
            },
            "settlement_timing": {"delay_days": 1, "start_of_day": None},
        },
    }
    changed = api.ok("post", PATH, headers=acting(account), payments={
        "debit_negative_balances": True,
        "payouts": {"schedule": {"interval": "weekly", "weekly_payout_days": ["monday", "wednesday"]},
                    "statement_descriptor": "RIDES"},
        "settlement_timing": {"delay_days_override": 5},
    })  # fmt: skip
    assert_valid("POST", PATH, 200, changed)
    assert changed == api.ok("get", PATH, headers=acting(account))
    payouts = api.get(f"/v1/accounts/{account['id']}")["settings"]["payouts"]
    assert payouts == {
        "debit_negative_balances": True,
        "schedule": {"delay_days": 5, "interval": "weekly", "weekly_anchor": "monday",
                     "weekly_payout_days": ["monday", "wednesday"]},
        "statement_descriptor": "RIDES",
    }  # fmt: skip


def test_a_merchant_has_settings_of_its_own(api: Api) -> None:
    assert (
        api.ok("post", PATH, payments={"payouts": {"schedule": {"interval": "daily"}}})["object"] == "balance_settings"
    )
    assert api.get("/v1/account")["settings"]["payouts"]["schedule"]["interval"] == "daily"
    assert api.ok("post", PATH) == api.ok("get", PATH)


def test_minimums_are_merged_by_currency_and_unset_one_by_one_or_all_at_once(api: Api) -> None:
    account = connected(api)

    def set_to(minimums: Any) -> Any:
        answer = change(api, account, payouts={"minimum_balance_by_currency": minimums})
        return answer["payments"]["payouts"]["minimum_balance_by_currency"]

    assert set_to({"usd": 1500, "cad": 8000}) == {"usd": 1500, "cad": 8000}
    assert set_to({"eur": 5000}) == {"usd": 1500, "cad": 8000, "eur": 5000}
    assert set_to({"usd": 3000, "eur": ""}) == {"usd": 3000, "cad": 8000}
    assert set_to("") is None


def test_an_override_of_the_delay_is_unset_with_nothing(api: Api) -> None:
    account = connected(api)
    timing = change(api, account, settlement_timing={"delay_days_override": 7})["payments"]["settlement_timing"]
    assert (timing["delay_days"], timing["delay_days_override"]) == (7, 7)
    timing = change(api, account, settlement_timing={"delay_days_override": ""})["payments"]["settlement_timing"]
    assert (timing["delay_days"], "delay_days_override" in timing) == (2, False)
    schedule = {"settings": {"payouts": {"schedule": {"delay_days": "minimum"}}}}
    told = api.ok("post", f"/v1/accounts/{account['id']}", **schedule)
    assert told["settings"]["payouts"]["schedule"]["delay_days"] == 2


def test_a_start_of_day_is_kept_and_unset(api: Api) -> None:
    account = connected(api)
    change(api, account, settlement_timing={"start_of_day": ZONE})
    assert of(api, account)["settlement_timing"]["start_of_day"] == ZONE
    change(api, account, settlement_timing={"start_of_day": ""})
    assert of(api, account)["settlement_timing"]["start_of_day"] is None


@rule_table
@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"payouts": {"schedule": {"interval": "weekly"}}}, f"{SCHEDULE}[weekly_payout_days]"),
        ({"payouts": {"schedule": {"interval": "monthly"}}}, f"{SCHEDULE}[monthly_payout_days]"),
        ({"payouts": {"schedule": {"interval": "daily", "weekly_payout_days": ["monday"]}}},
         f"{SCHEDULE}[weekly_payout_days]"),
        ({"payouts": {"schedule": {"monthly_payout_days": [5]}}}, f"{SCHEDULE}[monthly_payout_days]"),
        ({"payouts": {"schedule": {"interval": "monthly", "monthly_payout_days": [5, 32]}}},
         f"{SCHEDULE}[monthly_payout_days][1]"),
        ({"payouts": {"schedule": {"interval": "monthly", "monthly_payout_days": [0]}}},
         f"{SCHEDULE}[monthly_payout_days][0]"),
        ({"payouts": {"minimum_balance_by_currency": {"usd": -1}}}, f"{MINIMUM}[usd]"),
        ({"payouts": {"minimum_balance_by_currency": {"xyz": 1}}}, f"{MINIMUM}[xyz]"),
        ({"payouts": {"statement_descriptor": "x" * 23}}, "payments[payouts][statement_descriptor]"),
        ({"payouts": {"automatic_transfer_rules_by_currency": {"usd": [RULE]}}},
         "payments[payouts][automatic_transfer_rules_by_currency]"),
        ({"settlement_timing": {"delay_days_override": 0}}, f"{TIMING}[delay_days_override]"),
        ({"settlement_timing": {"delay_days_override": 32}}, f"{TIMING}[delay_days_override]"),
        ({"settlement_timing": {"start_of_day": {"hour": 9, "minutes": 0}}}, f"{TIMING}[start_of_day][timezone]"),
        ({"settlement_timing": {"start_of_day": {**ZONE, "minutes": 15}}}, f"{TIMING}[start_of_day][minutes]"),
        ({"settlement_timing": {"start_of_day": {**ZONE, "hour": 24}}}, f"{TIMING}[start_of_day][hour]"),
        ({"settlement_timing": {"start_of_day": {**ZONE, "timezone": "Mars"}}}, f"{TIMING}[start_of_day][timezone]"),
        ({"settlement_timing": {"start_of_day": {**ZONE, "timezone": "../etc"}}}, f"{TIMING}[start_of_day][timezone]"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(api: Api, given: dict[str, Any], param: str) -> None:
    account = connected(api)
    before = of(api, account)
    answer = change(api, account, **given)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert of(api, account) == before


@pytest.mark.parametrize("country", ["BR", "IN", "TH"])
def test_some_countries_have_no_minimums(api: Api, country: str) -> None:
    account = api.ok("post", "/v1/accounts", type="custom", country=country)
    answer = change(api, account, payouts={"minimum_balance_by_currency": {"usd": 1}})
    assert (answer.status, answer.error["param"]) == (400, MINIMUM)


def test_a_change_of_the_settings_is_an_event_of_the_account_wherever_it_was_made(api: Api) -> None:
    account = connected(api)

    def events() -> list[dict[str, Any]]:
        every: list[dict[str, Any]] = api.get("/v1/events", type="balance_settings.updated", headers=acting(account))[
            "data"
        ]
        return every

    before = len(events())
    change(api, account, settlement_timing={"delay_days_override": 7})
    newest = events()[0]["data"]
    assert len(events()) == before + 1
    assert newest["object"] == api.get(PATH, headers=acting(account))
    timing = newest["previous_attributes"]["payments"]["settlement_timing"]
    assert timing == {"delay_days": 1, "delay_days_override": None}
    change(api, account, settlement_timing={"delay_days_override": 7})
    assert len(events()) == before + 1
    path = f"/v1/accounts/{account['id']}"
    api.ok("post", path, settings={"payouts": {"statement_descriptor": "RIDES"}})
    assert events()[0]["data"]["previous_attributes"] == {"payments": {"payouts": {"statement_descriptor": None}}}
    api.ok("post", f"{path}/reject", reason="fraud_other")
    assert events()[0]["data"]["previous_attributes"] == {"payments": {"payouts": {"status": "enabled"}}}


def test_restricted_keys_need_the_permission(api: Api) -> None:
    read, write = (api.restricted(f"balance_settings_{level}") for level in ("read", "write"))
    assert api.get(PATH, key=api.restricted("balance_read")).status == 403
    assert (api.get(PATH, key=read).status, api.post(PATH, key=read).status) == (200, 403)
    assert api.post(PATH, key=write).status == 200
