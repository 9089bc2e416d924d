"""What becomes of a subscription whose renewal cannot be collected."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.payments.subscriptions.test_billing_lifecycles import DAY, advance, clocked, current, plan, subscribe
from tests.support.api import Answer, Api
from tollkey.settings import load_settings


def exhausted(api: Api, monkeypatch: pytest.MonkeyPatch, wanted: str) -> tuple[str, str, Answer]:
    """A clock, a customer and a subscription whose first renewal failed four times on a server with that setting."""
    services = api.core.setup.services
    monkeypatch.setitem(services, "settings", replace(services["settings"], after_last_retry=wanted))
    clock, who = clocked(api)
    sub = subscribe(api, who, plan(api))
    bad = api.ok("post", "/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=who)["id"]
    api.ok("post", f"/v1/customers/{who}", invoice_settings={"default_payment_method": bad})
    advance(api, clock, sub["items"]["data"][0]["current_period_end"] + 16 * DAY)
    return clock, who, current(api, sub["id"])


def newest(api: Api, sub: Answer) -> Answer:
    return api.ok("get", f"/v1/invoices/{current(api, sub['id'])['latest_invoice']}")


def test_unpaid_keeps_the_subscription_and_leaves_later_invoices_drafts(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, _, sub = exhausted(api, monkeypatch, "unpaid")
    failed = newest(api, sub)
    assert (sub["status"], failed["status"], failed["next_payment_attempt"]) == ("unpaid", "open", None)
    advance(api, clock, sub["items"]["data"][0]["current_period_end"] + 2 * DAY)
    later = newest(api, sub)
    assert (later["billing_reason"], later["status"], later["auto_advance"]) == ("subscription_cycle", "draft", False)
    assert current(api, sub["id"])["status"] == "unpaid"
    assert api.events("customer.subscription.deleted") == []


def test_paying_the_latest_invoice_makes_an_unpaid_subscription_active(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, who, sub = exhausted(api, monkeypatch, "unpaid")
    good = api.ok("post", "/v1/payment_methods/pm_card_visa/attach", customer=who)["id"]
    api.ok("post", f"/v1/invoices/{sub['latest_invoice']}/pay", payment_method=good)
    assert current(api, sub["id"])["status"] == "active"
    moves = [
        event["data"]["previous_attributes"].get("status") for event in api.events("customer.subscription.updated")
    ]
    assert [move for move in moves if move] == ["incomplete", "active", "past_due", "unpaid"]


def test_past_due_goes_on_collecting_later_invoices(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, _, sub = exhausted(api, monkeypatch, "past_due")
    assert sub["status"] == "past_due"
    advance(api, clock, sub["items"]["data"][0]["current_period_end"] + 2 * 3_600)
    later = newest(api, sub)
    assert (later["status"], later["attempt_count"], current(api, sub["id"])["status"]) == ("open", 1, "past_due")


def test_a_setting_that_is_none_of_the_choices_is_refused_by_name() -> None:
    with pytest.raises(
        ValueError, match="TOLLKEY_AFTER_LAST_RETRY must be one of cancel, unpaid, past_due, not 'forgive'"
    ):
        load_settings({"TOLLKEY_AFTER_LAST_RETRY": "forgive"})
