"""An invoice payment says which PaymentIntent pays an invoice."""

from __future__ import annotations

from tests.payments.invoices.recipes import open_invoice
from tests.support.api import Api
from tests.support.recipes import Maker

PATH = "/v1/invoice_payments"


def test_a_payment_is_open_until_its_invoice_is_paid(api: Api) -> None:
    invoice = open_invoice(Maker(api))["id"]
    (payment,) = api.get(PATH, invoice=invoice)["data"]
    assert (payment["status"], payment["amount_requested"], payment["amount_paid"]) == ("open", 1200, None)
    api.ok("POST", f"/v1/invoices/{invoice}/pay")
    paid = api.get(f"{PATH}/{payment['id']}")
    assert (paid["status"], paid["amount_paid"], paid["status_transitions"]["paid_at"]) == ("paid", 1200, api.now)
    assert len(api.events("invoice_payment.paid")) == 1


def test_voiding_the_invoice_cancels_its_payment(api: Api) -> None:
    invoice = open_invoice(Maker(api))["id"]
    api.ok("POST", f"/v1/invoices/{invoice}/void")
    (payment,) = api.get(PATH, invoice=invoice)["data"]
    assert (payment["status"], payment["status_transitions"]["canceled_at"]) == ("canceled", api.now)


def test_payments_are_found_by_their_intent_and_status(api: Api) -> None:
    maker = Maker(api)
    invoice, _ = open_invoice(maker)["id"], open_invoice(maker)["id"]
    (payment,) = api.get(PATH, invoice=invoice)["data"]
    by_intent = {"type": "payment_intent", "payment_intent": payment["payment"]["payment_intent"]}
    assert [one["id"] for one in api.get(PATH, payment=by_intent)["data"]] == [payment["id"]]
    assert len(api.get(PATH, status="open")["data"]) == 2
    assert api.get(PATH, status="paid")["data"] == []


def test_a_payment_is_looked_for_by_what_its_type_has(api: Api) -> None:
    open_invoice(Maker(api))
    refused = api.get(PATH, payment={"type": "payment_intent", "payment_record": "pr_1"})
    assert (refused.status, refused.error["param"]) == (400, "payment[payment_record]")
    assert api.get(PATH, payment={"type": "payment_record", "payment_record": "pr_1"})["data"] == []
