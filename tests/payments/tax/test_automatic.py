"""Automatic tax of invoices, subscriptions, quotes and Checkout: where the customer is, and the rate that each line
bears.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.subscriptions.steps import advance, clocked, ok, plan
from tests.payments.tax.steps import BERLIN, FRISCO, register
from tests.support.api import NOW, Answer, Api


def invoice(
    api: Api, address: dict[str, str], currency: str = "usd", product: dict[str, str] | None = None, **customer: Any
) -> Answer:
    """A draft with one line of 100.00, taxed automatically."""
    who = ok(api, "POST", "/v1/customers", address=address, **customer)["id"]
    made = ok(api, "POST", "/v1/invoices", customer=who, currency=currency, automatic_tax={"enabled": True})
    product_id = ok(api, "POST", "/v1/products", name="Thing", **(product or {}))["id"]
    price = ok(api, "POST", "/v1/prices", product=product_id, unit_amount=10_000, currency=currency)["id"]
    ok(api, "POST", "/v1/invoiceitems", customer=who, invoice=made["id"], pricing={"price": price})
    return ok(api, "GET", f"/v1/invoices/{made['id']}", "/v1/invoices/{invoice}")


def test_dollars_get_the_tax_of_the_state_on_top_and_euros_hold_it(api: Api) -> None:
    register(api, "US", state="CA", type="state_sales_tax")
    register(api, "DE", type="standard")
    here, there = invoice(api, FRISCO), invoice(api, BERLIN, "eur")
    assert (here["total"], here["total_excluding_tax"], here["automatic_tax"]["status"]) == (10_725, 10_000, "complete")
    assert (there["total"], there["total_excluding_tax"]) == (10_000, 8_403)
    tax = here["lines"]["data"][0]["taxes"][0]
    assert (tax["amount"], tax["taxability_reason"], tax["taxable_amount"]) == (725, "standard_rated", 10_000)
    rate = ok(api, "GET", f"/v1/tax_rates/{tax['tax_rate_details']['tax_rate']}", "/v1/tax_rates/{tax_rate}")
    assert (rate["percentage"], rate["state"], rate["tax_type"], rate["jurisdiction_level"]) == (
        7.25,
        "CA",
        "sales_tax",
        "state",
    )


@pytest.mark.parametrize(
    ("customer", "product", "reason"),
    [
        ({"tax_exempt": "exempt"}, {}, "customer_exempt"),
        ({"tax_exempt": "reverse"}, {}, "reverse_charge"),
        ({}, {"tax_code": "txcd_00000000"}, "product_exempt"),
    ],
)
def test_nothing_is_added_for_a_reason_that_is_told(
    api: Api, customer: dict[str, str], product: dict[str, str], reason: str
) -> None:
    register(api, "DE", type="standard")
    made = invoice(api, BERLIN, "usd", product, **customer)
    assert [made["total"], made["total_taxes"][0]["amount"], made["total_taxes"][0]["taxability_reason"]] == [
        10_000,
        0,
        reason,
    ]


def test_where_the_account_is_not_registered_nothing_is_collected(api: Api) -> None:
    assert invoice(api, FRISCO)["total_taxes"][0]["taxability_reason"] == "not_collecting"


def test_an_invoice_without_a_place_is_not_finalized_until_there_is_one(api: Api) -> None:
    register(api, "US", state="CA", type="state_sales_tax")
    made = invoice(api, {"country": "US"})
    assert made["automatic_tax"]["status"] == "requires_location_inputs"
    refused = api.post(f"/v1/invoices/{made['id']}/finalize")
    assert (refused.status, refused.error["code"]) == (400, "customer_tax_location_invalid")
    (event,) = api.events("invoice.finalization_failed")
    assert event["data"]["object"]["last_finalization_error"]["code"] == "customer_tax_location_invalid"
    api.ok("POST", f"/v1/customers/{made['customer']}", address=FRISCO)
    assert ok(api, "POST", f"/v1/invoices/{made['id']}/finalize", "/v1/invoices/{invoice}/finalize")["total"] == 10_725


def test_a_subscription_taxes_every_invoice_and_its_prorations(api: Api) -> None:
    register(api, "US", state="CA", type="state_sales_tax")
    clock, who = clocked(api)
    refused = api.post("/v1/subscriptions", customer=who, items=[{"price": plan(api)}], automatic_tax={"enabled": True})
    assert refused.error["code"] == "customer_tax_location_invalid"
    api.ok("POST", f"/v1/customers/{who}", address=FRISCO)
    sub = ok(
        api, "POST", "/v1/subscriptions", customer=who, items=[{"price": plan(api)}], automatic_tax={"enabled": True}
    )
    assert api.get(f"/v1/invoices/{sub['latest_invoice']}")["amount_paid"] == 1073
    end = sub["items"]["data"][0]["current_period_end"]
    advance(api, clock, NOW + (end - NOW) // 2)
    change = {
        "items": [{"id": sub["items"]["data"][0]["id"], "price": plan(api, 2000)}],
        "proration_behavior": "always_invoice",
    }
    changed = ok(api, "POST", f"/v1/subscriptions/{sub['id']}", "/v1/subscriptions/{subscription_exposed_id}", **change)
    assert api.get(f"/v1/invoices/{changed['latest_invoice']}")["total"] == 500 + 73 - 36  # 7.25 % of each line
    advance(api, clock, end + 4000)
    assert api.get("/v1/invoices", subscription=sub["id"])["data"][0]["amount_paid"] == 2145


def test_a_subscription_whose_customer_has_moved_nowhere_goes_on_without_tax(api: Api) -> None:
    clock, who = clocked(api)
    api.ok("POST", f"/v1/customers/{who}", address=BERLIN)
    sub = ok(
        api, "POST", "/v1/subscriptions", customer=who, items=[{"price": plan(api)}], automatic_tax={"enabled": True}
    )
    api.ok("POST", f"/v1/customers/{who}", address="")
    advance(api, clock, sub["items"]["data"][0]["current_period_end"] + 4000)
    now = ok(api, "GET", f"/v1/subscriptions/{sub['id']}", "/v1/subscriptions/{subscription_exposed_id}")
    paid = ok(api, "GET", f"/v1/invoices/{now['latest_invoice']}", "/v1/invoices/{invoice}")
    assert (now["automatic_tax"]["enabled"], now["automatic_tax"]["disabled_reason"]) == (
        False,
        "requires_location_inputs",
    )
    assert (paid["status"], paid["automatic_tax"]["disabled_reason"]) == (
        "paid",
        "finalization_requires_location_inputs",
    )


def test_a_customer_tells_whether_tax_can_be_worked_out(api: Api) -> None:
    register(api, "DE", type="standard")
    seen = [
        api.ok("POST", "/v1/customers", address=address, expand=["tax"])["tax"]["automatic_tax"]
        for address in (BERLIN, FRISCO, {"country": "US"})
    ]
    assert seen == ["supported", "not_collecting", "unrecognized_location"]
    refused = api.post("/v1/customers", address={"country": "US"}, tax={"validate_location": "immediately"})
    assert refused.error["code"] == "customer_tax_location_invalid"


def test_a_business_elsewhere_in_the_union_owes_the_tax_itself(api: Api) -> None:
    register(api, "DE", type="standard")
    business = {"tax_id_data": [{"type": "eu_vat", "value": "DE123456789"}]}
    assert invoice(api, BERLIN, "usd", **business)["total_taxes"][0]["taxability_reason"] == "reverse_charge"
    api.ok("POST", "/v1/tax/settings", head_office={"address": {"country": "DE"}})
    assert invoice(api, BERLIN, "usd", **business)["total"] == 11_900
    details = {
        "address": {"country": "DE"},
        "address_source": "billing",
        "tax_ids": [{"type": "eu_vat", "value": "DE123456789"}],
    }
    asked = {"currency": "eur", "line_items": [{"amount": 1000, "reference": "a"}], "customer_details": details}
    assert ok(api, "POST", "/v1/tax/calculations", **asked)["tax_amount_exclusive"] == 190
