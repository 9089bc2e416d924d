"""Subscription schedules at work: phases one after another, each changing the subscription when its time has come."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.subscriptions.steps import DAY, advance, clocked, current, ok, plan, schedule, totals
from tests.support.api import NOW, Api
from tests.support.connected import connected

AUSTIN = {"country": "US", "postal_code": "78701", "state": "TX"}
FEBRUARY, MARCH = NOW + 31 * DAY, NOW + 59 * DAY


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


def test_the_automatic_tax_of_a_phase_or_else_of_the_defaults_is_that_of_the_subscription(api: Api) -> None:
    clock, who = clocked(api)
    api.ok("post", f"/v1/customers/{who}", address=AUSTIN)
    items = [{"price": plan(api)}]
    on, account = {"enabled": True}, {"type": "account", "account": api.account}
    made = schedule(
        api,
        who,
        {"items": items},
        {"items": items, "automatic_tax": {"enabled": False}},
        {"items": items, "automatic_tax": {**on, "liability": account}},
        default_settings={"automatic_tax": on},
    )
    assert made["default_settings"]["automatic_tax"]["liability"] == {"type": "self"}
    assert ["automatic_tax" in phase for phase in made["phases"]] == [False, True, True]
    seen = []
    for at in (NOW + 1, FEBRUARY + 4000, MARCH + 4000):
        advance(api, clock, at)
        seen.append(current(api, made["subscription"])["automatic_tax"])
    assert [(tax["enabled"], tax["liability"]) for tax in seen] == [
        (True, {"type": "self"}), (False, None), (True, account),
    ]  # fmt: skip


def test_an_adopted_subscription_keeps_its_automatic_tax(api: Api) -> None:
    _, who = clocked(api)
    api.ok("post", f"/v1/customers/{who}", address=AUSTIN)
    items = [{"price": plan(api)}]
    sub = api.ok("post", "/v1/subscriptions", customer=who, items=items, automatic_tax={"enabled": True})["id"]
    made = api.ok("post", "/v1/subscription_schedules", from_subscription=sub)
    first = made["phases"][0]
    phases = [
        {"items": [{**items[0], "quantity": 2}], "start_date": first["start_date"], "end_date": first["end_date"]}
    ]
    api.ok("post", f"/v1/subscription_schedules/{made['id']}", phases=phases)
    assert current(api, sub)["automatic_tax"]["enabled"] is True


def test_the_invoices_of_a_phase_name_its_tax_ids_and_its_issuer_or_those_of_the_schedule(api: Api) -> None:
    account = connected(api)["id"]
    issuer = {"type": "account", "account": account}
    own, usual = (
        api.ok("POST", "/v1/tax_ids", type="eu_vat", value=value, owner={"type": "self"})["id"]
        for value in ("DE123456789", "DE987654321")
    )
    for named, shown in (({"account_tax_ids": [own]}, own), ({"days_until_due": 5}, usual)):
        _, who = clocked(api)
        phase = {"items": [{"price": plan(api)}], "invoice_settings": named}
        defaults = {"invoice_settings": {"account_tax_ids": [usual], "issuer": issuer}}
        made = schedule(api, who, phase, default_settings=defaults)
        assert made["phases"][0]["invoice_settings"]["account_tax_ids"] == named.get("account_tax_ids")
        subscription = api.get(f"/v1/subscriptions/{made['subscription']}", expand=["latest_invoice"])
        for one in (subscription["invoice_settings"], subscription["latest_invoice"]):
            assert (one["account_tax_ids"], one["issuer"]["account"]) == ([shown], account)


MID = NOW + 10 * DAY


def _billed_at_once(api: Api, amount: int, which: str) -> dict[str, Any]:
    """A phase in the middle of a period that bills this price at once."""
    at_once = (
        {"proration_behavior": "always_invoice"} if which == "proration" else {"billing_cycle_anchor": "phase_start"}
    )
    return {"items": [{"price": plan(api, amount)}], **at_once}


@pytest.mark.parametrize("which", ["proration", "anchor"])
def test_a_phase_that_cannot_be_paid_begins_all_the_same(api: Api, which: str) -> None:
    clock, who = clocked(api)
    first = {"items": [{"price": plan(api)}], "duration": {"interval": "day", "interval_count": 10}}
    made = schedule(api, who, first, _billed_at_once(api, 5_000, which))
    advance(api, clock, NOW + 2 * DAY)
    for method in api.get(f"/v1/customers/{who}/payment_methods")["data"]:
        api.ok("post", f"/v1/payment_methods/{method['id']}/detach")
    advance(api, clock, MID + 1)
    sub = current(api, made["subscription"])
    invoice = api.get(f"/v1/invoices/{sub['latest_invoice']}")
    assert (sub["status"], invoice["status"], invoice["billing_reason"]) == ("past_due", "open", "subscription_update")
    assert api.events("invoice.payment_failed")[-1]["data"]["object"]["id"] == invoice["id"]
    phase = api.get(f"/v1/subscription_schedules/{made['id']}")["current_phase"]
    assert phase["start_date"] == MID


def test_a_phase_whose_invoice_cannot_be_finalized_begins_all_the_same(api: Api) -> None:
    clock, who = clocked(api)
    first = {"items": [{"price": plan(api)}], "duration": {"interval": "day", "interval_count": 10}}
    second = _billed_at_once(api, 99_999_999, "proration")
    second["items"] += [{"price": plan(api, 99_999_999)}, {"price": plan(api, 99_999_999)}]
    made = schedule(api, who, first, second)
    advance(api, clock, MID + 1)
    sub = current(api, made["subscription"])
    invoice = api.get(f"/v1/invoices/{sub['latest_invoice']}")
    assert (sub["status"], invoice["status"]) == ("active", "draft")
    assert invoice["last_finalization_error"]["message"] == "Amount must be no more than $999,999.99"


def test_a_phase_adds_nothing_recurring_to_its_first_invoice(api: Api) -> None:
    phase = {"items": [{"price": plan(api)}], "duration": {"interval": "month"}}
    added = {**phase, "add_invoice_items": [{"price": plan(api)}]}
    sent = {"customer": clocked(api)[1], "start_date": "now", "phases": [phase, added]}
    refused = api.post("/v1/subscription_schedules", **sent)
    assert (refused.status, refused.error["param"]) == (400, "phases[1][add_invoice_items][0][price]")


def test_a_schedule_that_waits_is_canceled_with_its_customer(api: Api) -> None:
    clock, who = clocked(api)
    phases = [{"items": [{"price": plan(api)}], "duration": {"interval": "month"}}]
    made = ok(api, "POST", "/v1/subscription_schedules", customer=who, start_date=MID, phases=phases)
    api.ok("delete", f"/v1/customers/{who}")
    ended = api.get(f"/v1/subscription_schedules/{made['id']}")
    assert (ended["status"], ended["canceled_at"]) == ("canceled", NOW)
    assert [event["data"]["object"]["id"] for event in api.events("subscription_schedule.canceled")] == [made["id"]]
    advance(api, clock, MID + 1)
    assert api.get("/v1/subscriptions", status="all")["data"] == []
