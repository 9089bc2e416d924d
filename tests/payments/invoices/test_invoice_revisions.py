"""Invoices: shipping, rendering, revisions, and payments that were made apart from them."""

from __future__ import annotations

from typing import Any

from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid


def ok(api: Api, path: str, template: str | None = None, **params: Any) -> Answer:
    answer = api.ok("post", path, **params)
    assert_valid("POST", template or path, 200, dict(answer))
    return answer


def draft(api: Api, amount: int = 1_200, **params: Any) -> Answer:
    who = api.ok("post", "/v1/customers", email="a@example.com", payment_method="pm_card_visa")["id"]
    api.ok("post", "/v1/invoiceitems", customer=who, amount=amount, currency="usd")
    return ok(api, "/v1/invoices", customer=who, pending_invoice_items_behavior="include", auto_advance=False, **params)


def finalized(api: Api, invoice: Answer) -> Answer:
    return ok(api, f"/v1/invoices/{invoice['id']}/finalize", "/v1/invoices/{invoice}/finalize")


def read(api: Api, invoice: Answer) -> Answer:
    return api.ok("get", f"/v1/invoices/{invoice['id']}")


def intent(api: Api, invoice: Answer, amount: int, **params: Any) -> Answer:
    given = {"amount": amount, "currency": "usd", "customer": invoice["customer"], "payment_method_types": ["card"]}
    return api.ok("post", "/v1/payment_intents", **given, **params)


def attach(api: Api, invoice: Answer, payment: Answer) -> Answer:
    path = f"/v1/invoices/{invoice['id']}/attach_payment"
    return ok(api, path, "/v1/invoices/{invoice}/attach_payment", payment_intent=payment["id"])


def test_shipping_adds_to_the_total(api: Api) -> None:
    data = {"display_name": "Ground", "type": "fixed_amount", "fixed_amount": {"amount": 500, "currency": "usd"}}
    invoice = draft(api, shipping_cost={"shipping_rate_data": data})
    assert (invoice["subtotal"], invoice["amount_shipping"], invoice["total"]) == (1_200, 500, 1_700)
    assert invoice["shipping_cost"]["shipping_rate"].startswith("shr_")
    rate = api.ok(
        "post",
        "/v1/shipping_rates",
        display_name="Air",
        type="fixed_amount",
        fixed_amount={"amount": 900, "currency": "usd"},
    )
    changed = api.ok("post", f"/v1/invoices/{invoice['id']}", shipping_cost={"shipping_rate": rate["id"]})
    assert (changed["shipping_cost"]["amount_total"], finalized(api, invoice)["amount_due"]) == (900, 2_100)


def test_shipping_in_another_currency_is_refused_and_can_be_unset(api: Api) -> None:
    rate = api.ok(
        "post",
        "/v1/shipping_rates",
        display_name="Air",
        type="fixed_amount",
        fixed_amount={"amount": 900, "currency": "eur"},
    )
    invoice = draft(
        api,
        shipping_cost={"shipping_rate_data": {"display_name": "G", "fixed_amount": {"amount": 1, "currency": "usd"}}},
    )
    refused = api.post(f"/v1/invoices/{invoice['id']}", shipping_cost={"shipping_rate": rate["id"]})
    assert (refused.status, refused.error["param"]) == (400, "shipping_cost")
    assert api.ok("post", f"/v1/invoices/{invoice['id']}", shipping_cost="")["total"] == 1_200


def test_the_page_size_that_was_asked_for_stays(api: Api) -> None:
    assert finalized(api, draft(api, rendering={"pdf": {"page_size": "a4"}}))["rendering"]["pdf"] == {"page_size": "a4"}
    assert finalized(api, draft(api))["rendering"]["pdf"] == {"page_size": "letter"}


def test_finalizing_a_revision_voids_the_invoice_that_it_replaces(api: Api) -> None:
    first = finalized(api, draft(api, description="First"))
    revision = ok(
        api, "/v1/invoices", from_invoice={"action": "revision", "invoice": first["id"]}, description="Second"
    )
    assert (revision["status"], revision["total"], revision["description"]) == ("draft", 1_200, "Second")
    assert revision["from_invoice"] == {"action": "revision", "invoice": first["id"]}
    assert revision["lines"]["data"][0]["id"] != first["lines"]["data"][0]["id"]
    assert read(api, first)["status"] == "open"
    done = finalized(api, revision)
    old = read(api, first)
    assert (done["status"], old["status"], old["latest_revision"]) == ("open", "void", done["id"])
    again = api.post("/v1/invoices", from_invoice={"action": "revision", "invoice": first["id"]})
    assert again.error["param"] == "from_invoice[invoice]"


def test_a_succeeded_payment_that_is_attached_pays_the_invoice(api: Api) -> None:
    invoice = finalized(api, draft(api))
    paid = intent(api, invoice, 1_200, payment_method="pm_card_visa", confirm=True)
    done = attach(api, invoice, paid)
    assert (done["status"], done["amount_paid"], done["amount_remaining"]) == ("paid", 1_200, 0)
    payments = api.get("/v1/invoice_payments", invoice=invoice["id"])["data"]
    told = [(one["is_default"], one["status"], one["amount_paid"]) for one in payments]
    assert told == [(False, "paid", 1_200), (True, "canceled", None)]
    assert api.events("invoice_payment.paid")[0]["data"]["object"]["payment"]["payment_intent"] == paid["id"]
    assert api.post(f"/v1/invoices/{invoice['id']}/attach_payment", payment_intent=paid["id"]).status == 400


def test_two_payments_can_share_an_invoice(api: Api) -> None:
    invoice = finalized(api, draft(api))
    waiting = intent(api, invoice, 500)
    assert attach(api, invoice, waiting)["amount_paid"] == 0
    api.ok("post", f"/v1/payment_intents/{waiting['id']}/confirm", payment_method="pm_card_visa")
    partly = read(api, invoice)
    assert (partly["status"], partly["amount_paid"], partly["amount_remaining"]) == ("open", 500, 700)
    saved = api.get("/v1/payment_methods", customer=invoice["customer"])["data"][0]["id"]
    done = api.ok("post", f"/v1/invoices/{invoice['id']}/pay", payment_method=saved)
    assert (done["status"], done["amount_paid"], done["amount_remaining"]) == ("paid", 1_200, 0)
    assert sorted(charge["amount"] for charge in api.get("/v1/charges")["data"]) == [500, 700]
