"""What time does to subscriptions, schedules, quotes and meters; every answer held against the published document."""

from __future__ import annotations

from tests.support.api import NOW, Answer, Api
from tests.support.openapi import assert_valid

DAY = 86_400


def ok(api: Api, method: str, path: str, template: str | None = None, **params: object) -> Answer:
    answer = api.ok(method.lower(), path, **params)
    assert_valid(method, template or path, 200, dict(answer))
    return answer


def plan(api: Api, amount: int = 1000, **recurring: object) -> str:
    product = ok(api, "POST", "/v1/products", name="Plan")
    made = ok(
        api,
        "POST",
        "/v1/prices",
        product=product["id"],
        unit_amount=amount,
        currency="usd",
        recurring={"interval": "month", **recurring},
    )
    return str(made["id"])


def clocked(api: Api, card: str | None = "pm_card_visa") -> tuple[str, str]:
    clock = ok(api, "POST", "/v1/test_helpers/test_clocks", frozen_time=NOW)["id"]
    saved = {"payment_method": card, "invoice_settings": {"default_payment_method": card}} if card else {}
    return clock, ok(api, "POST", "/v1/customers", email="a@example.com", test_clock=clock, **saved)["id"]


def advance(api: Api, clock: str, to: int) -> None:
    ok(
        api,
        "POST",
        f"/v1/test_helpers/test_clocks/{clock}/advance",
        "/v1/test_helpers/test_clocks/{test_clock}/advance",
        frozen_time=to,
    )
    api.advance(1)
    assert api.get(f"/v1/test_helpers/test_clocks/{clock}")["status"] == "ready"


def subscribe(api: Api, who: str, price: str, **params: object) -> Answer:
    return ok(api, "POST", "/v1/subscriptions", customer=who, items=[{"price": price}], **params)


def current(api: Api, id: str) -> Answer:
    return ok(api, "GET", f"/v1/subscriptions/{id}", "/v1/subscriptions/{subscription_exposed_id}")


def test_a_renewal_is_a_draft_for_an_hour_and_then_paid(api: Api) -> None:
    clock, who = clocked(api)
    sub = subscribe(api, who, plan(api))
    end = sub["items"]["data"][0]["current_period_end"]
    advance(api, clock, end + 60)
    renewal = api.get("/v1/invoices", subscription=sub["id"])["data"][0]
    assert (renewal["status"], renewal["billing_reason"], renewal["automatically_finalizes_at"]) == (
        "draft",
        "subscription_cycle",
        end + 3600,
    )
    advance(api, clock, end + 3601)
    assert api.get(f"/v1/invoices/{renewal['id']}")["status"] == "paid"
    assert current(api, sub["id"])["items"]["data"][0]["current_period_start"] == end


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


def test_cancel_at_period_end_ends_it_then_and_bills_nothing_more(api: Api) -> None:
    clock, who = clocked(api)
    sub = subscribe(api, who, plan(api))
    end = sub["items"]["data"][0]["current_period_end"]
    leaving = api.ok("post", f"/v1/subscriptions/{sub['id']}", cancel_at_period_end=True)
    assert (leaving["status"], leaving["cancel_at"]) == ("active", end)
    advance(api, clock, end + 1)
    assert current(api, sub["id"])["status"] == "canceled"
    assert len(api.get("/v1/invoices", subscription=sub["id"])["data"]) == 1


def test_a_trial_warns_three_days_before_and_then_bills(api: Api) -> None:
    clock, who = clocked(api)
    sub = subscribe(api, who, plan(api), trial_period_days=10)
    advance(api, clock, NOW + 8 * DAY)
    assert len(api.events("customer.subscription.trial_will_end")) == 1
    advance(api, clock, NOW + 10 * DAY + 3700)
    assert current(api, sub["id"])["status"] == "active"
    assert api.get("/v1/invoices", subscription=sub["id"])["data"][0]["amount_paid"] == 1000


