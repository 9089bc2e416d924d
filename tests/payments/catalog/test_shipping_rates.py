"""Shipping rates: what a checkout offers for delivery."""

from __future__ import annotations

from typing import Any

import pytest

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


SESSION = {"mode": "payment", "success_url": "https://a.example"}


def lines(currency: str) -> list[dict[str, Any]]:
    data = {"currency": currency, "unit_amount": 5_000, "product_data": {"name": "T-shirt"}}
    return [{"price_data": data, "quantity": 1}]


def _session(api: Api, rate: str, currency: str) -> Any:
    options = [{"shipping_rate": rate}]
    return api.post("/v1/checkout/sessions", **SESSION, line_items=lines(currency), shipping_options=options)


def _changed_session(api: Api, rate: str, currency: str) -> Any:
    made = api.ok("post", "/v1/checkout/sessions", **SESSION, line_items=lines(currency))["id"]
    return api.post(f"/v1/checkout/sessions/{made}", shipping_options=[{"shipping_rate": rate}])


def _link(api: Api, rate: str, currency: str) -> Any:
    return api.post("/v1/payment_links", line_items=lines(currency), shipping_options=[{"shipping_rate": rate}])


def _invoice(api: Api, rate: str, currency: str) -> Any:
    who = api.ok("post", "/v1/customers")["id"]
    return api.post("/v1/invoices", customer=who, currency=currency, shipping_cost={"shipping_rate": rate})


def _calculation(api: Api, rate: str, currency: str) -> Any:
    where = {"address": {"country": "DE"}, "address_source": "shipping"}
    sold = [{"amount": 5_000, "reference": "a"}]
    return api.post(
        "/v1/tax/calculations",
        currency=currency,
        line_items=sold,
        customer_details=where,
        shipping_cost={"shipping_rate": rate},
    )


def amount(answer: Any) -> int:
    """What delivery costs by itself."""
    cost = answer.get("shipping_cost") or answer["shipping_options"][0]
    return int(next(cost[name] for name in ("amount_subtotal", "amount", "shipping_amount") if name in cost))


@pytest.mark.parametrize("buy", [_session, _changed_session, _link, _invoice, _calculation])
def test_delivery_is_bought_in_a_currency_of_its_rate_while_the_rate_is_in_use(api: Api, buy: Any) -> None:
    fixed = {"amount": 500, "currency": "usd", "currency_options": {"eur": {"amount": 450}}}
    rate = api.ok("post", "/v1/shipping_rates", display_name="Post", type="fixed_amount", fixed_amount=fixed)["id"]
    assert [amount(buy(api, rate, currency)) for currency in ("usd", "eur")] == [500, 450]
    refused = buy(api, rate, "gbp")
    assert (refused.status, refused.error["message"]) == (400, "The shipping rate has no amount in the currency `gbp`.")
    api.ok("post", f"/v1/shipping_rates/{rate}", active=False)
    refused = buy(api, rate, "usd")
    assert (refused.status, refused.error["param"].endswith("[shipping_rate]")) == (400, True)


def test_a_payment_link_still_sells_with_a_rate_that_was_archived_later(api: Api) -> None:
    fixed = {"amount": 500, "currency": "usd"}
    rate = api.ok("post", "/v1/shipping_rates", display_name="Post", type="fixed_amount", fixed_amount=fixed)["id"]
    link = _link(api, rate, "usd")
    api.ok("post", f"/v1/shipping_rates/{rate}", active=False)
    visited = api.send("GET", link["url"].partition("8420")[2], key=None)
    assert visited.status in (200, 303)
