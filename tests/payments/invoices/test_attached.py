"""PaymentIntents that pay invoices outside of a collection."""

from __future__ import annotations

import pytest

from tests.payments.invoices.steps import attach, drafted, finalized, payment_for, read
from tests.support.api import Api


@pytest.mark.parametrize(("amount", "paid", "over"), [(1_200, 1_200, 0), (1_500, 1_200, 300)])
def test_what_is_paid_beyond_an_invoice_is_credited_to_the_customer(
    api: Api, amount: int, paid: int, over: int
) -> None:
    invoice = finalized(api, drafted(api))
    card = api.get(f"/v1/customers/{invoice['customer']}/payment_methods")["data"][0]["id"]
    attach(api, invoice, payment_for(api, invoice, amount, payment_method=card, confirm=True, off_session=True))
    after = read(api, invoice)
    assert (after["status"], after["amount_paid"], after["amount_overpaid"]) == ("paid", paid, over)
    assert api.get(f"/v1/customers/{invoice['customer']}")["balance"] == -over
    moved = api.get(f"/v1/customers/{invoice['customer']}/balance_transactions")["data"]
    assert [one["type"] for one in moved] == ["invoice_overpaid"] * bool(over)
    assert len(api.events("invoice.overpaid")) == bool(over)


def test_an_invoice_that_is_partly_paid_is_not_voided(api: Api) -> None:
    invoice = finalized(api, drafted(api))
    card = api.get(f"/v1/customers/{invoice['customer']}/payment_methods")["data"][0]["id"]
    attach(api, invoice, payment_for(api, invoice, 400, payment_method=card, confirm=True, off_session=True))
    refused = api.post(f"/v1/invoices/{invoice['id']}/void")
    assert (refused.status, refused.error["message"]) == (400, "Invoices with `paid` payments cannot be voided.")
    assert read(api, invoice)["amount_remaining"] == 800
