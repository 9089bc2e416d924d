"""Paying an invoice by hand: with a payment method, elsewhere, or with a PaymentIntent that was made apart from it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.invoices.steps import attach, drafted, finalized, payment_for, read
from tests.support.api import Api
from tests.support.connected import connected


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


def test_a_receiver_that_has_too_little_pays_an_invoice_when_the_rest_is_forgiven(api: Api) -> None:
    source = api.ok(
        "POST", "/v1/sources", type="ach_credit_transfer", currency="usd", owner={"email": "amount_1000@example.com"}
    )["id"]
    invoice = finalized(api, drafted(api, payment_settings={"payment_method_types": ["ach_credit_transfer"]}))
    api.ok("POST", f"/v1/customers/{invoice['customer']}/sources", source=source)
    api.advance(5)
    path = f"/v1/invoices/{invoice['id']}/pay"
    refused = api.post(path, source=source)
    assert (refused.status, refused.error["code"]) == (402, "insufficient_funds")
    assert read(api, invoice)["amount_remaining"] == 1_200
    paid = api.ok("POST", path, source=source, forgive=True)
    assert (paid["status"], paid["amount_paid"], paid["amount_due"], paid["amount_remaining"]) == (
        "paid",
        1_000,
        1_000,
        0,
    )
    assert api.get("/v1/charges")["data"][0]["amount"] == 1_000
    assert api.get(f"/v1/sources/{source}")["receiver"]["amount_charged"] == 1_000


@pytest.mark.parametrize(("fee", "share"), [({"application_fee_amount": 1_001}, {}), ({}, {"amount": 1_001})])
def test_nothing_is_forgiven_of_what_other_accounts_get(api: Api, fee: dict[str, int], share: dict[str, int]) -> None:
    source = api.ok(
        "POST", "/v1/sources", type="ach_credit_transfer", currency="usd", owner={"email": "amount_1000@example.com"}
    )["id"]
    shares = {"transfer_data": {"destination": connected(api)["id"], **share}, **fee}
    invoice = finalized(api, drafted(api, **shares))
    api.ok("POST", f"/v1/customers/{invoice['customer']}/sources", source=source)
    api.advance(5)
    refused = api.post(f"/v1/invoices/{invoice['id']}/pay", source=source, forgive=True)
    assert (refused.status, refused.error["param"]) == (400, "forgive")
    assert read(api, invoice)["amount_remaining"] == 1_200


def test_forgiving_takes_nothing_off_what_a_card_pays(api: Api) -> None:
    invoice = finalized(api, drafted(api))
    card = api.get(f"/v1/customers/{invoice['customer']}/payment_methods")["data"][0]["id"]
    paid = api.ok("POST", f"/v1/invoices/{invoice['id']}/pay", payment_method=card, forgive=True)
    assert (paid["amount_paid"], paid["amount_due"]) == (1_200, 1_200)


@pytest.mark.parametrize("given", [
    {"paid_out_of_band": True, "payment_method": "pm_card_visa"},
    {"paid_out_of_band": True, "source": "src_1"},
    {"paid_out_of_band": True, "mandate": "mandate_1"},
    {"paid_out_of_band": True, "forgive": True},
    {"payment_method": "pm_card_visa", "source": "card_1"},
], ids=" ".join)  # fmt: skip
def test_of_two_ways_to_pay_an_invoice_none_is_dropped(api: Api, given: dict[str, Any]) -> None:
    invoice = finalized(api, drafted(api))
    refused = api.post(f"/v1/invoices/{invoice['id']}/pay", **given)
    assert (refused.status, refused.error["param"]) == (400, list(given)[1])
    assert read(api, invoice)["status"] == "open"


def test_no_payment_record_pays_an_invoice(api: Api) -> None:
    invoice = finalized(api, drafted(api))
    paid = payment_for(api, invoice, 1_200, payment_method="pm_card_visa", confirm=True)
    path = f"/v1/invoices/{invoice['id']}/attach_payment"
    refused = api.post(path, payment_intent=paid["id"], payment_record="pr_1")
    assert (refused.status, refused.error["param"]) == (400, "payment_record")
