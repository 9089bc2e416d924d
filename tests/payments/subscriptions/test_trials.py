"""A trial that ends without a payment method goes on, pauses or ends, as its settings say."""

from __future__ import annotations

import pytest

from tests.payments.subscriptions.steps import DAY, advance, clocked, current, plan, subscribe
from tests.support.api import NOW, Answer, Api


def after_trial(api: Api, behavior: str, card: str | None = None) -> Answer:
    """A subscription an hour after a trial of ten days."""
    clock, who = clocked(api, card)
    settings = {"end_behavior": {"missing_payment_method": behavior}}
    sub = subscribe(api, who, plan(api), trial_period_days=10, trial_settings=settings)["id"]
    advance(api, clock, NOW + 10 * DAY + 4_000)
    return current(api, sub)


@pytest.mark.parametrize(
    ("behavior", "status"), [("create_invoice", "past_due"), ("pause", "paused"), ("cancel", "canceled")]
)
def test_without_a_payment_method_the_setting_decides(api: Api, behavior: str, status: str) -> None:
    assert after_trial(api, behavior)["status"] == status


@pytest.mark.parametrize("behavior", ["create_invoice", "pause", "cancel"])
def test_with_a_payment_method_the_subscription_becomes_active(api: Api, behavior: str) -> None:
    assert after_trial(api, behavior, "pm_card_visa")["status"] == "active"


def test_a_paused_subscription_bills_nothing(api: Api) -> None:
    paused = after_trial(api, "pause")
    assert [one["total"] for one in api.get("/v1/invoices", subscription=paused["id"])["data"]] == [0]
    assert len(api.events("customer.subscription.paused")) == 1
