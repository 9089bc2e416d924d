"""Pending updates: changes that come into force when their invoice is paid."""

from __future__ import annotations

import pytest

from tests.payments.subscriptions.steps import DAY, advance, clocked, current, ok, plan, subscribe
from tests.support.api import NOW, Answer, Api

#: Before metadata, discounts and cancellations could be pending.
BEFORE = {"Stripe-Version": "2026-03-25.dahlia"}
HOUR = 3600


def _refused_card(api: Api, who: str) -> None:
    bad = api.ok("post", "/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=who)["id"]
    api.ok("post", f"/v1/customers/{who}", invoice_settings={"default_payment_method": bad})


def _good_card(api: Api, who: str) -> str:
    good = api.ok("post", "/v1/payment_methods/pm_card_visa/attach", customer=who)["id"]
    api.ok("post", f"/v1/customers/{who}", invoice_settings={"default_payment_method": good})
    return str(good)


def _ask(api: Api, sub: Answer, price: str | None = None, **params: object) -> Answer:
    """Ask for another price, to be applied when it is paid."""
    items = {"items": [{"id": sub["items"]["data"][0]["id"], "price": price}]} if price else {}
    wanted = {"payment_behavior": "pending_if_incomplete", "proration_behavior": "always_invoice", **items, **params}
    return ok(api, "POST", f"/v1/subscriptions/{sub['id']}", "/v1/subscriptions/{subscription_exposed_id}", **wanted)


def _waiting(api: Api, after: int = DAY, **params: object) -> tuple[str, str, Answer]:
    """A clock, a customer, and their subscription whose change to a dearer price waits for its payment."""
    clock, who = clocked(api)
    sub = subscribe(api, who, plan(api, 1000))
    _refused_card(api, who)
    advance(api, clock, NOW + after)
    return clock, who, _ask(api, sub, plan(api, 50_000), **params)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("metadata", {"a": "b"}),
        ("discounts", [{"coupon": "none"}]),
        ("cancel_at_period_end", True),
        ("cancel_at_period_end", False),
        ("cancel_at", NOW + 40 * DAY),
        ("default_payment_method", "pm_card_visa"),
        ("default_tax_rates", ""),
        ("collection_method", "charge_automatically"),
        ("description", "Plan"),
        ("off_session", True),
        ("pause_collection", ""),
        ("automatic_tax", {"enabled": False}),
    ],
)
def test_what_cannot_be_pending_is_refused_by_name(api: Api, name: str, value: object) -> None:
    _, who = clocked(api)
    path = f"/v1/subscriptions/{subscribe(api, who, plan(api))['id']}"
    refused = api.post(path, payment_behavior="pending_if_incomplete", headers=BEFORE, **{name: value})
    assert (refused.status, refused.error["message"]) == (
        400,
        "When `payment_behavior` is set to `pending_if_incomplete`, you can only pass supported params."
        f" `{name}` is not supported. See"
        " https://stripe.com/docs/billing/subscriptions/pending-updates-reference#supported-attributes for more"
        " details.",
    )


@pytest.mark.parametrize(("name", "value"), [("tax_rates", ""), ("metadata", {"a": "b"}), ("discounts", "")])
def test_what_cannot_be_pending_of_an_item_is_refused_by_name(api: Api, name: str, value: object) -> None:
    _, who = clocked(api)
    item = subscribe(api, who, plan(api))["items"]["data"][0]["id"]
    billing = {"payment_behavior": "pending_if_incomplete", name: value}
    refused = api.post(f"/v1/subscription_items/{item}", headers=BEFORE, **billing)
    assert (refused.status, f"`items[0][{name}]` is not supported" in refused.error["message"]) == (400, True)


@pytest.mark.parametrize("name", ["metadata", "discounts"])
def test_metadata_and_discounts_can_be_pending_since_may_2026(api: Api, name: str) -> None:
    """Source: the changelog of 2026-05-27 (metadata, and discounts, of pending updates)."""
    _, who = clocked(api)
    coupon = ok(api, "POST", "/v1/coupons", percent_off=50, duration="forever")["id"]
    sent = {"metadata": {"a": "b"}, "discounts": [{"coupon": coupon}]}[name]
    changed = _ask(api, subscribe(api, who, plan(api)), **{name: sent})
    assert (changed["pending_update"], bool(changed[name])) == (None, True)  # nothing had to be paid


def test_an_update_waits_until_its_invoice_is_paid(api: Api) -> None:
    _, who, waits = _waiting(api)
    item = waits["items"]["data"][0]
    assert (item["price"]["unit_amount"], waits["status"]) == (1000, "active")
    pending = waits["pending_update"]
    assert pending["subscription_items"][0]["price"]["unit_amount"] == 50_000
    assert (pending["billing_cycle_anchor"], pending["trial_end"]) == (None, None)
    again = api.post(f"/v1/invoices/{waits['latest_invoice']}/pay")
    assert (again.status, again.error["code"]) == (402, "card_declined")
    left = current(api, waits["id"])
    assert (left["status"], left["pending_update"]["expires_at"]) == ("active", pending["expires_at"])
    api.ok("post", f"/v1/invoices/{waits['latest_invoice']}/pay", payment_method=_good_card(api, who))
    applied = current(api, waits["id"])
    assert (applied["items"]["data"][0]["price"]["unit_amount"], applied["pending_update"]) == (50_000, None)
    assert len(api.events("customer.subscription.pending_update_applied")) == 1
    moves = [one["data"]["object"]["status"] for one in api.events("customer.subscription.updated")]
    assert "past_due" not in moves


