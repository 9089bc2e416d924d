"""What becomes of a subscription whose renewal cannot be collected."""

from __future__ import annotations

import pytest

from tests.payments.invoices.steps import customer, draft, exhausted
from tests.payments.subscriptions.steps import DAY, advance, clocked, current, plan, subscribe
from tests.support.api import NOW, Answer, Api, rule_table
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


MOST = 99_999_999


def test_a_draft_that_is_more_than_a_payment_can_be_is_not_finalized(api: Api) -> None:
    clock, who = clocked(api)
    sub = subscribe(api, who, plan(api))
    for _ in range(2):
        api.ok("post", "/v1/invoiceitems", customer=who, amount=MOST, currency="usd")
    advance(api, clock, NOW + 32 * DAY)
    kept = newest(api, sub)
    assert (kept["status"], kept["number"], kept["total"]) == ("draft", None, 2 * MOST + 1000)
    assert kept["last_finalization_error"]["message"] == "Amount must be no more than $999,999.99"
    (event,) = api.events("invoice.finalization_failed")
    assert event["data"]["object"]["id"] == kept["id"]
    assert api.events("invoice.finalized")[-1]["data"]["object"]["id"] == sub["latest_invoice"]
    refused = api.post(f"/v1/invoices/{kept['id']}/finalize")
    assert (refused.status, len(api.events("invoice.finalization_failed"))) == (400, 2)


@pytest.mark.parametrize("which", ["type", "currency", "mandate"])
def test_a_method_that_cannot_pay_an_invoice_fails_and_is_tried_again(api: Api, which: str) -> None:
    clock, who = clocked(api)
    iban = {"type": "sepa_debit", "sepa_debit": {"iban": "DE89370400440532013000"}}
    details = {"name": "A", "email": "a@example.com"}
    debit = api.ok("post", "/v1/payment_methods", **iban, billing_details=details)["id"]
    api.ok("post", f"/v1/payment_methods/{debit}/attach", customer=who)
    paid = {"payment_settings": {"payment_method_types": ["us_bank_account"]}} if which == "type" else {}
    own = {} if which == "type" else {"default_payment_method": debit}
    price = plan(api, 1000, "eur" if which == "mandate" else "usd")
    sub = subscribe(api, who, price, trial_period_days=3, **paid, **own)
    advance(api, clock, NOW + 4 * DAY)
    failed = newest(api, sub)
    assert (failed["status"], failed["attempt_count"], failed["attempted"]) == ("open", 1, True)
    assert failed["next_payment_attempt"] is not None
    assert len(api.events("invoice.payment_failed")) == 1
    assert (current(api, sub["id"])["status"], api.get(f"/v1/customers/{who}")["delinquent"]) == ("past_due", True)
    advance(api, clock, NOW + 20 * DAY)
    assert current(api, sub["id"])["cancellation_details"]["reason"] == "payment_failed"
