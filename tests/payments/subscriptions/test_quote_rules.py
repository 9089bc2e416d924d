"""What a quote adds up to, and what its acceptance makes."""

from __future__ import annotations

from tests.payments.subscriptions.steps import clocked, ok, totals
from tests.support.api import Api


def test_a_quote_with_a_price_of_its_own_becomes_a_subscription(api: Api) -> None:
    _, who = clocked(api)
    product = ok(api, "POST", "/v1/products", name="Plan")["id"]
    data = {"currency": "usd", "product": product, "unit_amount": 400, "recurring": {"interval": "month"}}
    quote = ok(api, "POST", "/v1/quotes", customer=who, line_items=[{"price_data": data}])
    ok(api, "POST", f"/v1/quotes/{quote['id']}/finalize", "/v1/quotes/{quote}/finalize")
    accepted = ok(api, "POST", f"/v1/quotes/{quote['id']}/accept", "/v1/quotes/{quote}/accept")
    assert totals(api, accepted["subscription"]) == [400]


def test_a_quote_of_single_things_becomes_an_invoice(api: Api) -> None:
    _, who = clocked(api)
    once = ok(api, "POST", "/v1/prices", currency="usd", unit_amount=500, product_data={"name": "Setup"})["id"]
    coupon = ok(api, "POST", "/v1/coupons", percent_off=10, duration="once")["id"]
    quote = ok(
        api,
        "POST",
        "/v1/quotes",
        customer=who,
        line_items=[{"price": once, "quantity": 3}],
        discounts=[{"coupon": coupon}],
    )
    ok(api, "POST", f"/v1/quotes/{quote['id']}/finalize", "/v1/quotes/{quote}/finalize")
    accepted = ok(api, "POST", f"/v1/quotes/{quote['id']}/accept", "/v1/quotes/{quote}/accept")
    invoice = ok(api, "GET", f"/v1/invoices/{accepted['invoice']}", "/v1/invoices/{invoice}")
    assert (quote["amount_total"], invoice["total"], invoice["status"]) == (1350, 1350, "draft")
    assert invoice["billing_reason"] == "quote_accept"
