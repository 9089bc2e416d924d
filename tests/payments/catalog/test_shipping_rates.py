"""Shipping rates: what a checkout offers for delivery."""

from __future__ import annotations

from tests.support.api import Api
from tests.support.openapi import assert_valid


def test_a_shipping_rate_is_made_and_archived(api: Api) -> None:
    rate = api.ok(
        "POST",
        "/v1/shipping_rates",
        display_name="Post",
        fixed_amount={"amount": 500, "currency": "usd"},
        metadata={"a": "1"},
    )
    assert_valid("POST", "/v1/shipping_rates", 200, rate)
    api.ok("POST", f"/v1/shipping_rates/{rate['id']}", active=False)
    assert api.ok("GET", "/v1/shipping_rates", active=True)["data"] == []
    assert api.ok("GET", "/v1/shipping_rates", currency="usd")["data"][0]["id"] == rate["id"]


def test_a_fixed_amount_is_given_with_its_type(api: Api) -> None:
    refused = api.post("/v1/shipping_rates", display_name="Post", type="fixed_amount")
    assert (refused.status, refused.error["code"], refused.error["param"]) == (400, "parameter_missing", "fixed_amount")
    other = api.post("/v1/shipping_rates", display_name="Post", type="by_weight", fixed_amount={"amount": 5})
    assert (other.status, other.error["param"]) == (400, "type")


def test_further_currencies_of_a_fixed_amount_are_currencies_in_lower_case(api: Api) -> None:
    path, amount = "/v1/shipping_rates", {"amount": 500, "currency": "usd"}
    options = {"EUR": {"amount": 450}}
    rate = api.ok("POST", path, display_name="Post", fixed_amount={**amount, "currency_options": options})["id"]
    api.ok("POST", f"{path}/{rate}", fixed_amount={"currency_options": {"Gbp": {"amount": 400}}})
    shown = api.get(f"{path}/{rate}", expand=["fixed_amount.currency_options"])["fixed_amount"]["currency_options"]
    assert {code: option["amount"] for code, option in shown.items()} == {"eur": 450, "gbp": 400}
    wrong = {"currency_options": {"xxx": {"amount": 1}}}
    for refused in (
        api.post(path, display_name="Post", fixed_amount={**amount, **wrong}),
        api.post(f"{path}/{rate}", fixed_amount=wrong),
    ):
        assert (refused.status, refused.error["param"]) == (400, "fixed_amount[currency_options][xxx]")
