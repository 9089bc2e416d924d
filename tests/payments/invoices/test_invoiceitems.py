"""Invoice items wait for an invoice, and can be changed until that is finalized."""

from __future__ import annotations

import pytest

from tests.payments.tax.steps import register
from tests.support.api import Api
from tests.support.recipes import Maker

PATH = "/v1/invoiceitems"


def test_an_item_is_an_amount_or_a_price_times_a_quantity(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    price = api.ok("POST", "/v1/prices", currency="usd", unit_amount=250, product_data={"name": "Hat"})["id"]
    priced = api.ok("POST", PATH, customer=customer, pricing={"price": price}, quantity=3)
    assert (priced["amount"], priced["quantity"], priced["description"]) == (750, 3, "Hat")
    assert api.ok("POST", PATH, customer=customer, amount=-100, currency="usd")["amount"] == -100


def test_an_item_is_pending_until_an_invoice_takes_it(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    item = api.ok("POST", PATH, customer=customer, amount=500, currency="usd")["id"]
    assert [one["id"] for one in api.get(PATH, customer=customer, pending=True)["data"]] == [item]
    invoice = api.ok("POST", "/v1/invoices", customer=customer, pending_invoice_items_behavior="include")["id"]
    assert api.get(PATH, customer=customer, pending=True)["data"] == []
    assert api.get(f"{PATH}/{item}")["invoice"] == invoice


def test_a_change_of_an_item_changes_its_draft_and_a_finalized_invoice_refuses_it(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    invoice = api.ok("POST", "/v1/invoices", customer=customer, auto_advance=False)["id"]
    item = api.ok("POST", PATH, customer=customer, invoice=invoice, amount=500, currency="usd")["id"]
    api.ok("POST", f"{PATH}/{item}", amount=700)
    assert api.get(f"/v1/invoices/{invoice}")["total"] == 700
    api.ok("POST", f"/v1/invoices/{invoice}/finalize")
    assert (api.post(f"{PATH}/{item}", amount=800).status, api.delete(f"{PATH}/{item}").status) == (400, 400)
    assert api.get(f"/v1/invoices/{invoice}")["total"] == 700


def test_a_deleted_item_leaves_its_draft(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    invoice = api.ok("POST", "/v1/invoices", customer=customer)["id"]
    item = api.ok("POST", PATH, customer=customer, invoice=invoice, amount=500, currency="usd")["id"]
    assert api.ok("DELETE", f"{PATH}/{item}")["deleted"] is True
    assert api.get(f"/v1/invoices/{invoice}")["lines"]["data"] == []


def test_an_amount_is_that_of_all_units(api: Api) -> None:
    who = api.ok("POST", "/v1/customers")["id"]
    new = {"amount": 500, "quantity": 2}
    message = "You may only specify one of these parameters: amount, quantity."
    assert api.post("/v1/invoiceitems", customer=who, currency="usd", **new).refusal == (400, None, "amount", message)
    draft = api.ok("POST", "/v1/invoices", customer=who)["id"]
    refused = api.post(f"/v1/invoices/{draft}/add_lines", lines=[new])
    assert refused.refusal == (400, None, "lines[0][amount]", message)
    exact = api.post("/v1/invoiceitems", customer=who, currency="usd", amount=500, quantity_decimal="2.5")
    assert exact.refusal == (400, None, "amount", message.replace("quantity", "quantity_decimal"))


def test_an_invoice_has_one_currency(api: Api) -> None:
    who = api.ok("POST", "/v1/customers")["id"]
    draft = api.ok("POST", "/v1/invoices", customer=who, currency="usd")["id"]
    assert api.post("/v1/invoiceitems", customer=who, invoice=draft, amount=500, currency="mxn").refusal == (
        400,
        None,
        None,
        "You cannot combine currencies on a single invoice. This invoice has invoice items currency mxn that conflicts"
        " with the invoice currency usd.",
    )


def _taxed(api: Api) -> tuple[str, str]:
    """A customer in Germany, and the tax rate of somebody else."""
    register(api, "DE")
    who = api.ok("post", "/v1/customers", email="a@example.com", address={"country": "DE"})["id"]
    return who, str(api.ok("post", "/v1/tax_rates", display_name="VAT", percentage=20, inclusive=False)["id"])


@pytest.mark.parametrize("which", ["tax_rates", "amount"])
def test_an_invoice_with_automatic_tax_takes_no_item_with_rates_or_below_zero(api: Api, which: str) -> None:
    who, rate = _taxed(api)
    wrong = {"tax_rates": [rate]} if which == "tax_rates" else {"amount": -100}
    item = {"customer": who, "amount": 1000, "currency": "usd"}
    invoice = api.ok("post", "/v1/invoices", customer=who, automatic_tax={"enabled": True})["id"]
    refused = api.post("/v1/invoiceitems", **{**item, "invoice": invoice, **wrong})
    assert (refused.status, refused.error["param"]) == (400, which)
    kept = api.ok("post", "/v1/invoiceitems", invoice=invoice, **item)["id"]
    assert api.post(f"/v1/invoiceitems/{kept}", **wrong).error["param"] == which
    plain = api.ok("post", "/v1/invoices", customer=who)["id"]
    api.ok("post", "/v1/invoiceitems", **{**item, "invoice": plain, **wrong})
    late = api.post(f"/v1/invoices/{plain}", automatic_tax={"enabled": True})
    assert (late.status, late.error["param"]) == (400, "automatic_tax")


def test_an_invoice_with_automatic_tax_has_no_default_rates(api: Api) -> None:
    who, rate = _taxed(api)
    both = {"automatic_tax": {"enabled": True}, "default_tax_rates": [rate]}
    refused = api.post("/v1/invoices", customer=who, **both)
    assert (refused.status, refused.error["param"]) == (400, "automatic_tax")


@pytest.mark.parametrize("name", ["unit_amount_decimal", "quantity_decimal"])
def test_decimals_of_an_item_have_at_most_twelve_places(api: Api, name: str) -> None:
    who = api.ok("post", "/v1/customers")["id"]
    item = {"customer": who, "currency": "usd", "unit_amount_decimal": "100"}
    made = api.ok("post", PATH, **{**item, name: "1." + "2" * 12})["id"]
    for path, params in ((PATH, item), (f"{PATH}/{made}", {})):
        refused = api.post(path, **{**params, name: "1." + "2" * 13})
        assert (refused.status, refused.error["param"]) == (400, name)


REVERSED = {"start": 1_767_225_600, "end": 1_767_225_599}


def test_a_period_does_not_end_before_it_starts(api: Api) -> None:
    maker = Maker(api)
    invoice = maker.make("invoice")
    item = {"customer": invoice["customer"], "amount": 500, "currency": "usd"}
    made = api.ok("POST", "/v1/invoiceitems", **item, period={**REVERSED, "end": REVERSED["start"]})["id"]
    path = f"/v1/invoices/{invoice['id']}"
    line = invoice["lines"]["data"][0]["id"]
    for sent, params, param in (
        ("/v1/invoiceitems", item, "period[end]"),
        (f"/v1/invoiceitems/{made}", {}, "period[end]"),
        (f"{path}/lines/{line}", {}, "period[end]"),
    ):
        refused = api.post(sent, **params, period=REVERSED)
        assert (sent, refused.status, refused.error["param"]) == (sent, 400, param)
    for action, entry in (("add_lines", {"amount": 500}), ("update_lines", {"id": line})):
        refused = api.post(f"{path}/{action}", lines=[{**entry, "period": REVERSED}])
        assert (action, refused.status, refused.error["param"]) == (action, 400, "lines[0][period][end]")


def test_an_item_has_one_price(api: Api) -> None:
    invoice = Maker(api).make("invoice")
    price = api.ok("POST", "/v1/prices", currency="usd", unit_amount=5, product_data={"name": "Tea"})["id"]
    both = {"amount": 500, "pricing": {"price": price}}
    refused = api.post("/v1/invoiceitems", customer=invoice["customer"], currency="usd", **both)
    assert refused.refusal[2:] == ("pricing", "You may only specify one of these parameters: amount, pricing.")
    refused = api.post(f"/v1/invoices/{invoice['id']}/add_lines", lines=[both])
    assert refused.refusal[2:] == (
        "lines[0][pricing]",
        "You may only specify one of these parameters: amount, pricing.",
    )


def test_the_currency_of_an_item_is_one_of_its_price(api: Api) -> None:
    who = Maker(api).make("invoice")["customer"]
    price = api.ok("POST", "/v1/prices", currency="eur", unit_amount=5, product_data={"name": "Tea"})["id"]
    item = {"customer": who, "pricing": {"price": price}}
    refused = api.post("/v1/invoiceitems", **item, currency="usd")
    assert (refused.status, refused.error["param"]) == (400, "pricing[price]")
    assert api.ok("POST", "/v1/invoiceitems", **item)["currency"] == "eur"
