"""Prices: made for a product or together with one; what may change later, and what may not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api, rule_table

PRICE = {"currency": "usd", "unit_amount": 1000}


def test_a_price_is_for_a_product_or_describes_a_new_one(api: Api) -> None:
    product = api.ok("POST", "/v1/products", name="Gold")["id"]
    assert api.post("/v1/prices", **PRICE).refusal == (
        400,
        None,
        None,
        "You must specify either `product` or `product_data` when creating a price.",
    )
    assert api.post("/v1/prices", product=product, product_data={"name": "Silver"}, **PRICE).refusal == (
        400,
        None,
        "product",
        "You may only specify one of these parameters: product, product_data.",
    )
    assert api.ok("POST", "/v1/prices", product=product, **PRICE)["product"] == product
    assert api.ok("POST", "/v1/prices", product_data={"name": "Silver"}, **PRICE)["product"] != product


@pytest.mark.parametrize(
    ("params", "param", "message"),
    [
        ({}, None, "Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set."),
        (
            {"unit_amount": 5, "recurring": {"interval": "month", "usage_type": "metered"}},
            None,
            "Starting with Stripe version `2025-03-31.basil`, metered prices must be backed by meters.",
        ),
        (
            {"billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": [{"up_to": "inf", "unit_amount": 5}]},
            "interval",
            "Prices with `type=one_time` are not supported with tiered billing.",
        ),
    ],
)
def test_a_price_says_what_it_costs(api: Api, params: dict[str, Any], param: str | None, message: str) -> None:
    refused = api.post("/v1/prices", currency="usd", product_data={"name": "Gold"}, **params)
    assert refused.refusal == (400, None, param, message)


def test_a_tax_behavior_is_set_once(api: Api) -> None:
    price = api.ok("POST", "/v1/prices", product_data={"name": "Gold"}, **PRICE)
    path = f"/v1/prices/{price['id']}"
    assert price["tax_behavior"] == "unspecified"
    assert api.ok("POST", path, tax_behavior="exclusive")["tax_behavior"] == "exclusive"
    assert api.post(path, tax_behavior="exclusive").status == 200
    assert api.post(path, tax_behavior="inclusive").error["param"] == "tax_behavior"


def test_a_lookup_key_belongs_to_one_price_until_it_is_transferred(api: Api) -> None:
    first = api.ok("POST", "/v1/prices", product_data={"name": "Gold"}, lookup_key="gold", **PRICE)["id"]
    again = {"product_data": {"name": "Gold"}, "lookup_key": "gold", **PRICE}
    taken = f"A price (`{first}`) already uses that lookup key."
    assert api.post("/v1/prices", **again).refusal == (400, None, "lookup_key", taken)
    second = api.ok("POST", "/v1/prices", transfer_lookup_key=True, **again)["id"]
    assert api.get(f"/v1/prices/{first}")["lookup_key"] is None
    assert [one["id"] for one in api.get("/v1/prices", lookup_keys=["gold"])["data"]] == [second]


def test_prices_are_listed_by_how_they_recur(api: Api) -> None:
    api.ok("POST", "/v1/prices", product_data={"name": "Hat"}, **PRICE)
    month, year = (
        api.ok("POST", "/v1/prices", product_data={"name": "Gold"}, recurring={"interval": interval}, **PRICE)["id"]
        for interval in ("month", "year")
    )
    assert [one["id"] for one in api.get("/v1/prices", recurring={"interval": "year"})["data"]] == [year]
    assert {one["id"] for one in api.get("/v1/prices", type="recurring")["data"]} == {month, year}


def test_before_2025_03_31_a_metered_price_said_how_usage_is_summed_up(api: Api) -> None:
    old = {"Stripe-Version": "2025-02-24.acacia"}
    metered = {"interval": "month", "usage_type": "metered", "aggregate_usage": "max"}
    price = api.ok("POST", "/v1/prices", product_data={"name": "Calls"}, recurring=metered, headers=old, **PRICE)
    assert price["recurring"]["aggregate_usage"] == "max"
    assert "aggregate_usage" not in api.get(f"/v1/prices/{price['id']}")["recurring"]


def test_the_default_price_of_a_product_is_not_archived(api: Api) -> None:
    product = api.ok("POST", "/v1/products", name="Gold", default_price_data=PRICE)
    refused = api.post(f"/v1/prices/{product['default_price']}", active=False)
    assert (refused.status, refused.error["message"]) == (
        400,
        "This price cannot be archived because it is the default price of its product.",
    )
    other = api.ok("POST", "/v1/prices", product=product["id"], **PRICE)["id"]
    assert api.ok("POST", f"/v1/prices/{other}", active=False)["active"] is False
    api.ok("POST", f"/v1/prices/{other}", active=True)
    api.ok("POST", f"/v1/products/{product['id']}", default_price=other)
    assert api.post(f"/v1/prices/{product['default_price']}", active=False).status == 200


def test_further_currencies_are_currencies_and_not_the_price_s_own(api: Api) -> None:
    refused = api.post(
        "/v1/prices", product_data={"name": "Gold"}, currency_options={"xxx": {"unit_amount": 5}}, **PRICE
    )
    assert (refused.status, refused.error["param"]) == (400, "currency_options[xxx]")
    price = api.ok("POST", "/v1/prices", product_data={"name": "Gold"}, **PRICE)["id"]
    assert api.post(f"/v1/prices/{price}", currency_options={"eur": {"unit_amount": 5}}).status == 200
    own = api.post(f"/v1/prices/{price}", currency_options={"usd": {"unit_amount": 5}})
    assert (own.status, own.error["param"]) == (400, "currency_options[usd]")


@pytest.mark.parametrize(("length", "status"), [(200, 200), (201, 400)])
def test_a_lookup_key_has_200_characters_at_most(api: Api, length: int, status: int) -> None:
    price = api.ok("POST", "/v1/prices", product_data={"name": "Gold"}, **PRICE)["id"]
    for path, more in (("/v1/prices", {"product_data": {"name": "Gold"}, **PRICE}), (f"/v1/prices/{price}", {})):
        answer = api.post(path, lookup_key="k" * length, **({**more, "transfer_lookup_key": True}))
        assert answer.status == status
        assert status == 200 or answer.error["param"] == "lookup_key"


def test_a_customer_chooses_the_amount_in_a_further_currency_only_where_that_is_enabled(api: Api) -> None:
    options = {
        "eur": {"custom_unit_amount": {"enabled": True, "minimum": 200}},
        "gbp": {"custom_unit_amount": {"enabled": False}, "unit_amount": 800},
    }
    price = api.ok("POST", "/v1/prices", product_data={"name": "Gift"}, currency_options=options, **PRICE)["id"]
    shown = api.get(f"/v1/prices/{price}", expand=["currency_options"])["currency_options"]
    assert shown["eur"]["custom_unit_amount"] == {"maximum": None, "minimum": 200, "preset": None}
    assert shown["gbp"]["custom_unit_amount"] is None


@rule_table
def test_a_further_currency_has_an_amount_which_later_changes_keep(api: Api) -> None:
    product = api.ok("post", "/v1/products", name="Thing")["id"]
    given = {"product": product, "unit_amount": 100, "currency": "usd"}
    only = {"eur": {"tax_behavior": "inclusive"}}
    refused = api.post("/v1/prices", **given, currency_options=only)
    assert (refused.status, refused.error["param"]) == (400, "currency_options[eur][unit_amount]")
    price = api.ok("post", "/v1/prices", **given, currency_options={"eur": {"unit_amount": 90}})["id"]
    path = f"/v1/prices/{price}"
    assert api.post(path, currency_options={"gbp": {"tax_behavior": "inclusive"}}).status == 400
    api.ok("post", path, currency_options=only)
    option = api.get(path, expand=["currency_options"])["currency_options"]["eur"]
    assert (option["unit_amount"], option["tax_behavior"]) == (90, "inclusive")
    refused = api.post(path, currency_options={"eur": {"tax_behavior": "exclusive"}})
    assert (refused.status, refused.error["param"]) == (400, "currency_options[eur][tax_behavior]")
