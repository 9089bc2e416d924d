"""Lines of credit notes: invoice lines, by amount or by quantity, and lines of their own, with their taxes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.invoices.steps import customer
from tests.support.api import Answer, Api

PATH = "/v1/credit_notes"


def _open(api: Api, *amounts: int, **params: Any) -> Answer:
    """An open invoice with one line for each amount."""
    who = customer(api)
    invoice = api.ok("post", "/v1/invoices", customer=who, **params)["id"]
    for amount in amounts:
        one = {"currency": "usd", "unit_amount_decimal": amount // 2, "quantity": 2}
        api.ok("post", "/v1/invoiceitems", customer=who, invoice=invoice, **one)
    return api.ok("post", f"/v1/invoices/{invoice}/finalize")


def _of(invoice: Answer, amount: int) -> dict[str, Any]:
    """The entry that credits the line of that amount."""
    line = next(one for one in invoice["lines"]["data"] if one["amount"] == amount)
    return {"type": "invoice_line_item", "invoice_line_item": line["id"]}


def _credit(api: Api, invoice: Answer, *lines: dict[str, Any]) -> Answer:
    return api.post(PATH, invoice=invoice["id"], lines=list(lines))


@pytest.mark.parametrize(("first", "second"), [("amount", "quantity"), ("quantity", "amount")])
def test_a_line_is_credited_by_quantity_or_by_amount(api: Api, first: str, second: str) -> None:
    invoice = _open(api, 1000)
    line, given = _of(invoice, 1000), {"amount": 100, "quantity": 1}
    note = _credit(api, invoice, {**line, first: given[first]})
    assert note["amount"] == (100 if first == "amount" else 500)
    refused = _credit(api, invoice, {**line, second: given[second]})
    assert (refused.status, refused.error["param"]) == (400, f"lines[0][{second}]")
    assert _credit(api, invoice, {**line, first: given[first]}).status == 200
    twice = _credit(api, invoice, {**line, first: given[first]}, {**line, second: given[second]})
    assert twice.error["param"] == f"lines[1][{second}]"


def test_a_voided_note_leaves_the_way_of_crediting_open(api: Api) -> None:
    invoice = _open(api, 1000)
    note = _credit(api, invoice, {**_of(invoice, 1000), "amount": 100})["id"]
    api.ok("post", f"{PATH}/{note}/void")
    assert _credit(api, invoice, {**_of(invoice, 1000), "quantity": 1})["amount"] == 500


@pytest.mark.parametrize(("amount", "param"), [(-401, "lines[1][amount]"), (10, "lines[1][amount]"), (-400, None)])
def test_a_negative_line_is_credited_by_a_negative_amount_up_to_its_own(
    api: Api, amount: int, param: str | None
) -> None:
    invoice = _open(api, 1000, -400)
    whole = {**_of(invoice, 1000), "amount": 1000}
    note = _credit(api, invoice, whole, {**_of(invoice, -400), "amount": amount})
    if param is None:
        assert (note["amount"], api.get(f"/v1/invoices/{invoice['id']}")["status"]) == (600, "paid")
    else:
        assert (note.status, note.error["param"]) == (400, param)


def test_the_sum_of_a_note_and_its_own_lines_are_positive(api: Api) -> None:
    invoice = _open(api, 1000, -400)
    below = _credit(api, invoice, {**_of(invoice, -400), "quantity": 1})
    assert (below.status, below.error["param"]) == (400, "lines")
    own = {"type": "custom_line_item", "description": "Rest", "quantity": 1, "unit_amount": -100}
    refused = _credit(api, invoice, {**_of(invoice, 1000), "quantity": 2}, own)
    assert (refused.status, refused.error["param"]) == (400, "lines[1][unit_amount]")


@pytest.mark.parametrize(("inclusive", "total"), [(True, 600), (False, 720)])
def test_a_line_of_its_own_is_taxed_by_its_rates(api: Api, inclusive: bool, total: int) -> None:
    rate = api.ok("post", "/v1/tax_rates", display_name="VAT", percentage=20, inclusive=inclusive)["id"]
    own = {"type": "custom_line_item", "description": "Rest", "quantity": 2, "unit_amount": 300, "tax_rates": [rate]}
    note = _credit(api, _open(api, 1000), own)
    tax = {"amount": 100 if inclusive else 120, "taxable_amount": 500 if inclusive else 600}
    assert (note["total"], note["subtotal"], note["total_excluding_tax"]) == (total, 600, 500 if inclusive else 600)
    assert {name: note["lines"]["data"][0]["taxes"][0][name] for name in tax} == tax


def test_a_share_of_the_taxes_of_a_line_is_credited_with_it(api: Api) -> None:
    rate = api.ok("post", "/v1/tax_rates", display_name="VAT", percentage=25, inclusive=True)["id"]
    invoice = _open(api, 1000, default_tax_rates=[rate])
    assert (invoice["total"], invoice["total_excluding_tax"]) == (1000, 800)
    note = _credit(api, invoice, {**_of(invoice, 1000), "quantity": 1})
    assert (note["total"], note["total_excluding_tax"]) == (500, 400)
