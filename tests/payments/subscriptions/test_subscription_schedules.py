"""Subscription schedules: changes of a subscription written down in advance, phase by phase."""

from __future__ import annotations

from tests.payments.subscriptions.steps import advance, clocked, current, ok, plan
from tests.support.api import Api


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
