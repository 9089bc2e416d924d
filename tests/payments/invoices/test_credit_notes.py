"""Credit notes: less is owed on an open invoice, or something is given back of a paid one."""

from __future__ import annotations

import pytest

from tests.payments.invoices.steps import customer, draft
from tests.support.api import Api
from tests.support.openapi import assert_valid


@pytest.mark.parametrize("where", ["refund_amount", "credit_amount"])
def test_a_credit_note_of_a_paid_invoice_refunds_or_credits(api: Api, where: str) -> None:
    who = customer(api)
    paid = api.ok("post", f"/v1/invoices/{draft(api, who)['id']}/pay")
    note = api.ok("post", "/v1/credit_notes", invoice=paid["id"], amount=700, **{where: 700})
    assert_valid("POST", "/v1/credit_notes", 200, dict(note))
    assert (note["type"], note["number"]) == ("post_payment", f"{paid['number']}-CN-01")
    if where == "refund_amount":
        assert api.get(f"/v1/refunds/{note['refunds'][0]['refund']}")["amount"] == 700
    else:
        assert api.get(f"/v1/customers/{who}")["balance"] == -700


def test_a_credit_note_of_an_open_invoice_lowers_what_is_due_until_it_is_voided(api: Api) -> None:
    invoice = api.ok("post", f"/v1/invoices/{draft(api, customer(api))['id']}/finalize")
    note = api.ok("post", "/v1/credit_notes", invoice=invoice["id"], amount=700)
    assert api.get(f"/v1/invoices/{invoice['id']}")["amount_remaining"] == 1300
    api.ok("post", f"/v1/credit_notes/{note['id']}/void")
    assert api.get(f"/v1/invoices/{invoice['id']}")["amount_remaining"] == 2000


def test_voiding_an_invoice_gives_back_the_balance_it_used_and_not_what_a_credit_note_took_off(api: Api) -> None:
    who = customer(api)
    api.ok("post", f"/v1/customers/{who}/balance_transactions", amount=-500, currency="usd")
    invoice = api.ok("post", f"/v1/invoices/{draft(api, who)['id']}/finalize")["id"]
    api.ok("post", "/v1/credit_notes", invoice=invoice, amount=700)
    api.ok("post", f"/v1/invoices/{invoice}/void")
    assert api.get(f"/v1/customers/{who}")["balance"] == -500


def test_no_more_is_credited_than_is_left(api: Api) -> None:
    invoice = api.ok("post", f"/v1/invoices/{draft(api, customer(api))['id']}/finalize")["id"]
    assert api.post("/v1/credit_notes", invoice=invoice, amount=2001).error["param"] == "amount"
    api.ok("post", "/v1/credit_notes", invoice=invoice, amount=1999)
    assert api.post("/v1/credit_notes", invoice=invoice, amount=2).error["param"] == "amount"
    api.ok("post", "/v1/credit_notes", invoice=invoice, amount=1)
    assert api.get(f"/v1/invoices/{invoice}")["amount_remaining"] == 0


def test_a_draft_and_a_voided_invoice_get_no_credit_note(api: Api) -> None:
    invoice = draft(api, customer(api))["id"]
    assert api.post("/v1/credit_notes", invoice=invoice, amount=100).error["param"] == "invoice"
    api.ok("post", f"/v1/invoices/{invoice}/finalize")
    api.ok("post", f"/v1/invoices/{invoice}/void")
    assert api.post("/v1/credit_notes", invoice=invoice, amount=100).error["param"] == "invoice"


def test_of_a_paid_invoice_every_cent_is_refunded_credited_or_given_back_elsewhere(api: Api) -> None:
    paid = api.ok("post", f"/v1/invoices/{draft(api, customer(api))['id']}/pay")["id"]
    given = {"invoice": paid, "amount": 700, "refund_amount": 300, "credit_amount": 200}
    assert api.post("/v1/credit_notes", out_of_band_amount=199, **given).error["param"] == "refund_amount"
    note = api.ok("post", "/v1/credit_notes", out_of_band_amount=200, **given)
    assert api.post(f"/v1/credit_notes/{note['id']}/void").status == 400


def test_a_note_is_voided_once(api: Api) -> None:
    invoice = api.ok("post", f"/v1/invoices/{draft(api, customer(api))['id']}/finalize")["id"]
    path = f"/v1/credit_notes/{api.ok('post', '/v1/credit_notes', invoice=invoice, amount=700)['id']}/void"
    assert api.ok("post", path)["status"] == "void"
    assert api.post(path).error["message"] == "This credit note has already been voided."


def test_a_credit_note_in_live_mode_is_not_mailed(api: Api) -> None:
    who = api.ok("post", "/v1/customers", key=api.live_sk)["id"]
    api.ok("post", "/v1/invoiceitems", key=api.live_sk, customer=who, amount=2000, currency="usd")
    given = {"customer": who, "pending_invoice_items_behavior": "include"}
    made = api.ok("post", "/v1/invoices", key=api.live_sk, **given)
    invoice = api.ok("post", f"/v1/invoices/{made['id']}/finalize", key=api.live_sk)["id"]
    told = {"invoice": invoice, "amount": 700}
    refused = api.post("/v1/credit_notes", key=api.live_sk, **told, email_type="credit_note")
    assert (refused.status, refused.error["param"]) == (400, "email_type")
    api.ok("post", "/v1/credit_notes", key=api.live_sk, **told, email_type="none")
