"""The steps of an invoice: finalize, pay, void, give up."""

from __future__ import annotations

import pytest

from tests.payments.invoices.steps import attach, customer, draft, drafted, finalized, payment_for, read
from tests.payments.subscriptions.steps import DAY, advance, clocked, plan, subscribe
from tests.support.api import NOW, Api


def test_two_payments_can_share_an_invoice(api: Api) -> None:
    invoice = finalized(api, drafted(api))
    waiting = payment_for(api, invoice, 500)
    assert attach(api, invoice, waiting)["amount_paid"] == 0
    api.ok("post", f"/v1/payment_intents/{waiting['id']}/confirm", payment_method="pm_card_visa")
    partly = read(api, invoice)
    assert (partly["status"], partly["amount_paid"], partly["amount_remaining"]) == ("open", 500, 700)
    saved = api.get("/v1/payment_methods", customer=invoice["customer"])["data"][0]["id"]
    done = api.ok("post", f"/v1/invoices/{invoice['id']}/pay", payment_method=saved)
    assert (done["status"], done["amount_paid"], done["amount_remaining"]) == ("paid", 1_200, 0)
    assert sorted(charge["amount"] for charge in api.get("/v1/charges")["data"]) == [500, 700]


def test_credit_of_the_customer_is_used_before_the_card(api: Api) -> None:
    who = customer(api)
    api.ok("post", f"/v1/customers/{who}/balance_transactions", amount=-500, currency="usd")
    paid = api.ok("post", f"/v1/invoices/{draft(api, who)['id']}/pay")
    assert (paid["total"], paid["starting_balance"], paid["amount_due"], paid["ending_balance"]) == (
        2000,
        -500,
        1500,
        0,
    )
    assert api.get(f"/v1/customers/{who}")["balance"] == 0


def test_a_voided_invoice_gives_the_credit_back_and_cannot_be_paid(api: Api) -> None:
    who = customer(api)
    api.ok("post", f"/v1/customers/{who}/balance_transactions", amount=-500, currency="usd")
    invoice = draft(api, who)
    api.ok("post", f"/v1/invoices/{invoice['id']}/finalize")
    assert api.ok("post", f"/v1/invoices/{invoice['id']}/void")["status"] == "void"
    assert api.get(f"/v1/customers/{who}")["balance"] == -500
    assert api.post(f"/v1/invoices/{invoice['id']}/pay").status == 400


def _delinquent(api: Api, who: str) -> bool:
    return bool(api.get(f"/v1/customers/{who}")["delinquent"])


def _refused_card(api: Api, who: str) -> None:
    bad = api.ok("post", "/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=who)["id"]
    api.ok("post", f"/v1/customers/{who}", invoice_settings={"default_payment_method": bad})


def _renewed_in_vain(api: Api) -> tuple[str, str, str]:
    """A clock, a customer, and the open invoice that could not be collected when their subscription was renewed."""
    clock, who = clocked(api)
    subscribe(api, who, plan(api))
    assert not _delinquent(api, who)
    _refused_card(api, who)
    advance(api, clock, NOW + 31 * DAY + 2 * 3600)
    return clock, who, api.get("/v1/invoices", customer=who, status="open")["data"][0]["id"]


def test_a_failed_automatic_payment_makes_a_customer_delinquent(api: Api) -> None:
    _, who, _ = _renewed_in_vain(api)
    assert _delinquent(api, who)
    told = [one for one in api.events("customer.updated") if "delinquent" in one["data"]["previous_attributes"]]
    assert [one["data"]["previous_attributes"]["delinquent"] for one in told] == [False]


@pytest.mark.parametrize(
    ("path", "params", "after"),
    [
        ("pay", {"paid_out_of_band": True}, False),
        ("pay", {"payment_method": "pm_card_visa"}, False),
        ("mark_uncollectible", {}, False),
        ("void", {}, True),
    ],
    ids=["paid elsewhere", "paid", "uncollectible", "void"],
)
def test_paying_or_giving_up_an_invoice_ends_it(api: Api, path: str, params: dict[str, object], after: bool) -> None:
    _, who, invoice = _renewed_in_vain(api)
    api.ok("post", f"/v1/invoices/{invoice}/{path}", **params)
    assert _delinquent(api, who) == after


def test_an_attempt_by_hand_that_fails_makes_nobody_delinquent(api: Api) -> None:
    _, who = clocked(api)
    _refused_card(api, who)
    invoice = api.ok("post", "/v1/invoices", customer=who)["id"]
    api.ok("post", "/v1/invoiceitems", customer=who, invoice=invoice, amount=1000, currency="usd")
    assert api.post(f"/v1/invoices/{invoice}/pay").status == 402
    assert not _delinquent(api, who)


def test_a_due_date_that_passes_makes_a_customer_delinquent(api: Api) -> None:
    clock, who = clocked(api)
    sent = {"collection_method": "send_invoice", "days_until_due": 3}
    invoice = api.ok("post", "/v1/invoices", customer=who, **sent)["id"]
    api.ok("post", "/v1/invoiceitems", customer=who, invoice=invoice, amount=1000, currency="usd")
    api.ok("post", f"/v1/invoices/{invoice}/finalize")
    advance(api, clock, NOW + 4 * DAY)
    assert _delinquent(api, who)


def test_an_update_that_cannot_be_paid_makes_a_customer_delinquent(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))
    _refused_card(api, who)
    items = [{"id": sub["items"]["data"][0]["id"], "quantity": 4}]
    api.ok("post", f"/v1/subscriptions/{sub['id']}", items=items, proration_behavior="always_invoice")
    assert _delinquent(api, who)


def test_no_method_to_charge_makes_a_customer_delinquent(api: Api) -> None:
    clock, who = clocked(api, None)
    subscribe(api, who, plan(api), trial_end=NOW + DAY)
    advance(api, clock, NOW + DAY + 2 * 3600)
    assert _delinquent(api, who)
