"""Prices as other files need them: make one, find the one that parameters name, see it as a plan."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api, rule_table


def test_the_data_of_a_price_needs_its_product(api: Api) -> None:
    items = [{"price_data": {"currency": "usd", "unit_amount": 500}, "quantity": 1}]
    error = api.post("/v1/payment_links", line_items=items).error
    assert (error["code"], error["param"]) == ("parameter_missing", "line_items[0][price_data][product]")


PRICE = {"currency": "usd", "product_data": {"name": "Gold"}}
MONTHLY_TIERS: dict[str, Any] = {"billing_scheme": "tiered", "recurring": {"interval": "month"}}


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"unit_amount": 5, "unit_amount_decimal": "5"}, "unit_amount"),
        ({"unit_amount": 5, "recurring": {"interval": "month", "interval_count": 0}}, "recurring[interval_count]"),
        ({"unit_amount": 5, "recurring": {"interval": "year", "interval_count": 4}}, "recurring[interval_count]"),
        ({**MONTHLY_TIERS, "tiers_mode": "volume"}, "tiers"),
        ({**MONTHLY_TIERS, "tiers": [{"up_to": "inf", "unit_amount": 5}]}, "tiers_mode"),
        ({"unit_amount": 5, "tiers": [{"up_to": "inf", "unit_amount": 5}]}, "tiers"),
        (
            {
                "billing_scheme": "tiered",
                "tiers_mode": "volume",
                "tiers": [{"up_to": "inf", "flat_amount": 5, "flat_amount_decimal": "5"}],
                "recurring": {"interval": "month"},
            },
            "flat_amount",
        ),
    ],
)
def test_a_price_has_one_amount_one_interval_or_tiers(api: Api, params: dict[str, Any], param: str) -> None:
    refused = api.post("/v1/prices", **PRICE, **params)
    assert (refused.status, refused.error["param"]) == (400, param)


@pytest.mark.parametrize(("interval", "most"), [("day", 1095), ("week", 156), ("month", 36), ("year", 3)])
def test_an_interval_is_at_most_three_years_long(api: Api, interval: str, most: int) -> None:
    statuses = [
        api.post("/v1/prices", unit_amount=5, recurring={"interval": interval, "interval_count": count}, **PRICE).status
        for count in (most, most + 1)
    ]
    assert statuses == [200, 400]


@pytest.mark.parametrize(
    ("limits", "place"), [((10, 20), 1), (("inf", "inf"), 0), ((20, 10, "inf"), 1), ((10, 10, "inf"), 1)]
)
def test_tiers_rise_and_only_the_last_has_no_limit(api: Api, limits: tuple[object, ...], place: int) -> None:
    tiered = {"billing_scheme": "tiered", "tiers_mode": "volume", "recurring": {"interval": "month"}}
    tiers = [{"up_to": limit, "unit_amount": 5} for limit in limits]
    refused = api.post("/v1/prices", tiers=tiers, **tiered, **PRICE)
    assert (refused.status, refused.error["param"]) == (400, f"tiers[{place}][up_to]")


def test_tiers_are_not_bought_in_packs(api: Api) -> None:
    tiered = {
        "billing_scheme": "tiered", "tiers_mode": "volume", "tiers": [{"up_to": "inf", "unit_amount": 5}],
        "recurring": {"interval": "month"},
    }  # fmt: skip
    assert api.post("/v1/prices", **PRICE, **tiered).status == 200
    refused = api.post("/v1/prices", **PRICE, **tiered, transform_quantity={"divide_by": 10, "round": "up"})
    assert (refused.status, refused.error["param"]) == (400, "transform_quantity")


@pytest.mark.parametrize(("minimum", "status"), [(49, 400), (50, 200)])
def test_who_chooses_the_amount_chooses_one_that_can_be_charged(api: Api, minimum: int, status: int) -> None:
    answer = api.post("/v1/prices", **PRICE, custom_unit_amount={"enabled": True, "minimum": minimum})
    assert answer.status == status
    assert status == 200 or answer.error["param"] == "custom_unit_amount[minimum]"


AMOUNT = {"amount": 500, "currency": "xxx"}


@pytest.mark.parametrize(
    ("path", "params", "param"),
    [
        ("prices", {"unit_amount": 5, "product_data": {"name": "Gold"}}, "currency"),
        ("plans", {"amount": 5, "interval": "month", "product": {"name": "Gold"}}, "currency"),
        ("coupons", {"amount_off": 5}, "currency"),
        ("shipping_rates", {"display_name": "Post", "type": "fixed_amount", "fixed_amount": AMOUNT}, "fixed_amount"),
    ],
)
def test_a_currency_is_one_that_can_be_charged(api: Api, path: str, params: dict[str, Any], param: str) -> None:
    named = {} if param == "fixed_amount" else {"currency": "xxx"}
    refused = api.post(f"/v1/{path}", **named, **params)
    assert refused.status == 400
    assert refused.error["param"] == (param if named else "fixed_amount[currency]")
    assert refused.error["message"].startswith("Invalid currency: xxx. Stripe currently supports these currencies:")


@rule_table
@pytest.mark.parametrize(("given", "param"), [
    ({"unit_amount": 5}, "unit_amount"),
    ({"unit_amount_decimal": "5"}, "unit_amount_decimal"),
    ({"transform_quantity": {"divide_by": 2, "round": "up"}}, "transform_quantity"),
], ids=str)  # fmt: skip
def test_tiers_are_the_only_amounts_of_their_price(api: Api, given: dict[str, Any], param: str) -> None:
    product = api.ok("POST", "/v1/products", name="Thing")["id"]
    tiered = {"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": [{"up_to": "inf", "unit_amount": 5}]}
    price = {"product": product, "currency": "usd", "recurring": {"interval": "month"}, **tiered}
    refused = api.post("/v1/prices", **price, **given)
    assert (refused.status, refused.error["param"]) == (400, param)


def test_a_meter_is_for_metered_prices(api: Api) -> None:
    product = api.ok("POST", "/v1/products", name="Thing")["id"]
    sums = {"display_name": "Calls", "event_name": "calls", "default_aggregation": {"formula": "sum"}}
    meter = api.ok("POST", "/v1/billing/meters", **sums)["id"]
    price = {"product": product, "currency": "usd", "unit_amount": 5}
    for usage in ({}, {"usage_type": "licensed"}):
        refused = api.post("/v1/prices", **price, recurring={"interval": "month", "meter": meter, **usage})
        assert (refused.status, refused.error["param"]) == (400, "recurring[meter]")


def test_a_default_price_is_active(api: Api) -> None:
    product = api.ok("POST", "/v1/products", name="Thing")["id"]
    price = api.ok("POST", "/v1/prices", product=product, currency="usd", unit_amount=5, active=False)["id"]
    refused = api.post(f"/v1/products/{product}", default_price=price)
    assert (refused.status, refused.error["param"]) == (400, "default_price")
