"""What shipping costs on an invoice: a shipping rate, stored before or described here."""

from __future__ import annotations

from tests.payments.invoices.steps import drafted, finalized
from tests.support.api import Api


def test_shipping_adds_to_the_total(api: Api) -> None:
    data = {"display_name": "Ground", "type": "fixed_amount", "fixed_amount": {"amount": 500, "currency": "usd"}}
    invoice = drafted(api, shipping_cost={"shipping_rate_data": data})
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
    invoice = drafted(
        api,
        shipping_cost={"shipping_rate_data": {"display_name": "G", "fixed_amount": {"amount": 1, "currency": "usd"}}},
    )
    refused = api.post(f"/v1/invoices/{invoice['id']}", shipping_cost={"shipping_rate": rate["id"]})
    assert (refused.status, refused.error["param"]) == (400, "shipping_cost")
    assert api.ok("post", f"/v1/invoices/{invoice['id']}", shipping_cost="")["total"] == 1_200
