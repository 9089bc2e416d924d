"""Tax: calculations, the transactions made from them, registrations and settings."""

from __future__ import annotations

from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid


def calculate(api: Api, **more: object) -> Answer:
    details = {"address": {"country": "DE", "postal_code": "10115"}, "address_source": "billing"}
    return api.ok("POST", "/v1/tax/calculations", currency="eur", customer_details=details,
                  line_items=[{"amount": 1000, "reference": "one"}], expand=["line_items"], **more)  # fmt: skip


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


def test_a_tax_transaction_is_reversed_once(api: Api) -> None:
    calculation = calculate(api)
    made = api.ok(
        "POST",
        "/v1/tax/transactions/create_from_calculation",
        calculation=calculation["id"],
        reference="order 1",
        expand=["line_items"],
    )
    assert_valid("POST", "/v1/tax/transactions/create_from_calculation", 200, made)
    back = {"mode": "full", "original_transaction": made["id"], "expand": ["line_items"]}
    reversal = api.ok("POST", "/v1/tax/transactions/create_reversal", reference="back 1", **back)
    assert_valid("POST", "/v1/tax/transactions/create_reversal", 200, reversal)
    assert reversal["line_items"]["data"][0]["amount"] == -1000
    assert api.post("/v1/tax/transactions/create_reversal", reference="back 2", **back).status == 400


def test_tax_settings_become_active_when_complete(api: Api) -> None:
    assert_valid("GET", "/v1/tax/settings", 200, api.ok("GET", "/v1/tax/settings"))
    settings = api.ok(
        "POST", "/v1/tax/settings", defaults={"tax_code": "txcd_10000000"}, head_office={"address": {"country": "DE"}}
    )
    assert_valid("POST", "/v1/tax/settings", 200, settings)
    assert settings["status"] == "active"
