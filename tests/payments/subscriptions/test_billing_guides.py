"""What the billing guides promise, amount by amount: schedules, cancellations in mid-period, coupons, quotes,
previews.
"""

from __future__ import annotations

from tests.payments.subscriptions.test_billing_lifecycles import DAY, advance, clocked, current, ok, plan, subscribe
from tests.payments.tax.test_automatic_tax import FRISCO, register
from tests.support.api import NOW, Answer, Api

FEBRUARY, MARCH = NOW + 31 * DAY, NOW + 59 * DAY


def totals(api: Api, sub: str) -> list[int]:
    """What the subscription's invoices came to, oldest first."""
    return [one["total"] for one in reversed(api.get("/v1/invoices", subscription=sub)["data"])]


def schedule(api: Api, who: str, *phases: dict[str, object], **params: object) -> Answer:
    month = {"duration": {"interval": "month", "interval_count": 1}}
    wanted = [{**month, **phase} for phase in phases]
    return ok(api, "POST", "/v1/subscription_schedules", customer=who, start_date="now", phases=wanted, **params)


def test_the_card_that_pays_the_first_invoice_pays_the_next_ones_when_asked_to(api: Api) -> None:
    clock, who = clocked(api, None)
    settings = {"save_default_payment_method": "on_subscription"}
    sub = subscribe(api, who, plan(api), payment_behavior="default_incomplete", payment_settings=settings)
    invoice = api.get(f"/v1/invoices/{sub['latest_invoice']}", expand=["payments"])
    intent = invoice["payments"]["data"][0]["payment"]["payment_intent"]
    api.ok(
        "post",
        f"/v1/payment_intents/{intent}/confirm",
        payment_method="pm_card_visa",
        return_url="https://shop.example",
    )
    paid = current(api, sub["id"])
    assert (paid["status"], paid["default_payment_method"]) == (
        "active",
        api.get(f"/v1/payment_intents/{intent}")["payment_method"],
    )
    advance(api, clock, FEBRUARY + 4000)
    assert api.get("/v1/invoices", subscription=sub["id"])["data"][0]["status"] == "paid"


