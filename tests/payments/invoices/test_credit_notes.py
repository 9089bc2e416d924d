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
