"""The lines of a draft are added, changed and removed; those of a finalized invoice are not."""

from __future__ import annotations

from tests.payments.invoices.steps import drafted
from tests.support.api import Answer, Api


def draft(api: Api) -> Answer:
    customer = api.ok("POST", "/v1/customers")["id"]
    api.ok("POST", "/v1/invoiceitems", customer=customer, amount=1000, currency="usd")
    given = {"customer": customer, "pending_invoice_items_behavior": "include", "auto_advance": False}
    return api.ok("POST", "/v1/invoices", **given)


def test_a_line_is_added_as_an_amount_of_its_own(api: Api) -> None:
    invoice = draft(api)
    path = f"/v1/invoices/{invoice['id']}"
    changed = api.ok("POST", f"{path}/add_lines", lines=[{"amount": 250, "description": "More"}])
    assert (changed["total"], [line["amount"] for line in changed["lines"]["data"]]) == (1250, [1000, 250])
    assert [line["description"] for line in api.get(f"{path}/lines")["data"]][-1] == "More"


def test_a_quantity_multiplies_what_one_costs(api: Api) -> None:
    invoice = draft(api)
    path = f"/v1/invoices/{invoice['id']}"
    line = invoice["lines"]["data"][0]["id"]
    assert api.ok("POST", f"{path}/lines/{line}", quantity=3)["amount"] == 3000
    assert api.get(path)["total"] == 3000


def test_a_removed_line_deletes_its_item_or_lets_it_wait_again(api: Api) -> None:
    for behavior, pending in (("delete", 0), ("unassign", 1)):
        invoice = draft(api)
        line = invoice["lines"]["data"][0]["id"]
        path = f"/v1/invoices/{invoice['id']}/remove_lines"
        assert api.ok("POST", path, lines=[{"id": line, "behavior": behavior}])["total"] == 0
        assert len(api.get("/v1/invoiceitems", customer=invoice["customer"], pending=True)["data"]) == pending


def test_an_unknown_line_is_named_by_its_place(api: Api) -> None:
    path = f"/v1/invoices/{draft(api)['id']}/update_lines"
    refused = api.post(path, lines=[{"id": "il_no", "description": "x"}])
    assert (refused.status, refused.error["param"]) == (400, "lines[0][id]")


def test_a_finalized_invoice_keeps_its_lines(api: Api) -> None:
    path = f"/v1/invoices/{draft(api)['id']}"
    api.ok("POST", f"{path}/finalize")
    assert api.post(f"{path}/add_lines", lines=[{"amount": 250, "description": "More"}]).status == 400
    assert api.get(path)["total"] == 1000


def test_a_price_in_another_currency_makes_no_line(api: Api) -> None:
    invoice = drafted(api)
    product = api.ok("post", "/v1/products", name="Desk")["id"]
    price = api.ok("post", "/v1/prices", product=product, currency="eur", unit_amount=700)["id"]
    path = f"/v1/invoices/{invoice['id']}"
    refused = api.post(f"{path}/add_lines", lines=[{"pricing": {"price": price}}])
    assert (refused.status, refused.error["param"]) == (400, "lines[0][pricing][price]")
    line = invoice["lines"]["data"][0]["id"]
    changed = api.post(f"{path}/lines/{line}", pricing={"price": price})
    assert (changed.status, changed.error["param"]) == (400, "pricing[price]")
    assert api.ok("get", path)["total"] == 1_200
