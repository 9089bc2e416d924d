"""A payment method or source that is detached or deleted is nobody's default any more."""

from __future__ import annotations

from tests.payments.subscriptions.steps import DAY, advance, clocked, current, plan, schedule, subscribe
from tests.support.api import NOW, Api


def attached(api: Api, who: str) -> str:
    return str(api.ok("POST", "/v1/payment_methods/pm_card_mastercard/attach", customer=who)["id"])


def test_a_subscription_whose_own_method_is_detached_is_renewed_with_the_customers(api: Api) -> None:
    clock, who = clocked(api)
    own = attached(api, who)
    sub = subscribe(api, who, plan(api), default_payment_method=own)
    api.ok("POST", f"/v1/payment_methods/{own}/detach")
    assert current(api, sub["id"])["default_payment_method"] is None
    assert api.events("customer.subscription.updated")[-1]["data"]["previous_attributes"] == {
        "default_payment_method": own
    }
    advance(api, clock, NOW + 32 * DAY)
    renewal = api.get("/v1/invoices", subscription=sub["id"], limit=1)["data"][0]
    assert (renewal["status"], current(api, sub["id"])["status"]) == ("paid", "active")


def test_a_subscription_whose_source_is_deleted_names_it_no_more(api: Api) -> None:
    who = clocked(api)[1]
    source = api.ok("POST", f"/v1/customers/{who}/sources", source="tok_visa")["id"]
    sub = subscribe(api, who, plan(api), default_source=source)
    api.ok("DELETE", f"/v1/customers/{who}/sources/{source}")
    assert current(api, sub["id"])["default_source"] is None


def test_a_subscription_that_has_ended_keeps_what_it_named(api: Api) -> None:
    who = clocked(api)[1]
    own = attached(api, who)
    sub = subscribe(api, who, plan(api), default_payment_method=own)
    api.ok("DELETE", f"/v1/subscriptions/{sub['id']}")
    api.ok("POST", f"/v1/payment_methods/{own}/detach")
    assert current(api, sub["id"])["default_payment_method"] == own


def test_a_phase_whose_method_is_detached_begins_without_it(api: Api) -> None:
    clock, who = clocked(api)
    own = attached(api, who)
    planned = {"items": [{"price": plan(api)}]}
    made = schedule(
        api,
        who,
        planned,
        {**planned, "default_payment_method": own},
        default_settings={"default_payment_method": own},
    )
    api.ok("POST", f"/v1/payment_methods/{own}/detach")
    changed = api.get(f"/v1/subscription_schedules/{made['id']}")
    named = [one["default_payment_method"] for one in (changed["default_settings"], *changed["phases"])]
    assert named == [None, None, None]
    advance(api, clock, NOW + 32 * DAY)
    invoices = api.get("/v1/invoices", subscription=made["subscription"])["data"]
    assert [invoice["status"] for invoice in invoices] == ["paid", "paid"]
