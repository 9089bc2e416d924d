"""Paying an invoice by hand: with a payment method, elsewhere, or with a PaymentIntent that was made apart from it."""

from __future__ import annotations

from tests.payments.invoices.steps import attach, drafted, finalized, payment_for
from tests.support.api import Api


def test_a_succeeded_payment_that_is_attached_pays_the_invoice(api: Api) -> None:
    invoice = finalized(api, drafted(api))
    paid = payment_for(api, invoice, 1_200, payment_method="pm_card_visa", confirm=True)
    done = attach(api, invoice, paid)
    assert (done["status"], done["amount_paid"], done["amount_remaining"]) == ("paid", 1_200, 0)
    payments = api.get("/v1/invoice_payments", invoice=invoice["id"])["data"]
    told = [(one["is_default"], one["status"], one["amount_paid"]) for one in payments]
    assert told == [(False, "paid", 1_200), (True, "canceled", None)]
    assert api.events("invoice_payment.paid")[0]["data"]["object"]["payment"]["payment_intent"] == paid["id"]
    assert api.post(f"/v1/invoices/{invoice['id']}/attach_payment", payment_intent=paid["id"]).status == 400
