"""Tax rates, and those that older versions made of a percentage."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.steps import monthly
from tests.support.api import Api, rule_table

OLD = {"Stripe-Version": "2020-03-02"}


@pytest.mark.parametrize("percent", ["-0.5", "100.5"])
def test_an_older_percentage_of_tax_is_from_0_to_100(api: Api, percent: str) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    refused = api.post(
        "/v1/invoices", customer=customer, tax_percent=percent, pending_invoice_items_behavior="exclude", headers=OLD
    )
    assert (refused.status, refused.error["param"]) == (400, "tax_percent")


def _bill(api: Api) -> str:
    return str(api.ok("POST", "/v1/invoices", customer=api.ok("POST", "/v1/customers")["id"])["id"])


def _uses(api: Api, rate: str) -> dict[str, tuple[str, dict[str, Any], str]]:
    """What uses a tax rate: path, parameters, and the name of the parameter in the error."""
    card = {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    who = api.ok("POST", "/v1/customers", **card)["id"]
    price, free = monthly(api), {"customer": who, "trial_period_days": 5}
    item = {"price": price, "tax_rates": [rate]}
    product = api.get(f"/v1/prices/{price}")["product"]
    once = {"price_data": {"currency": "usd", "unit_amount": 500, "product": product}, "tax_rates": [rate]}
    return {
        "invoice": ("/v1/invoices", {"customer": who, "default_tax_rates": [rate]}, "default_tax_rates[0]"),
        "draft": (f"/v1/invoices/{_bill(api)}", {"default_tax_rates": [rate]}, "default_tax_rates[0]"),
        "invoice item": (
            "/v1/invoiceitems", {"customer": who, "amount": 5, "currency": "usd", "tax_rates": [rate]}, "tax_rates[0]"
        ),
        "line": (
            f"/v1/invoices/{_bill(api)}/add_lines", {"lines": [{"amount": 5, "tax_rates": [rate]}]},
            "lines[0][tax_rates][0]",
        ),
        "subscription": (
            "/v1/subscriptions", {**free, "items": [{"price": price}], "default_tax_rates": [rate]},
            "default_tax_rates[0]",
        ),
        "subscription item": ("/v1/subscriptions", {**free, "items": [item]}, "items[0][tax_rates][0]"),
        "added item": (
            "/v1/subscriptions", {**free, "items": [{"price": price}], "add_invoice_items": [once]},
            "add_invoice_items[0][tax_rates][0]",
        ),
        "quote": ("/v1/quotes", {"default_tax_rates": [rate]}, "default_tax_rates[0]"),
        "line of a quote": ("/v1/quotes", {"line_items": [item]}, "line_items[0][tax_rates][0]"),
    }  # fmt: skip


@rule_table
@pytest.mark.parametrize("use", [
    "invoice", "draft", "invoice item", "line", "subscription", "subscription item", "added item", "quote",
    "line of a quote",
])  # fmt: skip
def test_an_archived_tax_rate_is_not_used_anew(api: Api, use: str) -> None:
    rate = api.ok("POST", "/v1/tax_rates", display_name="VAT", percentage=20, inclusive=False)["id"]
    path, params, param = _uses(api, rate)[use]
    assert api.post(path, **params).status == 200
    api.ok("POST", f"/v1/tax_rates/{rate}", active=False)
    if use == "draft":  # it has the rate, which stays usable for it
        assert api.post(path, **params).status == 200
        path = f"/v1/invoices/{_bill(api)}"
    refused = api.post(path, **params)
    assert (refused.status, refused.error["param"]) == (400, param)


def test_what_has_a_tax_rate_keeps_it_when_it_is_archived(api: Api) -> None:
    rate = api.ok("POST", "/v1/tax_rates", display_name="VAT", percentage=20, inclusive=False)["id"]
    who, price = api.ok("POST", "/v1/customers")["id"], monthly(api)
    item = {"price": price, "tax_rates": [rate]}
    sub = api.ok("POST", "/v1/subscriptions", customer=who, items=[item], trial_period_days=5)
    api.ok("POST", f"/v1/tax_rates/{rate}", active=False)
    changed = {"id": sub["items"]["data"][0]["id"], "quantity": 2, "tax_rates": [rate]}
    after = api.ok("POST", f"/v1/subscriptions/{sub['id']}", items=[changed])
    assert [one["id"] for one in after["items"]["data"][0]["tax_rates"]] == [rate]
