"""Changes of a subscription: items in mid-period, trials, anchors, pausing, ending."""

from __future__ import annotations

import pytest

from tests.payments.steps import monthly, told
from tests.payments.subscriptions.steps import DAY, advance, clocked, customer, plan, subscribe
from tests.support.api import NOW, Api


def test_a_change_in_mid_period_credits_and_debits_to_the_second(api: Api) -> None:
    who = customer(api)
    clock = api.ok("post", "/v1/test_helpers/test_clocks", frozen_time=NOW)["id"]
    who = customer(api, test_clock=clock)
    small, large = plan(api, 5000, currency="eur"), plan(api, 10000, currency="eur")
    sub = api.ok(
        "post",
        "/v1/subscriptions",
        customer=who,
        items=[{"price": small}],
        collection_method="send_invoice",
        days_until_due=5,
    )
    assert sub["created"] == NOW
    item = sub["items"]["data"][0]
    middle = (item["current_period_start"] + item["current_period_end"]) // 2
    advance(api, clock, middle)
    api.ok("post", f"/v1/subscriptions/{sub['id']}", items=[{"id": item["id"], "price": large}])
    pending = api.get("/v1/invoiceitems", customer=who, pending=True)["data"]
    assert sorted(entry["amount"] for entry in pending) == [-2500, 5000]
    assert all(entry["proration"] for entry in pending)
    advance(api, clock, item["current_period_end"] + 10)
    newest = api.get("/v1/invoices", customer=who)["data"][0]
    assert (newest["billing_reason"], newest["total"]) == ("subscription_cycle", 12500)


def test_a_proration_behavior_is_one_of_the_list(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", source="tok_visa")["id"]
    subscription = api.ok("POST", "/v1/subscriptions", customer=customer, items=[{"price": monthly(api)}])["id"]
    words = "Invalid proration_behavior: must be one of always_invoice, create_prorations, or none"
    assert told(api, f"/v1/subscriptions/{subscription}", proration_behavior="x") == ("proration_behavior", words)


@pytest.mark.parametrize("card", ["pm_card_visa", "pm_card_chargeCustomerFail"])
def test_a_subscription_that_is_invoiced_as_it_is_canceled_is_deleted_once(api: Api, card: str) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))["id"]
    method = api.ok("POST", f"/v1/payment_methods/{card}/attach", customer=who)["id"]
    api.ok("POST", f"/v1/customers/{who}", invoice_settings={"default_payment_method": method})
    api.ok("POST", "/v1/invoiceitems", customer=who, subscription=sub, amount=700, currency="usd")
    before = len(api.events())
    gone = api.ok("DELETE", f"/v1/subscriptions/{sub}", invoice_now=True)
    assert (gone["status"], gone["cancellation_details"]["reason"]) == ("canceled", "cancellation_requested")
    events = [one["type"] for one in api.events()[before:] if one["type"].startswith("customer.subscription.")]
    assert events == ["customer.subscription.deleted"]


def test_the_end_that_is_the_periods_moves_with_the_period(api: Api) -> None:
    clock, who = clocked(api)
    sub = subscribe(api, who, plan(api))["id"]
    api.ok("POST", f"/v1/subscriptions/{sub}", cancel_at_period_end=True)
    advance(api, clock, NOW + 10 * DAY)
    changed = api.ok("POST", f"/v1/subscriptions/{sub}", billing_cycle_anchor={"type": "now"})
    assert changed["items"]["data"][0]["current_period_end"] == changed["cancel_at"] == NOW + 41 * DAY


def test_the_invoice_of_a_change_is_voided_while_collection_is_paused(api: Api) -> None:
    clock, who = clocked(api)
    sub = subscribe(api, who, plan(api))
    api.ok("POST", f"/v1/subscriptions/{sub['id']}", pause_collection={"behavior": "void"})
    advance(api, clock, NOW + 10 * DAY)
    item = {"id": sub["items"]["data"][0]["id"], "quantity": 2}
    changed = api.ok("POST", f"/v1/subscriptions/{sub['id']}", items=[item], proration_behavior="always_invoice")
    assert api.get(f"/v1/invoices/{changed['latest_invoice']}")["status"] == "void"