@pytest.mark.parametrize("paid", [True, False])
def test_metadata_and_discounts_of_an_update_wait_with_it(api: Api, paid: bool) -> None:
    half = ok(api, "POST", "/v1/coupons", percent_off=50, duration="forever")["id"]
    _, who, waits = _waiting(api, discounts=[{"coupon": half}], metadata={"tier": "2"})
    assert (waits["discounts"], waits["metadata"]) == ([], {})
    pending = waits["pending_update"]
    assert (pending["metadata"], pending["discounts"]) == ({"tier": "2"}, [pending["discount"]["id"]])
    api.ok("post", f"/v1/subscriptions/{waits['id']}", metadata={"own": "1"})
    if paid:
        api.ok("post", f"/v1/invoices/{waits['latest_invoice']}/pay", payment_method=_good_card(api, who))
    else:
        api.ok("post", f"/v1/invoices/{waits['latest_invoice']}/void")
    after = current(api, waits["id"])
    assert after["pending_update"] is None
    assert after["discounts"] == (pending["discounts"] if paid else [])
    assert after["metadata"] == ({"own": "1", "tier": "2"} if paid else {"own": "1"})


@pytest.mark.parametrize(
    ("after", "hours"), [(DAY, 23), (31 * DAY - 30 * HOUR, 23), (31 * DAY - 23 * HOUR, 23), (31 * DAY - 5 * HOUR, 5)]
)
def test_an_update_waits_for_23_hours_or_until_the_period_ends(api: Api, after: int, hours: int) -> None:
    _, _, waits = _waiting(api, after)
    assert waits["pending_update"]["expires_at"] == NOW + after + hours * HOUR


@pytest.mark.parametrize("after", [DAY, 31 * DAY - 5 * HOUR])
def test_an_update_that_is_not_paid_in_time_is_discarded(api: Api, after: int) -> None:
    clock, _, waits = _waiting(api, after)
    invoice = waits["latest_invoice"]
    advance(api, clock, waits["pending_update"]["expires_at"] + 60)
    left = current(api, waits["id"])
    assert (left["pending_update"], left["items"]["data"][0]["price"]["unit_amount"]) == (None, 1000)
    assert api.get(f"/v1/invoices/{invoice}")["status"] == "void"
    assert len(api.events("customer.subscription.pending_update_expired")) == 1
    paid = api.post(f"/v1/invoices/{invoice}/pay")
    assert paid.status == 400


def test_voiding_its_invoice_discards_an_update(api: Api) -> None:
    _, _, waits = _waiting(api)
    api.ok("post", f"/v1/invoices/{waits['latest_invoice']}/void")
    left = current(api, waits["id"])
    assert (left["pending_update"], left["status"]) == (None, "active")
    assert api.events("customer.subscription.pending_update_expired") == []


def test_another_update_takes_the_place_of_the_one_that_waits(api: Api) -> None:
    clock, who, waits = _waiting(api)
    advance(api, clock, NOW + DAY + HOUR)
    second = _ask(api, waits, plan(api, 70_000))
    assert api.get(f"/v1/invoices/{waits['latest_invoice']}")["status"] == "void"
    assert second["pending_update"]["subscription_items"][0]["price"]["unit_amount"] == 70_000
    assert second["pending_update"]["expires_at"] == NOW + DAY + 24 * HOUR
    api.ok("post", f"/v1/invoices/{second['latest_invoice']}/pay", payment_method=_good_card(api, who))
    assert current(api, waits["id"])["items"]["data"][0]["price"]["unit_amount"] == 70_000


def test_a_new_phase_of_a_schedule_discards_an_update(api: Api) -> None:
    clock, who = clocked(api)
    made = ok(
        api,
        "POST",
        "/v1/subscription_schedules",
        customer=who,
        start_date="now",
        phases=[
            {"items": [{"price": plan(api, 1000)}], "end_date": NOW + 10 * DAY},
            {"items": [{"price": plan(api, 2000)}], "duration": {"interval": "month"}, "proration_behavior": "none"},
        ],
    )
    advance(api, clock, NOW + 2 * HOUR)
    _refused_card(api, who)
    advance(api, clock, NOW + 10 * DAY - HOUR)
    waits = _ask(api, current(api, made["subscription"]), plan(api, 50_000))
    assert waits["pending_update"] is not None
    advance(api, clock, NOW + 10 * DAY + 60)
    left = current(api, waits["id"])
    assert (left["pending_update"], left["items"]["data"][0]["price"]["unit_amount"]) == (None, 2000)
    assert api.get(f"/v1/invoices/{waits['latest_invoice']}")["status"] == "void"
    assert len(api.events("customer.subscription.pending_update_expired")) == 1
