"""What paid and unpaid invoices make of a subscription: active, past due, unpaid or canceled."""

from __future__ import annotations

import pytest

from tests.payments.invoices.steps import exhausted
from tests.payments.subscriptions.steps import DAY, advance, clocked, current, plan, subscribe
from tests.support.api import NOW, Api


def test_paying_the_latest_invoice_makes_an_unpaid_subscription_active(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, who, sub = exhausted(api, monkeypatch, "unpaid")
    good = api.ok("post", "/v1/payment_methods/pm_card_visa/attach", customer=who)["id"]
    api.ok("post", f"/v1/invoices/{sub['latest_invoice']}/pay", payment_method=good)
    assert current(api, sub["id"])["status"] == "active"
    moves = [
        event["data"]["previous_attributes"].get("status") for event in api.events("customer.subscription.updated")
    ]
    assert [move for move in moves if move] == ["incomplete", "active", "past_due", "unpaid"]


FEBRUARY, MARCH = NOW + 31 * DAY, NOW + 59 * DAY


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


def test_a_card_that_fails_makes_it_past_due_and_the_last_attempt_cancels_it(api: Api) -> None:
    clock, who = clocked(api)
    sub = subscribe(api, who, plan(api))
    bad = api.ok("post", "/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=who)["id"]
    api.ok("post", f"/v1/customers/{who}", invoice_settings={"default_payment_method": bad})
    end = sub["items"]["data"][0]["current_period_end"]
    advance(api, clock, end + 2 * 3600)
    assert current(api, sub["id"])["status"] == "past_due"
    advance(api, clock, end + 16 * DAY)
    ended = current(api, sub["id"])
    assert (ended["status"], ended["cancellation_details"]["reason"]) == ("canceled", "payment_failed")
    assert len(api.events("invoice.payment_failed")) == 4


def upcoming(api: Api) -> list[int]:
    """When the periods end that ``invoice.upcoming`` announced, oldest first."""
    events = api.ok("GET", "/v1/events", type="invoice.upcoming", limit=100)["data"]
    return [event["data"]["object"]["period_end"] for event in reversed(events)]


@pytest.mark.parametrize("path", ["/v1/subscriptions/{sub}", "/v1/customers/{who}"])
def test_a_subscription_whose_first_invoice_was_not_paid_expires_however_it_ends(api: Api, path: str) -> None:
    who = clocked(api, "pm_card_chargeCustomerFail")[1]
    sub = subscribe(api, who, plan(api))
    api.ok("delete", path.format(sub=sub["id"], who=who))
    ended = current(api, sub["id"])
    assert (ended["status"], ended["canceled_at"], ended["ended_at"]) == ("incomplete_expired", NOW, NOW)
    assert api.get(f"/v1/invoices/{sub['latest_invoice']}")["status"] == "void"
    (intent,) = api.get("/v1/payment_intents")["data"]
    assert (intent["status"], intent["cancellation_reason"]) == ("canceled", "void_invoice")
    assert api.events("customer.subscription.deleted") == []
    (event,) = api.events("customer.subscription.updated")
    assert event["data"]["object"]["status"] == "incomplete_expired"


def test_a_paid_update_from_a_month_to_a_year_announces_the_new_year_and_not_the_old_month(api: Api) -> None:
    clock, who = clocked(api)
    month, year = plan(api, 1000), plan(api, 10_000, interval="year")
    subscription = subscribe(api, who, month)
    bad = api.ok("POST", "/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=who)["id"]
    item = subscription["items"]["data"][0]["id"]
    api.ok("POST", f"/v1/customers/{who}", invoice_settings={"default_payment_method": bad})
    waits = api.ok(
        "POST",
        f"/v1/subscriptions/{subscription['id']}",
        items=[{"id": item, "price": year}],
        payment_behavior="pending_if_incomplete",
        proration_behavior="always_invoice",
    )
    assert waits["pending_update"] is not None
    good = api.ok("POST", "/v1/payment_methods/pm_card_visa/attach", customer=who)["id"]
    api.ok("POST", f"/v1/customers/{who}", invoice_settings={"default_payment_method": good})
    api.ok("POST", f"/v1/invoices/{waits['latest_invoice']}/pay")
    applied = current(api, subscription["id"])
    assert applied["pending_update"] is None
    end = applied["items"]["data"][0]["current_period_end"]
    assert end > NOW + 360 * DAY
    advance(api, clock, NOW + 40 * DAY)
    assert upcoming(api) == []
    advance(api, clock, end - 6 * DAY)
    assert len(upcoming(api)) == 1


def test_a_pending_update_of_a_canceled_subscription_is_not_applied_when_its_invoice_is_paid(api: Api) -> None:
    _, who = clocked(api)
    subscription = subscribe(api, who, plan(api, 1000))
    bad = api.ok("POST", "/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=who)["id"]
    api.ok("POST", f"/v1/customers/{who}", invoice_settings={"default_payment_method": bad})
    waits = api.ok(
        "POST",
        f"/v1/subscriptions/{subscription['id']}",
        items=[{"id": subscription["items"]["data"][0]["id"], "price": plan(api, 5000)}],
        payment_behavior="pending_if_incomplete",
        proration_behavior="always_invoice",
    )
    assert waits["pending_update"] is not None
    api.ok("DELETE", f"/v1/subscriptions/{subscription['id']}")
    good = api.ok("POST", "/v1/payment_methods/pm_card_visa/attach", customer=who)["id"]
    paid = api.ok("POST", f"/v1/invoices/{waits['latest_invoice']}/pay", payment_method=good)
    assert paid["status"] == "paid"
    assert current(api, subscription["id"])["status"] == "canceled"


@pytest.mark.parametrize(
    ("account", "canceled", "ends"),
    [
        ("success", False, ("paid", "active")),
        ("success", True, ("paid", "incomplete_expired")),
        ("processing", False, ("open", "incomplete")),
        ("processing", True, ("open", "incomplete_expired")),
    ],
)
def test_no_invoice_is_voided_while_its_debit_is_under_way(
    api: Api, account: str, canceled: bool, ends: tuple[str, str]
) -> None:
    who = api.ok("post", "/v1/customers", email="a@example.com")["id"]
    accepted = {"mandate_data": {"customer_acceptance": {"type": "offline"}}, "confirm": True}
    saving = {"payment_method": f"pm_usBankAccount_{account}", "allowed_payment_method_types": ["us_bank_account"]}
    bank = api.ok("post", "/v1/setup_intents", customer=who, **saving, **accepted)["payment_method"]
    sub = subscribe(api, who, plan(api), default_payment_method=bank)
    (intent,) = api.get("/v1/payment_intents", customer=who)["data"]
    assert (sub["status"], intent["status"]) == ("incomplete", "processing")
    if canceled:
        api.ok("delete", f"/v1/subscriptions/{sub['id']}")
    api.advance(10 * DAY)
    invoice = api.get(f"/v1/invoices/{sub['latest_invoice']}")
    assert (invoice["status"], current(api, sub["id"])["status"]) == ends
