"""Tax calculations: the tax on line items and shipping at one address."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.tax.steps import calculate
from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid

TWO_DAYS = 2 * 86_400


def test_tax_is_zero_until_the_account_is_registered(api: Api) -> None:
    before = calculate(api)
    assert_valid("POST", "/v1/tax/calculations", 200, before)
    assert (before["amount_total"], before["tax_breakdown"][0]["taxability_reason"]) == (1000, "not_collecting")
    registration = api.ok(
        "POST", "/v1/tax/registrations", country="DE", active_from="now", country_options={"de": {"type": "oss_union"}}
    )
    assert_valid("POST", "/v1/tax/registrations", 200, registration)
    after = calculate(api, shipping_cost={"amount": 119, "tax_behavior": "inclusive"})
    assert_valid("POST", "/v1/tax/calculations", 200, after)
    assert (after["tax_amount_exclusive"], after["tax_amount_inclusive"], after["amount_total"]) == (190, 19, 1309)


def test_shipping_costs_what_its_rate_says_and_names_it(api: Api) -> None:
    rate = api.ok(
        "POST",
        "/v1/shipping_rates",
        display_name="Post",
        type="fixed_amount",
        fixed_amount={"amount": 500, "currency": "eur"},
    )
    cost = calculate(api, shipping_cost={"shipping_rate": rate["id"]})["shipping_cost"]
    assert (cost["amount"], cost["shipping_rate"]) == (500, rate["id"])
    assert list(cost) == ["amount", "amount_tax", "shipping_rate", "tax_behavior", "tax_code"]


def test_an_expired_calculation_makes_no_transaction(api: Api) -> None:
    calculation = calculate(api)
    api.advance(90 * 86_400)
    refused = api.post(
        "/v1/tax/transactions/create_from_calculation", calculation=calculation["id"], reference="too late"
    )
    assert (refused.status, refused.error["param"]) == (400, "calculation")


def asked(api: Api, **more: Any) -> Answer:
    details = {"address": {"country": "DE", "postal_code": "10115"}, "address_source": "billing"}
    return api.post("/v1/tax/calculations", currency="eur", customer_details=details, **more)


ONE = [{"amount": 1000, "reference": "a"}]


@pytest.mark.parametrize(("seconds", "status"), [
    (-TWO_DAYS - 1, 400), (-TWO_DAYS, 200), (TWO_DAYS, 200), (TWO_DAYS + 1, 400)
])  # fmt: skip
def test_tax_is_calculated_for_a_date_within_two_days(api: Api, seconds: int, status: int) -> None:
    answer = asked(api, line_items=ONE, tax_date=api.now + seconds)
    assert answer.status == status
    assert status == 200 or answer.error["param"] == "tax_date"


def test_each_line_has_a_reference_of_its_own(api: Api) -> None:
    refused = asked(api, line_items=[*ONE, *ONE])
    assert (refused.status, refused.error["param"]) == (400, "line_items[1][reference]")
    assert asked(api, line_items=[*ONE, {"amount": 5, "reference": "b"}, {"amount": 5}]).status == 200


@pytest.mark.parametrize("more", [{"amount": 5}, {"tax_code": "txcd_92010001"}, {"tax_behavior": "inclusive"}])
def test_a_shipping_rate_says_what_shipping_costs(api: Api, more: dict[str, Any]) -> None:
    rate = api.ok(
        "POST", "/v1/shipping_rates", display_name="Ground", type="fixed_amount",
        fixed_amount={"amount": 500, "currency": "usd"},
    )["id"]  # fmt: skip
    refused = asked(api, line_items=ONE, shipping_cost={"shipping_rate": rate, **more})
    (name,) = more
    assert (refused.status, refused.error["param"]) == (400, f"shipping_cost[{name}]")


def test_tax_is_calculated_in_a_currency_that_exists(api: Api) -> None:
    refused = api.post("/v1/tax/calculations", currency="xyz", line_items=[{"amount": 1000}])
    assert (refused.status, refused.error["param"]) == (400, "currency")
