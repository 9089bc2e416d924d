"""A draft takes its settings from the subscription first, then from the customer."""

from __future__ import annotations

from tests.support.api import Api
from tests.support.recipes import Maker


def test_an_invoice_names_its_customer_as_they_are_when_it_is_finalized(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", email="old@example.com")["id"]
    invoice = api.ok("POST", "/v1/invoices", customer=customer, auto_advance=False)["id"]
    api.ok("POST", f"/v1/customers/{customer}", email="new@example.com")
    path = f"/v1/invoices/{invoice}"
    assert api.ok("POST", f"{path}/finalize")["customer_email"] == "new@example.com"
    api.ok("POST", f"/v1/customers/{customer}", email="newest@example.com")
    assert api.get(path)["customer_email"] == "new@example.com"


def test_the_customer_s_invoice_settings_are_on_a_new_draft(api: Api) -> None:
    settings = {"footer": "Thanks", "custom_fields": [{"name": "PO", "value": "12"}]}
    customer = api.ok("POST", "/v1/customers", invoice_settings=settings)["id"]
    invoice = api.ok("POST", "/v1/invoices", customer=customer)
    assert (invoice["footer"], invoice["custom_fields"]) == ("Thanks", settings["custom_fields"])


def test_pending_items_are_taken_only_when_asked_for_and_in_the_invoice_s_currency(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    for amount, currency in ((100, "usd"), (200, "eur")):
        api.ok("POST", "/v1/invoiceitems", customer=customer, amount=amount, currency=currency)
    assert api.ok("POST", "/v1/invoices", customer=customer)["total"] == 0
    taken = api.ok("POST", "/v1/invoices", customer=customer, pending_invoice_items_behavior="include", currency="eur")
    assert (taken["total"], taken["currency"]) == (200, "eur")
    left = api.get("/v1/invoiceitems", customer=customer, pending=True)["data"]
    assert [one["amount"] for one in left] == [100]


def test_a_subscription_s_description_and_metadata_are_on_its_invoices(api: Api) -> None:
    subscription = Maker(api).make("subscription")
    path = f"/v1/subscriptions/{subscription['id']}"
    api.ok("POST", path, description="The gold plan", metadata={"order": "1"})
    invoice = api.ok("POST", "/v1/invoices", customer=subscription["customer"], subscription=subscription["id"])
    assert invoice["description"] == "The gold plan"
    assert invoice["parent"]["subscription_details"]["metadata"] == {"order": "1"}
