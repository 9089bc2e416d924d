"""Coupons: what they may take off, and until when they can be redeemed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api

PATH = "/v1/coupons"


@pytest.mark.parametrize(
    ("params", "code", "param", "message"),
    [
        ({}, "parameter_missing", None, "Must provide percent_off or amount_off."),
        (
            {"percent_off": 10, "amount_off": 100, "currency": "usd"},
            None,
            None,
            "Received both percent_off and amount_off parameters. Please pass in only one.",
        ),
        ({"amount_off": 100}, None, "currency", "You must pass currency when passing amount_off"),
        (
            {"percent_off": 10, "duration": "repeating"},
            None,
            "duration",
            "The duration_in_months param must be set when creating a coupon with a repeating duration",
        ),
        (
            {"percent_off": 0},
            None,
            "percent_off",
            "This value must be greater than or equal to 0.01 (it currently is '0.0').",
        ),
        (
            {"percent_off": 10, "currency_options": {"eur": {"amount_off": 5}}},
            None,
            "currency_options",
            "You may only specify one of these parameters: currency_options, percent_off.",
        ),
    ],
)
def test_a_coupon_takes_off_a_percentage_or_an_amount(
    api: Api, params: dict[str, Any], code: str | None, param: str | None, message: str
) -> None:
    assert api.post(PATH, **params).refusal == (400, code, param, message)


@pytest.mark.parametrize(("percent", "status"), [("0", 400), ("0.01", 200), ("100", 200), ("100.01", 400)])
def test_a_percentage_is_above_0_and_at_most_100(api: Api, percent: str, status: int) -> None:
    assert api.post(PATH, percent_off=percent).status == status


def test_an_id_is_taken_once(api: Api) -> None:
    api.ok("POST", PATH, id="SPRING", percent_off=10)
    again = api.post(PATH, id="SPRING", percent_off=20)
    assert again.refusal == (400, "resource_already_exists", None, "Coupon already exists.")


def test_a_coupon_is_valid_until_its_redeem_by(api: Api) -> None:
    coupon = api.ok("POST", PATH, percent_off=10, redeem_by=api.now + 60)["id"]
    api.advance(59)
    assert api.get(f"{PATH}/{coupon}")["valid"] is True
    api.advance(1)
    assert api.get(f"{PATH}/{coupon}")["valid"] is False


def test_a_deleted_coupon_leaves_the_discounts_that_it_gave(api: Api) -> None:
    coupon = api.ok("POST", PATH, percent_off=10, duration="forever")["id"]
    old = api.under("2025-02-24.acacia")
    customer = old.ok("POST", "/v1/customers", coupon=coupon)["id"]
    assert api.ok("DELETE", f"{PATH}/{coupon}")["deleted"] is True
    assert old.post("/v1/customers", coupon=coupon).error["code"] == "resource_missing"
    assert api.get(f"/v1/customers/{customer}")["discount"]["source"]["coupon"] == coupon


def test_before_2018_07_27_a_percentage_was_a_whole_number(api: Api) -> None:
    coupon = api.ok("POST", PATH, percent_off="12.5")["id"]
    for version, percent in (("2018-07-27", 12.5), ("2018-05-21", 12)):
        assert api.get(f"{PATH}/{coupon}", headers={"Stripe-Version": version})["percent_off"] == percent


YEAR = 366 * 86_400


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"percent_off": 10, "currency_options": {"eur": {"amount_off": 5}}}, "currency_options"),
        ({"percent_off": 10, "duration_in_months": 3}, "duration_in_months"),
        ({"percent_off": 10, "duration": "forever", "duration_in_months": 3}, "duration_in_months"),
    ],
)
def test_a_coupon_says_nothing_that_its_kind_has_not(api: Api, params: dict[str, Any], param: str) -> None:
    refused = api.post(PATH, **params)
    assert (refused.status, refused.error["param"]) == (400, param)


def test_a_percentage_gets_no_further_currencies_later(api: Api) -> None:
    amount = api.ok("POST", PATH, amount_off=100, currency="usd")["id"]
    percent = api.ok("POST", PATH, percent_off=10)["id"]
    given = {"eur": {"amount_off": 90}}
    assert api.post(f"{PATH}/{amount}", currency_options=given).status == 200
    refused = api.post(f"{PATH}/{percent}", currency_options=given)
    assert (refused.status, refused.error["param"]) == (400, "currency_options")


def test_a_coupon_is_redeemed_within_five_years(api: Api) -> None:
    assert api.post(PATH, percent_off=10, redeem_by=api.now + 5 * YEAR).status == 200
    refused = api.post(PATH, percent_off=10, redeem_by=api.now + 5 * YEAR + 1)
    assert (refused.status, refused.error["param"]) == (400, "redeem_by")
    assert api.post(PATH, percent_off=10, redeem_by=api.now).refusal == (
        400,
        None,
        "redeem_by",
        "The parameter `redeem_by` expects a unix timestamp representing a date and time in the future."
        f" You specified the value `{api.now}` which is in the past.",
    )


def test_further_currencies_are_kept_in_lower_case_and_are_not_that_of_the_amount(api: Api) -> None:
    made = api.ok("POST", PATH, amount_off=100, currency="usd", currency_options={"EUR": {"amount_off": 90}})["id"]
    api.ok("POST", f"{PATH}/{made}", currency_options={"GBP": {"amount_off": 80}})
    shown = api.get(f"{PATH}/{made}", expand=["currency_options"])["currency_options"]
    assert shown == {"usd": {"amount_off": 100}, "eur": {"amount_off": 90}, "gbp": {"amount_off": 80}}
    for name in ("xxx", "USD"):
        given = {name: {"amount_off": 5}}
        for refused in (
            api.post(PATH, amount_off=100, currency="usd", currency_options=given),
            api.post(f"{PATH}/{made}", currency_options=given),
        ):
            assert (refused.status, refused.error["param"]) == (400, f"currency_options[{name}]")
