"""Pausing a subscription on request, and resuming it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.subscriptions.steps import DAY, advance, clocked, current, metered, plan, subscribe, totals, use
from tests.support.api import NOW, Answer, Api

HALF = NOW + 31 * DAY // 2  # of the first month
MONTH = NOW + 31 * DAY


def half_used(api: Api, **params: Any) -> tuple[str, str, Answer]:
    """Clock, customer and a monthly subscription of 10.00 whose first period is half over."""
    clock, who = clocked(api)
    sub = subscribe(api, who, plan(api), **params)
    advance(api, clock, HALF)
    return clock, who, sub


def pause(api: Api, sub: str, **params: Any) -> Answer:
    path = f"/v1/subscriptions/{sub}/pause"
    return api.ok("POST", path, **params)


def pending(api: Api, who: str) -> list[int]:
    return [one["amount"] for one in api.get("/v1/invoiceitems", customer=who, pending=True)["data"]]


def test_a_paused_subscription_says_why_and_since_when(api: Api) -> None:
    _, _, sub = half_used(api)
    paused = pause(api, sub["id"], type="subscription")
    assert (paused["status"], paused["status_details"]) == (
        "paused",
        {"paused": {"subscription": {"type": "pause_requested"}, "transitioned_at": HALF, "type": "subscription"}},
    )
    kinds = [event["type"] for event in api.events("customer.subscription.*")]
    assert {"customer.subscription.paused", "customer.subscription.updated"} <= set(kinds)
    assert "status_details" not in sub


SUCCESS = {"payment_behavior": "resume_on_payment_success"}


@pytest.mark.parametrize(
    ("bill_for", "credits"),
    [
        ({}, [-500]),
        ({"unused_time_from": {"type": "now"}}, [-500]),
        ({"unused_time_from": {"type": "item_current_period_start"}}, [-1000]),
        ({"unused_time_from": {"type": "none"}}, []),
    ],
)
def test_the_unused_time_is_credited_as_bill_for_says(api: Api, bill_for: dict[str, Any], credits: list[int]) -> None:
    _, who, sub = half_used(api)
    pause(api, sub["id"], **({"bill_for": bill_for} if bill_for else {}))
    assert pending(api, who) == credits
    assert totals(api, sub["id"]) == [1000]


def test_with_invoice_the_credit_is_billed_at_once(api: Api) -> None:
    _, who, sub = half_used(api)
    pause(api, sub["id"], invoicing_behavior="invoice")
    assert (pending(api, who), totals(api, sub["id"])) == ([], [1000, -500])
    assert api.get(f"/v1/customers/{who}")["balance"] == -500


@pytest.mark.parametrize(
    ("given", "amounts"),
    [({}, [35]), ({"bill_for": {"outstanding_usage_through": {"type": "none"}}}, [])],
)
def test_usage_is_billed_until_now_unless_bill_for_says_none(
    api: Api, given: dict[str, Any], amounts: list[int]
) -> None:
    clock, who, sub = metered(api)
    use(api, who, 7)
    advance(api, clock, HALF)
    pause(api, sub["id"], **given)
    assert pending(api, who) == amounts


def test_it_makes_no_invoices_until_it_is_resumed_and_then_begins_anew(api: Api) -> None:
    clock, _, sub = half_used(api)
    pause(api, sub["id"], bill_for={"unused_time_from": {"type": "none"}})
    advance(api, clock, NOW + 50 * DAY)
    assert totals(api, sub["id"]) == [1000]
    resumed = api.ok("POST", f"/v1/subscriptions/{sub['id']}/resume", billing_cycle_anchor={"type": "now"}, **SUCCESS)
    assert (resumed["status"], resumed["billing_cycle_anchor"]) == ("active", NOW + 50 * DAY)
    assert "status_details" not in resumed
    assert totals(api, sub["id"]) == [1000, 1000]


def test_resuming_waits_for_the_payment_of_its_invoice_which_is_not_attempted(api: Api) -> None:
    clock, _, sub = half_used(api)
    pause(api, sub["id"])
    path = f"/v1/subscriptions/{sub['id']}"
    resumed = api.ok("POST", path + "/resume", billing_cycle_anchor={"type": "now"})
    invoice = api.get(f"/v1/invoices/{resumed['latest_invoice']}")
    assert (resumed["status"], invoice["status"], invoice["attempted"]) == ("paused", "open", False)
    advance(api, clock, HALF + 22 * 3_600)
    assert current(api, sub["id"])["status"] == "paused"
    api.ok("POST", f"/v1/invoices/{invoice['id']}/pay")
    assert current(api, sub["id"])["status"] == "active"
    assert len(api.events("customer.subscription.resumed")) == 1
    advance(api, clock, NOW + 60 * DAY)
    assert totals(api, sub["id"]) == [1000, 500, 1000]  # it renews


def test_only_the_last_invoice_of_a_resumption_resumes_it_also_when_it_is_written_off(api: Api) -> None:
    _, _, sub = half_used(api)
    pause(api, sub["id"])
    path = f"/v1/subscriptions/{sub['id']}"
    first, second = (
        api.ok("POST", path + "/resume", billing_cycle_anchor={"type": "now"})["latest_invoice"] for _ in range(2)
    )
    assert (api.get(f"/v1/invoices/{first}")["status"], current(api, sub["id"])["status"]) == ("void", "paused")
    api.ok("POST", f"/v1/invoices/{second}/void")
    assert current(api, sub["id"])["status"] == "paused"
    third = api.ok("POST", path + "/resume", billing_cycle_anchor={"type": "now"})["latest_invoice"]
    api.ok("POST", f"/v1/invoices/{third}/mark_uncollectible")
    resumed = current(api, sub["id"])
    assert (resumed["status"], "status_details" in resumed) == ("active", False)


def test_a_failed_payment_of_a_resumption_leaves_it_past_due_or_paused(api: Api) -> None:
    for behavior, status, retried in (({}, "past_due", False), (SUCCESS, "paused", True)):
        _, who, sub = half_used(api)
        pause(api, sub["id"])
        failing = api.ok("POST", "/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=who)["id"]
        api.ok("POST", f"/v1/subscriptions/{sub['id']}", default_payment_method=failing)
        resumed = api.ok(
            "POST", f"/v1/subscriptions/{sub['id']}/resume", billing_cycle_anchor={"type": "now"}, **behavior
        )
        path = f"/v1/invoices/{resumed['latest_invoice']}"
        if not behavior:
            assert api.post(path + "/pay").status == 402
        assert current(api, sub["id"])["status"] == status
        assert (api.get(path)["next_payment_attempt"] is not None) == retried


def test_payment_is_attempted_at_once_with_flexible_billing_only(api: Api) -> None:
    clock, who = clocked(api, None)
    settings = {"end_behavior": {"missing_payment_method": "pause"}}
    classic = {"billing_mode": {"type": "classic"}, "trial_settings": settings, "trial_period_days": 10}
    sub = subscribe(api, who, plan(api), **classic)["id"]
    advance(api, clock, NOW + 10 * DAY + 4_000)
    refused = api.post(f"/v1/subscriptions/{sub}/resume", **SUCCESS)
    assert (refused.status, refused.error["param"]) == (400, "payment_behavior")


def test_resumed_with_its_anchor_unchanged_it_debits_the_rest_of_its_period(api: Api) -> None:
    _, who, sub = half_used(api)
    pause(api, sub["id"])
    resumed = api.ok("POST", f"/v1/subscriptions/{sub['id']}/resume", billing_cycle_anchor={"type": "unchanged"})
    assert (resumed["status"], resumed["billing_cycle_anchor"]) == ("active", NOW)
    assert sorted(pending(api, who)) == [-500, 500]
    assert resumed["items"]["data"][0]["current_period_end"] == MONTH


def test_resumed_without_prorations_it_goes_on_for_nothing_until_the_next_period(api: Api) -> None:
    clock, who, sub = half_used(api)
    pause(api, sub["id"])
    anchor = {"billing_cycle_anchor": {"type": "unchanged"}, "proration_behavior": "none"}
    api.ok("POST", f"/v1/subscriptions/{sub['id']}/resume", **anchor)
    assert pending(api, who) == [-500]
    advance(api, clock, MONTH + 4_000)
    assert totals(api, sub["id"]) == [1000, 500]


def test_a_trial_is_paused_without_a_credit(api: Api) -> None:
    _, who, sub = half_used(api, trial_period_days=30)
    assert pause(api, sub["id"])["status"] == "paused"
    assert pending(api, who) == []


def test_the_end_of_a_trial_without_a_payment_method_is_told_as_such(api: Api) -> None:
    clock, who = clocked(api, None)
    settings = {"end_behavior": {"missing_payment_method": "pause"}}
    sub = subscribe(api, who, plan(api), trial_period_days=10, trial_settings=settings)["id"]
    advance(api, clock, NOW + 10 * DAY + 4_000)
    why = current(api, sub)["status_details"]["paused"]["subscription"]["type"]
    assert why == "trial_end_without_payment_method"


@pytest.mark.parametrize("case", ["classic", "schedule", "canceled", "paused", "incomplete"])
def test_what_cannot_be_paused_is_refused(api: Api, case: str) -> None:
    _, who = clocked(api)
    more: dict[str, Any] = {}
    if case == "classic":
        more = {"billing_mode": {"type": "classic"}}
    elif case == "incomplete":
        more = {"payment_behavior": "default_incomplete"}
    sub = subscribe(api, who, plan(api), **more)["id"]
    if case == "schedule":
        api.ok("POST", "/v1/subscription_schedules", from_subscription=sub)
    elif case == "canceled":
        api.ok("DELETE", f"/v1/subscriptions/{sub}")
    elif case == "paused":
        pause(api, sub)
    refused = api.post(f"/v1/subscriptions/{sub}/pause")
    assert (refused.status, refused.error["type"]) == (400, "invalid_request_error")


def test_an_unknown_subscription_is_not_found(api: Api) -> None:
    assert api.post("/v1/subscriptions/sub_none/pause").status == 404


@pytest.mark.parametrize("behavior", [{}, {"payment_behavior": "resume_on_payment_success"}])
def test_the_invoice_of_a_resumption_is_voided_when_its_time_has_passed(api: Api, behavior: dict[str, str]) -> None:
    clock, who, sub = half_used(api)
    pause(api, sub["id"])
    path = f"/v1/subscriptions/{sub['id']}"
    failing = api.ok("POST", "/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=who)["id"]
    api.ok("POST", path, default_payment_method=failing)
    invoice = api.ok("POST", f"{path}/resume", **behavior)["latest_invoice"]
    advance(api, clock, HALF + 23 * 3_600 - 1)
    assert (api.get(f"/v1/invoices/{invoice}")["status"], current(api, sub["id"])["status"]) == ("open", "paused")
    advance(api, clock, HALF + 23 * 3_600)
    assert (api.get(f"/v1/invoices/{invoice}")["status"], current(api, sub["id"])["status"]) == ("void", "paused")
    again = api.ok("POST", f"{path}/resume")["latest_invoice"]
    api.ok("POST", f"/v1/invoices/{again}/pay", payment_method="pm_card_visa")
    advance(api, clock, HALF + 50 * 3_600)
    assert (api.get(f"/v1/invoices/{again}")["status"], current(api, sub["id"])["status"]) == ("paid", "active")
