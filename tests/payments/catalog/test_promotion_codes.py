"""Promotion codes: one active code of a text, which ends after its day or its last redemption."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api, rule_table

PATH = "/v1/promotion_codes"


def code(api: Api, **params: Any) -> Answer:
    coupon = api.ok("POST", "/v1/coupons", percent_off=50, duration="once")["id"]
    return api.post(PATH, promotion={"type": "coupon", "coupon": coupon}, **params)


def test_a_text_names_one_active_code_in_any_case(api: Api) -> None:
    first = code(api, code="Half")
    again = code(api, code="HALF")
    taken = "An active promotion code with `code: HALF` already exists."
    assert again.refusal == (400, None, None, taken)
    api.ok("POST", f"{PATH}/{first['id']}", active=False)
    assert code(api, code="HALF").status == 200
    assert len(api.get(PATH, code="half")["data"]) == 2


def test_two_customers_may_have_codes_of_the_same_text(api: Api) -> None:
    one, two = (api.ok("POST", "/v1/customers")["id"] for _ in range(2))
    assert code(api, code="MINE", customer=one).status == 200
    assert code(api, code="MINE", customer=two).status == 200
    assert code(api, code="MINE", customer=one).status == 400


def test_a_code_ends_at_its_expires_at(api: Api) -> None:
    made = code(api, expires_at=api.now + 60)
    api.advance(59)
    assert api.get(f"{PATH}/{made['id']}")["active"] is True
    api.advance(1)
    assert api.get(f"{PATH}/{made['id']}")["active"] is False


def test_a_code_that_was_redeemed_as_often_as_it_may_be_is_not_activated_again(api: Api) -> None:
    made = code(api, max_redemptions=1)
    api.under("2025-02-24.acacia").ok("POST", "/v1/customers", promotion_code=made["id"])
    after = api.get(f"{PATH}/{made['id']}")
    assert (after["active"], after["times_redeemed"]) == (False, 1)
    assert api.post(f"{PATH}/{made['id']}", active=True).error["param"] == "active"


def test_before_2025_09_30_a_code_is_made_with_its_coupon_and_shows_it(api: Api) -> None:
    coupon = api.ok("POST", "/v1/coupons", percent_off=50, duration="once")["id"]
    old = {"Stripe-Version": "2025-08-27.basil"}
    made = api.ok("POST", PATH, coupon=coupon, headers=old)
    assert made["coupon"]["percent_off"] == 50
    assert "coupon" not in api.get(f"{PATH}/{made['id']}")
    assert api.post(PATH, headers=old).status == 400


def test_a_code_ends_no_later_than_its_coupon(api: Api) -> None:
    coupon = api.ok("POST", "/v1/coupons", percent_off=10, redeem_by=api.now + 100)["id"]
    of = {"promotion": {"type": "coupon", "coupon": coupon}}
    assert api.post("/v1/promotion_codes", **of, expires_at=api.now + 100).status == 200
    refused = api.post("/v1/promotion_codes", **of, expires_at=api.now + 101)
    assert (refused.status, refused.error["param"]) == (400, "expires_at")


def test_a_code_is_redeemed_no_more_often_than_its_coupon(api: Api) -> None:
    coupon = api.ok("POST", "/v1/coupons", percent_off=10, max_redemptions=3)["id"]
    of = {"promotion": {"type": "coupon", "coupon": coupon}}
    assert api.post("/v1/promotion_codes", **of, max_redemptions=3).status == 200
    refused = api.post("/v1/promotion_codes", **of, max_redemptions=4)
    assert (refused.status, refused.error["param"]) == (400, "max_redemptions")


def test_a_minimum_amount_has_a_currency_and_further_ones_are_others(api: Api) -> None:
    coupon = api.ok("POST", "/v1/coupons", percent_off=10)["id"]
    of = {"promotion": {"type": "coupon", "coupon": coupon}}
    missing = api.post("/v1/promotion_codes", **of, restrictions={"minimum_amount": 100})
    assert (missing.status, missing.error["param"]) == (400, "restrictions[minimum_amount_currency]")
    usd = {"minimum_amount": 100, "minimum_amount_currency": "usd"}
    euros = {**usd, "currency_options": {"eur": {"minimum_amount": 90}}}
    assert api.post("/v1/promotion_codes", **of, restrictions=euros).status == 200
    twice = {**usd, "currency_options": {"usd": {"minimum_amount": 90}}}
    refused = api.post("/v1/promotion_codes", **of, restrictions=twice)
    assert (refused.status, refused.error["param"]) == (400, "restrictions[currency_options][usd]")


@pytest.mark.parametrize("own", [{}, {"minimum_amount": 100, "minimum_amount_currency": "usd"}])
def test_minimum_amounts_of_all_currencies_are_shown_when_asked_for(api: Api, own: dict[str, Any]) -> None:
    made = code(api, restrictions={**own, "currency_options": {"eur": {"minimum_amount": 90}}})
    shown = api.get(f"{PATH}/{made['id']}", expand=["restrictions.currency_options"])["restrictions"]
    usd = {"usd": {"minimum_amount": 100}} if own else {}
    assert shown["currency_options"] == {**usd, "eur": {"minimum_amount": 90}}
    assert "currency_options" not in made["restrictions"]


def test_a_code_is_active_again_only_while_its_coupon_is_valid(api: Api) -> None:
    coupon = api.ok("POST", "/v1/coupons", percent_off=10, redeem_by=api.now + 60)["id"]
    code = api.ok("POST", "/v1/promotion_codes", promotion={"type": "coupon", "coupon": coupon}, active=False)["id"]
    assert api.post(f"/v1/promotion_codes/{code}", active=True).status == 200
    api.ok("POST", f"/v1/promotion_codes/{code}", active=False)
    api.advance(61)
    refused = api.post(f"/v1/promotion_codes/{code}", active=True)
    assert (refused.status, refused.error["param"]) == (400, "active")
    assert api.post(f"/v1/promotion_codes/{code}", active=False).status == 200


@pytest.mark.parametrize(
    ("params", "param", "message"),
    [
        (
            {"promotion": {"type": "coupon"}},
            "promotion.coupon",
            "You must pass promotion.coupon when passing promotion",
        ),
        (
            {"code": "ten off"},
            "code",
            r"This value must match the regex pattern. (/\A[a-zA-Z0-9\-_]+\z/ does not match for the value ten off).",
        ),
        (
            {"expires_at": 1000},
            "expires_at",
            "The parameter `expires_at` expects a unix timestamp representing a date and time in the future."
            " You specified the value `1000` which is in the past.",
        ),
        (
            {"expires_at": 4_000_000_000},
            "expires_at",
            "Invalid timestamp: can be no more than five years in the future.",
        ),
    ],
)
def test_a_code_is_plain_text_of_a_coupon_that_ends_in_time(
    api: Api, params: dict[str, Any], param: str | None, message: str
) -> None:
    coupon = {"type": "coupon", "coupon": api.ok("POST", "/v1/coupons", percent_off=10)["id"]}
    refused = api.post(PATH, **{"promotion": coupon, **params})
    assert refused.refusal == (400, None, param, message)


@rule_table
def test_two_active_codes_never_read_the_same(api: Api) -> None:
    coupon = {"type": "coupon", "coupon": api.ok("post", "/v1/coupons", percent_off=10)["id"]}
    first = api.ok("post", "/v1/promotion_codes", promotion=coupon, code="SPRING")["id"]
    api.ok("post", f"/v1/promotion_codes/{first}", active=True)
    api.ok("post", f"/v1/promotion_codes/{first}", active=False)
    second = api.ok("post", "/v1/promotion_codes", promotion=coupon, code="spring")["id"]
    refused = api.post(f"/v1/promotion_codes/{first}", active=True)
    assert (refused.status, refused.error["message"]) == (
        400, "An active promotion code with `code: SPRING` already exists."
    )  # fmt: skip
    api.ok("post", f"/v1/promotion_codes/{second}", active=False)
    api.ok("post", f"/v1/promotion_codes/{first}", active=True)
