"""Invoices: from a draft to a paid one, with what is taken off, added, and given back."""

from __future__ import annotations

import pytest

from tests.payments.invoices.steps import customer, draft
from tests.support.api import Api
from tests.support.openapi import assert_valid


def test_paying_a_draft_finalizes_numbers_and_charges_it(api: Api) -> None:
    who = customer(api)
    invoice = draft(api, who)
    assert (invoice["status"], invoice["number"]) == ("draft", None)
    assert_valid("POST", "/v1/invoices", 200, dict(invoice))
    paid = api.ok("post", f"/v1/invoices/{invoice['id']}/pay", expand=["payments"])
    assert_valid("POST", "/v1/invoices/{invoice}/pay", 200, dict(paid))
    assert (paid["status"], paid["amount_paid"], paid["number"][-5:]) == ("paid", 2000, "-0001")
    intent = api.get(f"/v1/payment_intents/{paid['payments']['data'][0]['payment']['payment_intent']}")
    assert (intent["status"], intent["amount_received"]) == ("succeeded", 2000)
    types = [event["type"] for event in api.events() if event["type"].startswith("invoice.")]
    assert types == [
        "invoice.created",
        "invoice.finalized",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]


@pytest.mark.parametrize("currency", ["CAD", "cad"])
def test_an_invoice_takes_the_pending_items_of_its_currency(api: Api, currency: str) -> None:
    who = api.ok("post", "/v1/customers")["id"]
    for amount, code in ((700, "cad"), (900, "eur")):
        api.ok("post", "/v1/invoiceitems", customer=who, amount=amount, currency=code)
    made = api.ok("post", "/v1/invoices", customer=who, currency=currency, pending_invoice_items_behavior="include")
    assert (made["currency"], [line["amount"] for line in made["lines"]["data"]]) == ("cad", [700])


def test_an_unknown_currency_of_an_invoice_is_refused(api: Api) -> None:
    refused = api.post("/v1/invoices", customer=api.ok("post", "/v1/customers")["id"], currency="zzz")
    assert (refused.status, refused.error["param"]) == (400, "currency")


def test_old_versions_make_no_invoice_of_nothing(api: Api) -> None:
    who = api.ok("post", "/v1/customers")["id"]
    refused = api.post("/v1/invoices", customer=who, headers={"Stripe-Version": "2020-08-27"})
    assert [refused.error[name] for name in ("code", "param", "message")] == [
        "invoice_no_customer_line_items",
        "customer",
        "Nothing to invoice for customer",
    ]