def test_a_schedule_changes_the_quantity_at_its_second_phase_and_completes(api: Api) -> None:
    clock, who = clocked(api)
    price = plan(api)
    phases = [{"items": [{"price": price, "quantity": 1}]}, {"items": [{"price": price, "quantity": 3}]}]
    schedule = ok(
        api, "POST", "/v1/subscription_schedules", customer=who, start_date="now", phases=phases, end_behavior="release"
    )
    second = schedule["phases"][1]
    advance(api, clock, second["start_date"] + 4000)
    assert current(api, schedule["subscription"])["quantity"] == 3
    assert api.get("/v1/invoices", subscription=schedule["subscription"])["data"][0]["total"] == 3000
    assert api.get("/v1/invoiceitems", customer=who)["data"] == []
    advance(api, clock, second["end_date"] + 10)
    done = ok(api, "GET", f"/v1/subscription_schedules/{schedule['id']}", "/v1/subscription_schedules/{schedule}")
    assert done["status"] == "completed"


def test_an_accepted_quote_becomes_a_subscription(api: Api) -> None:
    _, who = clocked(api)
    quote = ok(api, "POST", "/v1/quotes", customer=who, line_items=[{"price": plan(api), "quantity": 2}])
    assert quote["computed"]["recurring"]["amount_total"] == 2000
    ok(api, "POST", f"/v1/quotes/{quote['id']}/finalize", "/v1/quotes/{quote}/finalize")
    accepted = ok(api, "POST", f"/v1/quotes/{quote['id']}/accept", "/v1/quotes/{quote}/accept")
    assert accepted["status"] == "accepted"
    assert current(api, accepted["subscription"])["quantity"] == 2


def test_a_meter_bills_what_its_events_add_up_to(api: Api) -> None:
    clock, who = clocked(api)
    meter = ok(
        api,
        "POST",
        "/v1/billing/meters",
        display_name="Calls",
        event_name="calls",
        default_aggregation={"formula": "sum"},
    )
    price = plan(api, 5, usage_type="metered", meter=meter["id"])
    sub = subscribe(api, who, price)
    for value, identifier in ((30, "a"), (12, "b")):
        ok(
            api,
            "POST",
            "/v1/billing/meter_events",
            event_name="calls",
            payload={"stripe_customer_id": who, "value": value},
            identifier=identifier,
        )
    again = api.post(
        "/v1/billing/meter_events", event_name="calls", payload={"stripe_customer_id": who, "value": 1}, identifier="a"
    )
    assert again.status == 400
    end = sub["items"]["data"][0]["current_period_end"]
    advance(api, clock, end + 10)
    assert api.get("/v1/invoices", subscription=sub["id"])["data"][0]["total"] == 42 * 5


def test_a_preview_tells_what_a_change_would_bill_and_stores_nothing(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))
    item = sub["items"]["data"][0]["id"]
    before = len(api.get("/v1/invoices")["data"])
    seen = ok(
        api,
        "POST",
        "/v1/invoices/create_preview",
        subscription=sub["id"],
        subscription_details={"items": [{"id": item, "quantity": 2}]},
    )
    assert seen["total"] == 2000 + 1000
    old = api.get("/v1/invoices/upcoming", customer=who, headers={"Stripe-Version": "2020-08-27"})
    assert (old["total"], old["subscription"]) == (1000, sub["id"])
    assert len(api.get("/v1/invoices")["data"]) == before


def test_a_clock_that_advances_lets_nothing_of_it_be_changed(api: Api) -> None:
    clock, who = clocked(api)
    price = plan(api)
    api.ok("post", f"/v1/test_helpers/test_clocks/{clock}/advance", frozen_time=NOW + DAY)
    refused = api.post("/v1/subscriptions", customer=who, items=[{"price": price}])
    assert refused.status == 429
    assert refused.error["message"].startswith("Test clock advancement underway")
    api.advance(1)
    subscribe(api, who, price)
