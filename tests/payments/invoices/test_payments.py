"""An invoice is paid with its own method, then its subscription's, then its customer's."""

from __future__ import annotations

from tests.payments.invoices.recipes import open_invoice
from tests.support.api import Api
from tests.support.recipes import Maker


def paid_with(api: Api, invoice: str) -> str:
    """The payment method with which an invoice was paid."""
    paid = api.ok("POST", f"/v1/invoices/{invoice}/pay", expand=["payments"])
    intent = paid["payments"]["data"][0]["payment"]["payment_intent"]
    found: str = api.get(f"/v1/payment_intents/{intent}")["payment_method"]
    return found


def attached(api: Api, customer: str, name: str) -> str:
    found: str = api.ok("POST", f"/v1/payment_methods/{name}/attach", customer=customer)["id"]
    return found


def test_the_invoice_s_own_method_comes_before_the_customer_s(api: Api) -> None:
    maker = Maker(api)
    invoice = open_invoice(maker)
    own = attached(api, invoice["customer"], "pm_card_mastercard")
    customers = api.get(f"/v1/customers/{invoice['customer']}")["invoice_settings"]["default_payment_method"]
    assert paid_with(api, invoice["id"]) == customers
    second = maker.make("invoice")
    own = attached(api, second["customer"], "pm_card_mastercard")
    api.ok("POST", f"/v1/invoices/{second['id']}", default_payment_method=own)
    assert paid_with(api, second["id"]) == own


def test_the_subscription_s_method_comes_before_the_customer_s(api: Api) -> None:
    subscription = Maker(api).make("subscription")
    own = attached(api, subscription["customer"], "pm_card_mastercard")
    api.ok("POST", f"/v1/subscriptions/{subscription['id']}", default_payment_method=own)
    api.ok("POST", "/v1/invoiceitems", customer=subscription["customer"], amount=1000, currency="usd")
    given = {"customer": subscription["customer"], "subscription": subscription["id"]}
    invoice = api.ok("POST", "/v1/invoices", pending_invoice_items_behavior="include", **given)
    assert paid_with(api, invoice["id"]) == own


def test_without_any_method_paying_is_refused_and_the_invoice_stays_open(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    api.ok("POST", "/v1/invoiceitems", customer=customer, amount=1000, currency="usd")
    invoice = api.ok("POST", "/v1/invoices", customer=customer, pending_invoice_items_behavior="include")["id"]
    api.ok("POST", f"/v1/invoices/{invoice}/finalize")
    refused = api.post(f"/v1/invoices/{invoice}/pay")
    assert (refused.status, refused.error["code"]) == (400, "resource_missing")
    assert api.get(f"/v1/invoices/{invoice}")["status"] == "open"


def test_a_method_that_is_detached_pays_no_invoice_that_waits(api: Api) -> None:
    invoice = Maker(api).make("invoice")
    own = attached(api, invoice["customer"], "pm_card_mastercard")
    path = f"/v1/invoices/{invoice['id']}"
    api.ok("POST", path, default_payment_method=own)
    api.ok("POST", f"/v1/payment_methods/{own}/detach")
    assert api.get(path)["default_payment_method"] is None
    customers = api.get(f"/v1/customers/{invoice['customer']}")["invoice_settings"]["default_payment_method"]
    assert paid_with(api, invoice["id"]) == customers


def test_a_source_that_is_deleted_pays_no_invoice_that_waits(api: Api) -> None:
    invoice = Maker(api).make("invoice")
    sources = f"/v1/customers/{invoice['customer']}/sources"
    source = api.ok("POST", sources, source="tok_visa")["id"]
    api.ok("POST", f"/v1/invoices/{invoice['id']}", default_source=source)
    api.ok("DELETE", f"{sources}/{source}")
    assert api.get(f"/v1/invoices/{invoice['id']}")["default_source"] is None
