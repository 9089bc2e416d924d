"""The taxes of invoice items that have an amount and no price."""

from __future__ import annotations

import pytest

from tests.payments.tax.steps import register
from tests.support.api import Api

PATH = "/v1/invoiceitems"
FREE = "txcd_00000000"


def _taxed(api: Api) -> tuple[str, str]:
    """A customer in Germany, and a draft of theirs with automatic tax."""
    register(api, "DE")
    who = api.ok("post", "/v1/customers", email="a@example.com", address={"country": "DE"})["id"]
    return who, str(api.ok("post", "/v1/invoices", customer=who, automatic_tax={"enabled": True})["id"])


@pytest.mark.parametrize(("behavior", "total"), [("inclusive", 1000), ("exclusive", 1190)])
def test_the_tax_behavior_of_an_item_is_said_once(api: Api, behavior: str, total: int) -> None:
    who, invoice = _taxed(api)
    item = {"customer": who, "invoice": invoice, "amount": 1000, "currency": "usd"}
    path = f"{PATH}/{api.ok('post', PATH, **item)['id']}"
    api.ok("post", path, tax_behavior="unspecified")
    api.ok("post", path, tax_behavior=behavior)
    assert api.get(f"/v1/invoices/{invoice}")["total"] == total
    for other in {"inclusive", "exclusive", "unspecified"} - {behavior}:
        refused = api.post(path, tax_behavior=other)
        assert (refused.status, refused.error["param"]) == (400, "tax_behavior")
    api.ok("post", path, amount=2000, tax_behavior=behavior)
    assert api.get(f"/v1/invoices/{invoice}")["total"] == 2 * total


def test_the_tax_code_of_an_item_decides_its_tax(api: Api) -> None:
    who, invoice = _taxed(api)
    item = {"customer": who, "invoice": invoice, "amount": 1000, "currency": "usd", "tax_behavior": "exclusive"}
    path = f"{PATH}/{api.ok('post', PATH, tax_code=FREE, **item)['id']}"
    assert api.get(f"/v1/invoices/{invoice}")["total"] == 1000
    api.ok("post", path, amount=2000)
    assert api.get(f"/v1/invoices/{invoice}")["total"] == 2000
    api.ok("post", path, tax_code="")
    assert api.get(f"/v1/invoices/{invoice}")["total"] == 2380
    for place, given in ((PATH, item), (path, {})):
        refused = api.post(place, tax_code="txcd_none", **given)
        assert (refused.status, refused.error["param"]) == (400, "tax_code")


def test_a_price_that_an_item_names_keeps_its_tax_behavior(api: Api) -> None:
    who, invoice = _taxed(api)
    price = api.ok("post", "/v1/prices", currency="usd", unit_amount=1000, product_data={"name": "Hat"})["id"]
    item = api.ok("post", PATH, customer=who, invoice=invoice, pricing={"price": price})["id"]
    api.ok("post", f"{PATH}/{item}", tax_behavior="inclusive")
    assert api.get(f"/v1/prices/{price}")["tax_behavior"] == "unspecified"
