"""The steps of an invoice: finalize, pay, void, give up."""

from __future__ import annotations

from tests.payments.invoices.steps import attach, customer, draft, drafted, finalized, payment_for, read
from tests.support.api import Api


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
