"""Subscription schedules: changes of a subscription written down in advance, phase by phase."""

from __future__ import annotations

import pytest

from tests.payments.subscriptions.steps import DAY, advance, clocked, current, ok, plan, subscribe
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


PATH = "/v1/subscription_schedules"


def test_a_subscription_has_one_schedule(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))["id"]
    made = api.ok("POST", PATH, from_subscription=sub)
    assert (made["status"], current(api, sub)["schedule"]) == ("active", made["id"])
    assert api.post(PATH, from_subscription=sub).error["param"] == "from_subscription"


def test_a_canceled_subscription_gets_no_schedule(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))["id"]
    api.ok("DELETE", f"/v1/subscriptions/{sub}")
    assert api.post(PATH, from_subscription=sub).error["param"] == "from_subscription"


def test_a_released_subscription_goes_on_and_a_canceled_schedule_ends_it(api: Api) -> None:
    _, who = clocked(api)
    price = plan(api)
    for action, status in (("release", "active"), ("cancel", "canceled")):
        sub = subscribe(api, who, price)["id"]
        schedule = api.ok("POST", PATH, from_subscription=sub)["id"]
        api.ok("POST", f"{PATH}/{schedule}/{action}")
        assert current(api, sub)["status"] == status


@pytest.mark.parametrize("again", ["release", "cancel"])
def test_a_schedule_that_has_ended_is_not_changed_again(api: Api, again: str) -> None:
    _, who = clocked(api)
    path = f"{PATH}/{api.ok('POST', PATH, from_subscription=subscribe(api, who, plan(api))['id'])['id']}"
    api.ok("POST", f"{path}/release")
    refused = api.post(f"{path}/{again}")
    assert (refused.status, "`released` status" in refused.error["message"]) == (400, True)
    assert api.post(path, end_behavior="cancel").status == 400
    assert api.post(path, metadata={"a": "1"}).status == 200


def test_a_schedule_that_has_not_begun_is_aborted_without_a_subscription(api: Api) -> None:
    _, who = clocked(api)
    phases = [{"items": [{"price": plan(api)}], "duration": {"interval": "month", "interval_count": 1}}]
    made = api.ok("POST", PATH, customer=who, start_date=api.now + DAY, phases=phases)
    assert (made["status"], made["subscription"]) == ("not_started", None)
    assert [one["id"] for one in api.get(PATH, scheduled=True)["data"]] == [made["id"]]
    api.ok("POST", f"{PATH}/{made['id']}/cancel")
    assert len(api.events("subscription_schedule.aborted")) == 1
    assert api.get("/v1/subscriptions", customer=who, status="all")["data"] == []
