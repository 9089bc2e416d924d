"""What happens to a subscription as time passes: renewal, the end of its trial, notices before, the end it was
given.
"""

from __future__ import annotations

import pytest

from tests.payments.subscriptions.steps import DAY, advance, clocked, current, plan, subscribe, totals
from tests.support.api import NOW, Api


def test_ending_in_mid_period_credits_the_rest(api: Api) -> None:
    clock, who = clocked(api)
    sub = subscribe(api, who, plan(api))
    api.ok("post", f"/v1/subscriptions/{sub['id']}", cancel_at=NOW + 31 * DAY // 2)
    advance(api, clock, NOW + 16 * DAY)
    assert current(api, sub["id"])["status"] == "canceled"
    assert [one["amount"] for one in api.get("/v1/invoiceitems", customer=who)["data"]] == [-500]


@pytest.mark.parametrize(
    ("mode", "behavior", "first"),
    [("flexible", "create_prorations", 500), ("classic", "none", 500), ("flexible", "none", 1000)],
)
def test_a_first_period_that_ends_early_costs_its_share_unless_the_flexible_mode_says_none(
    api: Api, mode: str, behavior: str, first: int
) -> None:
    clock, who = clocked(api)
    leaving = {"cancel_at": NOW + 31 * DAY // 2, "proration_behavior": behavior, "billing_mode": {"type": mode}}
    sub = subscribe(api, who, plan(api), **leaving)
    assert sub["items"]["data"][0]["current_period_end"] == NOW + 31 * DAY // 2
    advance(api, clock, NOW + 16 * DAY)
    assert (current(api, sub["id"])["status"], totals(api, sub["id"])) == ("canceled", [first])
    assert api.get("/v1/invoiceitems", customer=who)["data"] == []


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


@pytest.mark.parametrize("behavior", ["void", "mark_uncollectible"])
def test_a_paused_renewal_that_cannot_be_finalized_is_a_draft_and_the_next_period_begins(
    api: Api, behavior: str
) -> None:
    clock, who = clocked(api)
    sub = subscribe(api, who, plan(api))
    api.ok("post", f"/v1/subscriptions/{sub['id']}", pause_collection={"behavior": behavior})
    for _ in range(2):
        api.ok("post", "/v1/invoiceitems", customer=who, amount=99_999_999, currency="usd")
    advance(api, clock, NOW + 32 * DAY)
    renewed = current(api, sub["id"])
    invoice = api.get(f"/v1/invoices/{renewed['latest_invoice']}")
    assert (renewed["items"]["data"][0]["current_period_start"], invoice["status"]) == (NOW + 31 * DAY, "draft")
    assert invoice["last_finalization_error"]["message"] == "Amount must be no more than $999,999.99"
    assert len(api.events("invoice.finalization_failed")) == 1
