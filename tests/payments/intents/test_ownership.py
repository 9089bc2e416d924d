"""Intents that a Checkout Session or an invoice holds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api

OLD = {"Stripe-Version": "2020-03-02"}
LINE = {"price_data": {"currency": "usd", "unit_amount": 2000, "product_data": {"name": "Tea"}}, "quantity": 1}


def session_intent(api: Api, mode: str) -> tuple[str, str]:
    """The kind of intent, and its id, of a session of a version that makes it at once."""
    what: dict[str, Any] = {"line_items": [LINE]} if mode == "payment" else {}
    session = api.ok(
        "POST",
        "/v1/checkout/sessions",
        mode=mode,
        success_url="https://shop.example/done",
        cancel_url="https://shop.example/",
        payment_method_types=["card"],
        headers={"Stripe-Version": "2020-08-27"},
        **what,
    )
    name = "payment_intent" if mode == "payment" else "setup_intent"
    return name, session[name]


@pytest.mark.parametrize("mode", ["payment", "setup"])
@pytest.mark.parametrize("verb", ["confirm", "cancel"])
def test_the_intent_of_a_session_is_neither_confirmed_nor_canceled(api: Api, mode: str, verb: str) -> None:
    name, id = session_intent(api, mode)
    given = {"payment_method": "pm_card_visa"} if verb == "confirm" else {}
    refused = api.post(f"/v1/{name}s/{id}/{verb}", **given)
    assert (refused.status, refused.error["code"]) == (400, f"{name}_unexpected_state")
    assert "created by Checkout" in refused.error["message"]
    assert api.post(f"/v1/{name}s/{id}/{verb}", headers=OLD, **given).status == 200


def invoice_intent(api: Api) -> Answer:
    customer = api.ok("POST", "/v1/customers")["id"]
    invoice = api.ok("POST", "/v1/invoices", customer=customer, collection_method="send_invoice", days_until_due=5)
    api.ok("POST", "/v1/invoiceitems", customer=customer, invoice=invoice["id"], amount=2000, currency="usd")
    api.ok("POST", f"/v1/invoices/{invoice['id']}/finalize")
    payments = api.get("/v1/invoice_payments", invoice=invoice["id"])["data"]
    return api.get(f"/v1/payment_intents/{payments[0]['payment']['payment_intent']}")


def test_the_intent_of_an_invoice_is_not_canceled_and_its_amount_not_changed(api: Api) -> None:
    path = f"/v1/payment_intents/{invoice_intent(api)['id']}"
    for refused in (api.post(f"{path}/cancel"), api.post(path, amount=100)):
        assert (refused.status, refused.error["code"]) == (400, "payment_intent_unexpected_state")
        assert "managed by the invoice `in_" in refused.error["message"]
    assert api.ok("POST", path, metadata={"a": "b"})["metadata"] == {"a": "b"}
