"""What a quote adds up to, and what its acceptance makes."""

from __future__ import annotations

import pytest

from tests.payments.subscriptions.steps import clocked, ok, plan, totals
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


def priced(api: Api, **recurring: object) -> dict[str, object]:
    return {"price": plan(api, 1_000, **recurring)}


@pytest.mark.parametrize(
    ("mode", "intervals", "status"),
    [("flexible", ("month", "year"), 200), ("flexible", ("month", "week"), 400), ("classic", ("month", "year"), 400)],
)
def test_a_quote_has_the_intervals_that_its_subscription_may_have(
    api: Api, mode: str, intervals: tuple[str, str], status: int
) -> None:
    lines = [priced(api, interval=interval) for interval in intervals]
    data = {"billing_mode": {"type": mode}}
    answer = api.post("/v1/quotes", customer=clocked(api)[1], line_items=lines, subscription_data=data)
    assert answer.status == status
    if status == 400:
        assert answer.error["param"] == "line_items"
        return
    recurring = answer["computed"]["recurring"]
    assert (recurring["interval"], recurring["interval_count"], recurring["amount_total"]) == ("month", 1, 1_000)
    assert answer["computed"]["upfront"]["amount_total"] == 2_000
    api.ok("post", f"/v1/quotes/{answer['id']}/finalize")
    accepted = api.ok("post", f"/v1/quotes/{answer['id']}/accept")
    assert totals(api, accepted["subscription"]) == [2_000]


def test_a_quote_names_a_recurring_price_once(api: Api) -> None:
    line = priced(api)
    refused = api.post("/v1/quotes", customer=clocked(api)[1], line_items=[line, line])
    assert (refused.status, refused.error["param"]) == (400, "line_items[1][price]")
