"""Subscription schedules: changes of a subscription written down in advance, phase by phase."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.subscriptions.steps import DAY, advance, clocked, current, customer, ok, plan, schedule, subscribe
from tests.support.api import NOW, Answer, Api


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("billing_mode", {"type": "flexible"}),
        ("customer", "theirs"),
        ("default_settings", {"description": "Plan"}),
        ("end_behavior", "cancel"),
        ("metadata", {"a": "b"}),
        ("phases", "theirs"),
        ("start_date", "now"),
    ],
)
def test_a_schedule_made_from_a_subscription_takes_nothing_else(api: Api, name: str, value: object) -> None:
    _, who = clocked(api)
    price = plan(api)
    sub = subscribe(api, who, price)["id"]
    theirs = {"customer": who, "phases": [{"items": [{"price": price}]}]}
    refused = api.post(PATH, from_subscription=sub, **{name: theirs[name] if value == "theirs" else value})
    assert (refused.status, refused.error["message"]) == (
        400,
        f"You may only specify one of these parameters: from_subscription, {name}.",
    )
    assert api.ok("POST", PATH, from_subscription=sub, expand=["subscription"])["subscription"]["id"] == sub


@pytest.mark.parametrize("waits", [True, False], ids=["not started", "active"])
def test_the_phases_of_a_change_say_when_they_begin(api: Api, waits: bool) -> None:
    _, who = clocked(api)
    items = [{"price": plan(api)}]
    month = {"interval": "month", "interval_count": 1}
    begins = NOW + DAY if waits else "now"
    phases = [{"items": items, "duration": month}]
    made = api.ok("POST", PATH, customer=who, start_date=begins, phases=phases)
    refused = api.post(f"{PATH}/{made['id']}", phases=phases)
    assert (refused.status, refused.error["message"]) == (
        400,
        "The subscription schedule update is missing at least one phase with a `start_date` to anchor end dates to.",
    )
    anchored = [{**phases[0], "start_date": made["phases"][0]["start_date"]}]
    assert api.ok("POST", f"{PATH}/{made['id']}", phases=anchored)["phases"][0]["start_date"] == (
        NOW + DAY if waits else NOW
    )


def _managed(api: Api) -> tuple[str, Answer]:
    """The clock of a customer, and the schedule that manages their subscription."""
    clock, who = clocked(api)
    sub = subscribe(api, who, plan(api))
    return clock, ok(api, "POST", "/v1/subscription_schedules", from_subscription=sub["id"])


@pytest.mark.parametrize(
    "params",
    [
        {"cancel_at_period_end": True},
        {"cancel_at_period_end": False},
        {"cancel_at": NOW + 40 * DAY},
        {"cancel_at": ""},
    ],
    ids=str,
)
def test_a_schedule_alone_says_when_its_subscription_is_canceled(api: Api, params: dict[str, object]) -> None:
    _, managed = _managed(api)
    refused = api.post(f"/v1/subscriptions/{managed['subscription']}", **params)
    assert refused.status == 400
    assert refused.error["message"] == (
        f"The subscription is managed by the subscription schedule `{managed['id']}`, and updating any cancelation"
        " behavior directly is not allowed. Please update the schedule instead."
    )


def test_old_versions_cannot_cancel_a_managed_subscription_at_the_end_of_its_period(api: Api) -> None:
    _, managed = _managed(api)
    path = f"/v1/subscriptions/{managed['subscription']}"
    refused = api.delete(path, at_period_end=True, headers={"Stripe-Version": "2017-06-05"})
    assert (refused.status, "is managed by the subscription schedule" in refused.error["message"]) == (400, True)


@pytest.mark.parametrize(
    "params",
    [{"metadata": {"a": "b"}}, {"description": "Plan"}, {"days_until_due": 3, "collection_method": "send_invoice"}],
)
def test_all_else_of_a_managed_subscription_may_be_changed(api: Api, params: dict[str, object]) -> None:
    _, managed = _managed(api)
    assert api.post(f"/v1/subscriptions/{managed['subscription']}", **params).status == 200


def test_a_managed_subscription_may_be_canceled_at_once(api: Api) -> None:
    _, managed = _managed(api)
    assert api.delete(f"/v1/subscriptions/{managed['subscription']}")["status"] == "canceled"
    assert api.get(f"/v1/subscription_schedules/{managed['id']}")["status"] == "canceled"


def test_a_schedule_that_cancels_at_its_end_gives_its_subscription_that_date(api: Api) -> None:
    clock, managed = _managed(api)
    path, sub = f"/v1/subscription_schedules/{managed['id']}", managed["subscription"]
    end = managed["phases"][0]["end_date"]
    api.ok("post", path, end_behavior="cancel")
    leaving = current(api, sub)
    assert (leaving["cancel_at"], leaving["canceled_at"], leaving["cancel_at_period_end"]) == (end, NOW, False)
    api.ok("post", path, end_behavior="release")
    assert (current(api, sub)["cancel_at"], current(api, sub)["canceled_at"]) == (None, None)
    api.ok("post", path, end_behavior="cancel")
    advance(api, clock, end + 60)
    assert (current(api, sub)["status"], current(api, sub)["ended_at"]) == ("canceled", end)
    assert api.get(path)["status"] == "completed"


def test_the_date_moves_with_the_last_phase_of_the_schedule(api: Api) -> None:
    _, who = clocked(api)
    made = schedule(api, who, {"items": [{"price": plan(api)}]}, end_behavior="cancel")
    first = made["phases"][0]
    assert current(api, made["subscription"])["cancel_at"] == first["end_date"]
    later = first["end_date"] + 40 * DAY
    phase = {"items": [{"price": first["items"][0]["price"]}], "start_date": first["start_date"], "end_date": later}
    api.ok("post", f"/v1/subscription_schedules/{made['id']}", phases=[phase])
    assert current(api, made["subscription"])["cancel_at"] == later


@pytest.mark.parametrize("kept", [True, False])
def test_a_released_subscription_keeps_its_date_when_asked_to(api: Api, kept: bool) -> None:
    clock, who = clocked(api)
    made = schedule(api, who, {"items": [{"price": plan(api)}]}, end_behavior="cancel")
    end = made["phases"][0]["end_date"]
    api.ok("post", f"/v1/subscription_schedules/{made['id']}/release", preserve_cancel_date=kept)
    assert current(api, made["subscription"])["cancel_at"] == (end if kept else None)
    advance(api, clock, end + 60)
    assert current(api, made["subscription"])["status"] == ("canceled" if kept else "active")


def test_a_schedule_made_from_a_subscription_that_is_to_end_ends_it_at_the_same_time(api: Api) -> None:
    clock, who = clocked(api)
    sub = subscribe(api, who, plan(api), cancel_at=NOW + 10 * DAY)
    made = ok(api, "POST", "/v1/subscription_schedules", from_subscription=sub["id"])
    assert (made["end_behavior"], made["phases"][-1]["end_date"]) == ("cancel", NOW + 10 * DAY)
    assert current(api, sub["id"])["cancel_at"] == NOW + 10 * DAY
    advance(api, clock, NOW + 11 * DAY)
    assert current(api, sub["id"])["status"] == "canceled"


def test_pause_schedules_are_refused_in_words(api: Api) -> None:
    _, who = clocked(api)
    pauses = [{"pause_at": {"type": "now"}}]
    phases = [{"items": [{"price": plan(api)}], "duration": {"interval": "month", "interval_count": 1}}]
    refused = api.post(PATH, customer=who, start_date="now", phases=phases, pause_schedules=pauses)
    assert (refused.status, refused.error["param"]) == (400, "pause_schedules")
    assert "not available on this server" in refused.error["message"]


def test_a_schedule_shows_discounts_of_prorations_as_it_is_told(api: Api) -> None:
    mode: dict[str, Any] = {"type": "flexible", "flexible": {"proration_discounts": "itemized"}}
    phases = [{"items": [{"price": plan(api)}], "duration": {"interval": "month"}}]
    told = {"customer": customer(api), "start_date": "now", "phases": phases}
    made = api.ok("POST", "/v1/subscription_schedules", **told, billing_mode=mode)
    assert made["billing_mode"]["flexible"] == {"proration_discounts": "itemized"}
    refused = api.post("/v1/subscription_schedules", **told, billing_mode={**mode, "type": "classic"})
    assert (refused.status, refused.error["param"]) == (400, "billing_mode[flexible]")
