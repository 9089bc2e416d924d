"""Invoices of subscriptions: the lines of a period, prorations, and collecting in the way that was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.subscriptions.steps import DAY, advance, clocked, current, plan, subscribe, totals
from tests.support.api import NOW, Api


def test_a_first_payment_without_the_customer_is_refused_and_then_asks_for_them(api: Api) -> None:
    customer = api.ok("post", "/v1/customers", email="a@example.com")["id"]
    method = api.ok("post", "/v1/payment_methods/pm_card_authenticationRequired/attach", customer=customer)["id"]
    api.ok("post", f"/v1/customers/{customer}", invoice_settings={"default_payment_method": method})
    product = api.ok("post", "/v1/products", name="Plan")["id"]
    price = api.ok(
        "post", "/v1/prices", product=product, currency="usd", unit_amount=2500, recurring={"interval": "month"}
    )["id"]
    made = api.ok(
        "post",
        "/v1/subscriptions",
        customer=customer,
        items=[{"price": price}],
        off_session=True,
        expand=["latest_invoice.payments"],
    )
    invoice = made["latest_invoice"]
    intent = api.ok(
        "get",
        f"/v1/payment_intents/{invoice['payments']['data'][0]['payment']['payment_intent']}",
        expand=["latest_charge"],
    )
    assert (made["status"], invoice["attempt_count"], intent["status"]) == ("incomplete", 1, "requires_action")
    assert (intent["last_payment_error"], intent["setup_future_usage"]) == (None, "off_session")
    assert intent["latest_charge"]["failure_code"] == "authentication_required"


FEBRUARY, MARCH = NOW + 31 * DAY, NOW + 59 * DAY


def test_the_last_period_before_the_end_costs_its_share(api: Api) -> None:
    clock, who = clocked(api)
    sub = subscribe(api, who, plan(api), cancel_at=FEBRUARY + 14 * DAY)
    without = subscribe(api, who, plan(api), cancel_at=FEBRUARY + 14 * DAY, proration_behavior="none")
    advance(api, clock, FEBRUARY + 4000)
    assert current(api, sub["id"])["items"]["data"][0]["current_period_end"] == FEBRUARY + 14 * DAY
    advance(api, clock, FEBRUARY + 15 * DAY)
    # "If set during a future period, this will always cause a proration for that period" (cancel_at in the document)
    assert (totals(api, sub["id"]), totals(api, without["id"])) == ([1000, 500], [1000, 500])
    assert {current(api, one["id"])["status"] for one in (sub, without)} == {"canceled"}
    assert api.get("/v1/invoiceitems", customer=who)["data"] == []


@pytest.mark.parametrize("which", ["price", "price_data", "recurring"])
@pytest.mark.parametrize("new", [True, False])
def test_what_is_added_to_an_invoice_is_billed_once_and_in_its_currency(api: Api, which: str, new: bool) -> None:
    _, who = clocked(api)
    product = api.ok("post", "/v1/products", name="Setup")["id"]
    euros = {"currency": "eur", "unit_amount": 500, "product": product}
    if which == "price_data":
        added: dict[str, Any] = {"price_data": euros}
    else:
        added = {"price": plan(api) if which == "recurring" else api.ok("post", "/v1/prices", **euros)["id"]}
    if new:
        sent = {"customer": who, "items": [{"price": plan(api)}]}
        refused = api.post("/v1/subscriptions", **sent, add_invoice_items=[added])
    else:
        path = f"/v1/subscriptions/{subscribe(api, who, plan(api))['id']}"
        refused = api.post(path, add_invoice_items=[added])
    named = "[price_data][currency]" if which == "price_data" else "[price]"
    assert (refused.status, refused.error["param"]) == (400, f"add_invoice_items[0]{named}")
