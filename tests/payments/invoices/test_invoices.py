"""Invoices: from a draft to a paid one, with what is taken off, added, and given back."""

from __future__ import annotations

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
