"""The invoice of a payment: made once a session of mode ``payment`` is paid, when ``invoice_creation`` asks for it."""

from __future__ import annotations

from tests.payments.checkout.steps import again, fill, line, path_of, post, session
from tests.support.api import Api
from tests.support.openapi import assert_valid


def test_a_payment_makes_a_paid_invoice_when_it_is_asked_to(api: Api) -> None:
    coupon = api.ok("POST", "/v1/coupons", percent_off=10, duration="once")["id"]
    data = {"description": "Thanks", "metadata": {"order": "7"}, "custom_fields": [{"name": "PO", "value": "12"}]}
    made = session(api, invoice_creation={"enabled": True, "invoice_data": data}, discounts=[{"coupon": coupon}])
    assert fill(api, path_of(made)).status == 303
    paid = again(api, made)
    invoice = api.ok("GET", f"/v1/invoices/{paid['invoice']}", expand=["payments"])
    assert_valid("GET", "/v1/invoices/{invoice}", 200, invoice)
    assert (invoice["status"], invoice["total"], invoice["amount_paid"], invoice["amount_remaining"]) == (
        "paid",
        2700,
        2700,
        0,
    )
    assert (invoice["description"], invoice["metadata"], invoice["customer"]) == (
        "Thanks",
        {"order": "7"},
        paid["customer"],
    )
    assert invoice["payments"]["data"][0]["payment"]["payment_intent"] == paid["payment_intent"]
    types = [event["type"] for event in api.events()]
    wanted = [
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
        "checkout.session.completed",
    ]
    assert [one for one in types if one in wanted] == wanted
    assert api.events("checkout.session.completed")[0]["data"]["object"]["invoice"] == invoice["id"]
    assert types.count("payment_intent.created") == 1


def test_a_bank_debit_gets_its_invoice_when_the_money_has_come(api: Api) -> None:
    made = session(
        api,
        allowed_payment_method_types=["sepa_debit"],
        line_items=[line(currency="eur")],
        invoice_creation={"enabled": True},
    )
    assert (
        post(
            api, path_of(made), method="sepa_debit", email="a@b.example", name="Jo", iban="DE89370400440532013000"
        ).status
        == 303
    )
    assert again(api, made)["invoice"] is None
    api.advance(600)
    assert api.get(f"/v1/invoices/{again(api, made)['invoice']}")["status"] == "paid"
