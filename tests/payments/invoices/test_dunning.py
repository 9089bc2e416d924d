"""What becomes of a subscription whose renewal cannot be collected."""

from __future__ import annotations

import pytest

from tests.payments.invoices.steps import customer, draft, exhausted
from tests.payments.subscriptions.steps import DAY, advance, current
from tests.support.api import Answer, Api, rule_table
from tests.support.connected import connected
from tollkey.settings import load_settings


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


@rule_table
@pytest.mark.parametrize("share", [{"application_fee_amount": 2001}, {"amount": 2001}], ids=str)
def test_a_draft_that_nobody_could_pay_keeps_why_it_was_not_finalized(api: Api, share: dict[str, int]) -> None:
    to = {"destination": connected(api)["id"], **{name: share[name] for name in share if name == "amount"}}
    fee = {name: share[name] for name in share if name != "amount"}
    invoice = draft(api, customer(api), auto_advance=True, transfer_data=to, **fee)["id"]
    path = f"/v1/invoices/{invoice}"
    refused = api.post(f"{path}/finalize")
    assert (refused.status, refused.error["param"]) == (
        400,
        "transfer_data[amount]" if "amount" in share else next(iter(fee)),
    )
    api.advance(3_601)
    kept = api.get(path)
    assert (kept["status"], kept["number"]) == ("draft", None)
    assert kept["last_finalization_error"]["message"] == refused.error["message"]
    assert len(api.events("invoice.finalization_failed")) == 2
    api.ok("post", path, transfer_data={"destination": to["destination"]}, application_fee_amount=5)
    done = api.ok("post", f"{path}/finalize")
    assert (done["status"], done["last_finalization_error"]) == ("open", None)
