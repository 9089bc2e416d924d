"""Tax calculations: the tax on line items and shipping at one address."""

from __future__ import annotations

from tests.payments.tax.steps import calculate
from tests.support.api import Api
from tests.support.openapi import assert_valid


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
