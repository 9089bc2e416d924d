"""The upcoming invoice of versions before 2025-03-31."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.checkout.steps import price
from tests.payments.subscriptions.steps import clocked, plan, subscribe
from tests.support.api import Api, rule_table

OLD = {"Stripe-Version": "2020-08-27"}


def test_a_preview_names_the_older_parameter_too(api: Api) -> None:
    customer = api.ok("post", "/v1/customers")["id"]
    items = [{"price": price(api, recurring={"interval": "month"})}]
    refused = api.get("/v1/invoices/upcoming", customer=customer, subscription_items=items, coupon="NONE", headers=OLD)
    assert (refused.status, refused.error["param"]) == (400, "coupon")


def test_the_lines_of_the_upcoming_invoice_are_a_list_of_pages(api: Api) -> None:
    _, who = clocked(api)
    for _ in range(2):
        subscription = subscribe(api, who, plan(api))["id"]
    asked = {"customer": who, "subscription": subscription, "headers": OLD}
    invoice = api.ok("GET", "/v1/invoices/upcoming", **asked)
    page = api.ok("GET", "/v1/invoices/upcoming/lines", limit=1, **asked)
    assert (page["object"], page["url"], page["has_more"]) == ("list", "/v1/invoices/upcoming/lines", False)
    assert [line["amount"] for line in page["data"]] == [line["amount"] for line in invoice["lines"]["data"]] == [1000]


def test_the_trial_of_a_plan_is_in_the_upcoming_invoice_if_that_is_asked_for(api: Api) -> None:
    customer = api.ok("post", "/v1/customers")["id"]
    product = api.ok("post", "/v1/products", name="Gold")["id"]
    given = {"amount": 900, "currency": "usd", "interval": "month", "trial_period_days": 7, "product": product}
    items = [{"price": api.ok("post", "/v1/plans", **given)["id"]}]
    asked = {"customer": customer, "subscription_items": items, "headers": OLD}
    path = "/v1/invoices/upcoming"
    assert api.ok("GET", path, **asked)["total"] == 900
    assert api.ok("GET", path, subscription_trial_from_plan=True, **asked)["total"] == 0
    for name, value in (("subscription_start_date", "1700000000"), ("subscription_resume_at", "now")):
        refused = api.get(path, **{name: value}, **asked)
        assert (refused.status, refused.error["param"]) == (400, name)


@rule_table
@pytest.mark.parametrize("lines", ["", "/lines"])
@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"automatic_tax": {"liability": {"type": "self"}}}, "automatic_tax[enabled]"),
        ({"customer_details": {"tax_exempt": "x"}}, "customer_details[tax_exempt]"),
        ({"discounts": [{"foo": "x"}]}, "discounts[0][foo]"),
        ({"invoice_items": [{"amount": "x", "currency": "usd"}]}, "invoice_items[0][amount]"),
        ({"issuer": {"type": "x"}}, "issuer[type]"),
        ({"schedule_details": {"phases": "x"}}, "schedule_details[phases]"),
        ({"subscription_details": {"items": [{"quantity": "x"}]}}, "subscription_details[items][0][quantity]"),
        ({"subscription_items": [{"quantity": "x"}]}, "subscription_items[0][quantity]"),
    ],
)
def test_hashes_of_older_previews_are_typed(api: Api, lines: str, given: dict[str, Any], param: str) -> None:
    customer = api.ok("post", "/v1/customers")["id"]
    path = f"/v1/invoices/upcoming{lines}"
    refused = api.under("2024-06-20").get(path, customer=customer, **given)
    assert (refused.status, refused.error["param"]) == (400, param)


def test_quantities_of_older_previews_are_numbers(api: Api) -> None:
    customer = api.ok("post", "/v1/customers")["id"]
    recurring = {"recurring": {"interval": "month"}, "product_data": {"name": "Tea"}}
    price = api.ok("post", "/v1/prices", currency="usd", unit_amount=1_000, **recurring)["id"]
    given = {"customer": customer, "subscription_items": [{"price": price, "quantity": 2}]}
    untaxed = api.under("2024-06-20").ok("get", "/v1/invoices/upcoming", **given, automatic_tax={"enabled": False})
    assert (untaxed["amount_due"], untaxed["automatic_tax"]["enabled"]) == (2_000, False)