def test_ending_in_mid_period_credits_the_rest(api: Api) -> None:
    clock, who = clocked(api)
    sub = subscribe(api, who, plan(api), cancel_at=NOW + 31 * DAY // 2)
    advance(api, clock, NOW + 16 * DAY)
    assert current(api, sub["id"])["status"] == "canceled"
    assert [one["amount"] for one in api.get("/v1/invoiceitems", customer=who)["data"]] == [-500]


def test_the_last_period_before_the_end_costs_its_share(api: Api) -> None:
    clock, who = clocked(api)
    sub = subscribe(api, who, plan(api), cancel_at=FEBRUARY + 14 * DAY)
    whole = subscribe(api, who, plan(api), cancel_at=FEBRUARY + 14 * DAY, proration_behavior="none")
    advance(api, clock, FEBRUARY + 4000)
    assert current(api, sub["id"])["items"]["data"][0]["current_period_end"] == FEBRUARY + 14 * DAY
    advance(api, clock, FEBRUARY + 15 * DAY)
    assert (totals(api, sub["id"]), totals(api, whole["id"])) == ([1000, 500], [1000, 1000])
    assert {current(api, one["id"])["status"] for one in (sub, whole)} == {"canceled"}
    assert api.get("/v1/invoiceitems", customer=who)["data"] == []


def test_a_phase_brings_its_metadata_its_discount_and_its_one_time_lines(api: Api) -> None:
    clock, who = clocked(api)
    coupon = ok(api, "POST", "/v1/coupons", percent_off=50, duration="forever")["id"]
    product = ok(api, "POST", "/v1/products", name="Extra")["id"]
    recurring = {"interval": "month"}
    inline = {"currency": "usd", "product": product, "unit_amount": 700, "recurring": recurring}
    once = {"currency": "usd", "product": product, "unit_amount": 300}
    made = schedule(
        api,
        who,
        {"items": [{"price_data": inline}], "discounts": [{"coupon": coupon}], "metadata": {"phase": "1"}},
        {"items": [{"price": plan(api)}], "add_invoice_items": [{"price_data": once}], "metadata": {"phase": "2"}},
    )
    sub = made["subscription"]
    assert current(api, sub)["metadata"] == {"phase": "1"}
    advance(api, clock, FEBRUARY + 4000)
    assert (totals(api, sub), current(api, sub)["metadata"], current(api, sub)["discounts"]) == (
        [350, 1300],
        {"phase": "2"},
        [],
    )


def test_a_preview_knows_the_phase_that_comes_next_and_phases_that_are_only_asked_about(api: Api) -> None:
    _, who = clocked(api)
    cheap, dear = plan(api), plan(api, 2000)
    made = schedule(api, who, {"items": [{"price": cheap}]}, {"items": [{"price": dear}]}, end_behavior="cancel")
    assert ok(api, "POST", "/v1/invoices/create_preview", subscription=made["subscription"])["total"] == 2000
    assert ok(api, "POST", "/v1/invoices/create_preview", schedule=made["id"])["total"] == 2000
    phases = [{"items": [{"price": dear, "quantity": 3}], "start_date": "now", "duration": {"interval": "month"}}]
    assert (
        ok(api, "POST", "/v1/invoices/create_preview", customer=who, schedule_details={"phases": phases})["total"]
        == 6000
    )


def test_a_preview_taxes_an_address_that_is_only_asked_about(api: Api) -> None:
    register(api, "US", state="CA", type="state_sales_tax")
    items = [{"price": plan(api)}]
    asked = {
        "customer_details": {"address": FRISCO},
        "automatic_tax": {"enabled": True},
        "subscription_details": {"items": items},
    }
    seen = ok(api, "POST", "/v1/invoices/create_preview", **asked)
    assert (seen["total"], seen["automatic_tax"]["status"]) == (1073, "complete")
    assert api.get("/v1/tax_rates")["data"] == []


def test_a_coupon_that_takes_more_than_there_is_counts_once_all_the_same(api: Api) -> None:
    clock, who = clocked(api)
    coupon = ok(api, "POST", "/v1/coupons", amount_off=1500, currency="usd", duration="once")["id"]
    sub = subscribe(api, who, plan(api), discounts=[{"coupon": coupon}])
    advance(api, clock, FEBRUARY + 4000)
    assert totals(api, sub["id"]) == [0, 1000]


def test_a_quote_with_a_price_of_its_own_becomes_a_subscription(api: Api) -> None:
    _, who = clocked(api)
    product = ok(api, "POST", "/v1/products", name="Plan")["id"]
    data = {"currency": "usd", "product": product, "unit_amount": 400, "recurring": {"interval": "month"}}
    quote = ok(api, "POST", "/v1/quotes", customer=who, line_items=[{"price_data": data}])
    ok(api, "POST", f"/v1/quotes/{quote['id']}/finalize", "/v1/quotes/{quote}/finalize")
    accepted = ok(api, "POST", f"/v1/quotes/{quote['id']}/accept", "/v1/quotes/{quote}/accept")
    assert totals(api, accepted["subscription"]) == [400]


def test_looking_at_a_price_that_is_made_for_it_stores_nothing(api: Api) -> None:
    _, who = clocked(api)
    product = ok(api, "POST", "/v1/products", name="Plan")["id"]
    items = [
        {"price_data": {"currency": "usd", "product": product, "unit_amount": 400, "recurring": {"interval": "month"}}}
    ]
    asked = {"customer": who, "subscription_details": {"items": items}}
    assert api.ok("post", "/v1/invoices/create_preview", **asked)["total"] == 400
    old = api.get(
        "/v1/invoices/upcoming", customer=who, subscription_items=items, headers={"Stripe-Version": "2020-08-27"}
    )
    assert (old.status, old.get("total")) == (200, 400)
    assert (api.get("/v1/prices")["data"], api.events("price.created")) == ([], [])


def test_pending_items_are_billed_at_an_interval_of_their_own(api: Api) -> None:
    clock, who = clocked(api)
    every = {"interval": "week", "interval_count": 1}
    sub = subscribe(api, who, plan(api), pending_invoice_item_interval=every)
    assert sub["next_pending_invoice_item_invoice"] == NOW + 7 * DAY
    ok(api, "POST", "/v1/invoiceitems", customer=who, subscription=sub["id"], amount=333, currency="usd")
    advance(api, clock, NOW + 7 * DAY + 4000)
    invoice = api.get("/v1/invoices", subscription=sub["id"])["data"][0]
    assert (invoice["total"], invoice["status"], invoice["billing_reason"]) == (
        333,
        "paid",
        "automatic_pending_invoice_item_invoice",
    )
    advance(api, clock, NOW + 15 * DAY)
    assert totals(api, sub["id"]) == [1000, 333]
    assert current(api, sub["id"])["next_pending_invoice_item_invoice"] == NOW + 21 * DAY


def test_a_preview_of_what_recurs_leaves_prorations_and_single_items_out(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))
    ok(api, "POST", "/v1/invoiceitems", customer=who, subscription=sub["id"], amount=333, currency="usd")
    change = {"items": [{"id": sub["items"]["data"][0]["id"], "price": plan(api, 2000)}]}
    asked = {"subscription": sub["id"], "subscription_details": change}
    assert ok(api, "POST", "/v1/invoices/create_preview", **asked)["total"] == 3333
    assert ok(api, "POST", "/v1/invoices/create_preview", preview_mode="recurring", **asked)["total"] == 2000


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
