"""A new subscription: its items, its first period, its first invoice, and the status that follows from it."""

from __future__ import annotations

from tests.payments.subscriptions.steps import DAY, customer, plan
from tests.support.api import NOW, Api


def test_a_trial_bills_nothing_and_its_invoice_is_paid_at_once(api: Api) -> None:
    sub = api.ok(
        "post",
        "/v1/subscriptions",
        customer=customer(api),
        items=[{"price": plan(api)}],
        trial_period_days=14,
        expand=["latest_invoice"],
    )
    assert (sub["status"], sub["trial_end"]) == ("trialing", NOW + 14 * DAY)
    invoice = sub["latest_invoice"]
    assert (invoice["status"], invoice["total"], invoice["attempt_count"], invoice["attempted"]) == ("paid", 0, 0, True)
    assert invoice["lines"]["data"][0]["description"] == "Free trial for 1 × Plan"


def test_an_invoice_to_send_leaves_the_subscription_active(api: Api) -> None:
    sub = api.ok(
        "post",
        "/v1/subscriptions",
        customer=customer(api),
        items=[{"price": plan(api), "quantity": 3}],
        collection_method="send_invoice",
        days_until_due=30,
        expand=["latest_invoice"],
    )
    assert (sub["status"], sub["latest_invoice"]["status"], sub["latest_invoice"]["total"]) == ("active", "draft", 3000)
    assert sub["latest_invoice"]["lines"]["data"][0]["description"] == "3 × Plan (at $10.00 / month)"
    api.advance(3600)
    invoice = api.get(f"/v1/invoices/{sub['latest_invoice']['id']}")
    assert (invoice["status"], invoice["due_date"]) == ("open", NOW + 30 * DAY)


def test_a_subscription_without_anything_to_charge_is_refused(api: Api) -> None:
    refused = api.post("/v1/subscriptions", customer=customer(api), items=[{"price": plan(api)}])
    assert (refused.status, refused.error["code"]) == (400, "resource_missing")
    assert "no attached payment source" in refused.error["message"]
