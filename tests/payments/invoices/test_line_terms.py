"""The quantity of invoice items and lines: whole, and with its decimal places."""

from __future__ import annotations

from tests.support.api import Api

PATH = "/v1/invoiceitems"


def test_a_quantity_may_have_decimal_places(api: Api) -> None:
    who = api.ok("post", "/v1/customers")["id"]
    invoice = api.ok("post", "/v1/invoices", customer=who)["id"]
    item = api.ok("post", PATH, customer=who, invoice=invoice, unit_amount_decimal="250", quantity_decimal="2.5")
    assert (item["amount"], item["quantity"], item["quantity_decimal"]) == (625, 2, "2.5")
    (line,) = api.get(f"/v1/invoices/{invoice}")["lines"]["data"]
    assert (line["amount"], line["quantity"], line["quantity_decimal"]) == (625, 2, "2.5")
    path = f"{PATH}/{item['id']}"
    assert api.ok("post", path, unit_amount_decimal="100")["amount"] == 250
    assert api.ok("post", path, quantity_decimal="0.5")["amount"] == 50
    assert api.ok("post", path, quantity=3)["quantity_decimal"] == "3"
    of_line = f"/v1/invoices/{invoice}/lines/{line['id']}"
    assert api.ok("post", of_line, quantity_decimal="1.25")["amount"] == 125
    assert api.get(f"/v1/invoices/{invoice}")["total"] == 125
