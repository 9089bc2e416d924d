"""Manual tax amounts of invoice lines: added and shown as they are given."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.invoices.steps import customer
from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid

DATA = {
    "country": "US",
    "description": "Texas Sales Tax",
    "display_name": "Sales Tax",
    "inclusive": False,
    "jurisdiction": "Texas",
    "percentage": 10,
    "state": "TX",
    "tax_type": "sales_tax",
}


def _draft(api: Api, *amounts: int) -> Answer:
    who = customer(api)
    invoice = api.ok("post", "/v1/invoices", customer=who)["id"]
    for amount in amounts or (1000,):
        api.ok("post", "/v1/invoiceitems", customer=who, invoice=invoice, amount=amount, currency="usd")
    return api.get(f"/v1/invoices/{invoice}")


def _tax(amount: int = 77, **data: Any) -> dict[str, Any]:
    return {"amount": amount, "taxable_amount": 900, "tax_rate_data": {**DATA, **data}}


def _set(api: Api, invoice: Answer, *taxes: dict[str, Any], line: int = 0, **more: Any) -> Answer:
    path = f"/v1/invoices/{invoice['id']}/lines/{invoice['lines']['data'][line]['id']}"
    return api.post(path, tax_amounts=list(taxes) or "", **more)


@pytest.mark.parametrize(("inclusive", "total"), [(False, 1077), (True, 1000)])
def test_amounts_are_added_as_they_are_given(api: Api, inclusive: bool, total: int) -> None:
    invoice = _draft(api)
    line = _set(api, invoice, _tax(inclusive=inclusive))
    assert_valid("POST", "/v1/invoices/{invoice}/lines/{line_item_id}", 200, dict(line))
    (tax,) = line["taxes"]
    assert (tax["amount"], tax["taxable_amount"]) == (77, 900)
    after = api.get(f"/v1/invoices/{invoice['id']}")
    assert (after["total"], after["total_excluding_tax"]) == (total, total - 77)
    assert after["total_taxes"] == [tax]
    done = api.ok("post", f"/v1/invoices/{invoice['id']}/finalize")
    assert (done["total"], done["lines"]["data"][0]["taxes"]) == (total, [tax])


def test_the_same_data_give_the_same_archived_rate(api: Api) -> None:
    invoice = _draft(api, 1000, 500)
    lines = [
        _set(api, invoice, _tax(), line=0),
        _set(api, invoice, _tax(5), _tax(1, percentage=7), line=1),
    ]
    named = [tax["tax_rate_details"]["tax_rate"] for line in lines for tax in line["taxes"]]
    assert named[0] == named[1] != named[2]
    rate = api.get(f"/v1/tax_rates/{named[0]}")
    assert (rate["active"], rate["percentage"], rate["jurisdiction"], rate["state"]) == (False, 10, "Texas", "TX")
    after = api.get(f"/v1/invoices/{invoice['id']}")
    assert [tax["amount"] for tax in after["total_taxes"]] == [82, 1]


def test_a_reason_is_shown_and_an_empty_text_takes_the_amounts_away(api: Api) -> None:
    invoice = _draft(api)
    line = _set(api, invoice, {**_tax(0), "taxability_reason": "reverse_charge"})
    assert (line["taxes"][0]["taxability_reason"], line["taxes"][0]["taxable_amount"]) == ("reverse_charge", 900)
    assert _set(api, invoice)["taxes"] == []
    assert api.get(f"/v1/invoices/{invoice['id']}")["total_taxes"] == []


def test_amounts_stay_when_the_line_changes(api: Api) -> None:
    invoice = _draft(api)
    _set(api, invoice, _tax())
    line = f"/v1/invoices/{invoice['id']}/lines/{invoice['lines']['data'][0]['id']}"
    assert api.ok("post", line, amount=2000)["taxes"][0]["amount"] == 77
    assert api.get(f"/v1/invoices/{invoice['id']}")["total"] == 2077


def test_lines_are_added_and_changed_together_with_their_amounts(api: Api) -> None:
    invoice = _draft(api)
    path = f"/v1/invoices/{invoice['id']}"
    added = api.ok("post", f"{path}/add_lines", lines=[{"amount": 100, "tax_amounts": [_tax(9)]}])
    assert added["total"] == 1109
    first = added["lines"]["data"][0]["id"]
    changed = api.ok("post", f"{path}/update_lines", lines=[{"id": first, "tax_amounts": [_tax(1)]}])
    assert changed["total"] == 1110
    api.ok("post", f"{path}/finalize")
    revision = api.ok("post", "/v1/invoices", from_invoice={"invoice": invoice["id"], "action": "revision"})
    assert revision["total"] == 1110


def test_a_line_with_amounts_gets_no_tax_rates_and_a_rate_of_amounts_is_for_nothing_else(api: Api) -> None:
    invoice = _draft(api)
    manual = _set(api, invoice, _tax())["taxes"][0]["tax_rate_details"]["tax_rate"]
    own = api.ok("post", "/v1/tax_rates", display_name="VAT", percentage=20, inclusive=False)["id"]
    path = f"/v1/invoices/{invoice['id']}"
    line = f"{path}/lines/{invoice['lines']['data'][0]['id']}"
    refused = api.post(line, tax_rates=[own])
    assert (refused.status, refused.error["param"]) == (400, "tax_rates")
    other = _draft(api)
    for place, given in (
        (f"/v1/invoices/{other['id']}", {"default_tax_rates": [manual]}),
        (f"/v1/invoices/{other['id']}/lines/{other['lines']['data'][0]['id']}", {"tax_rates": [manual]}),
    ):
        refused = api.post(place, **given)
        assert (refused.status, next(iter(given)) in refused.error["param"]) == (400, True)


def test_before_2025_03_31_amounts_are_shown_beside_no_rates(api: Api) -> None:
    invoice = _draft(api)
    _set(api, invoice, _tax())
    (line,) = api.under("2024-06-20").get(f"/v1/invoices/{invoice['id']}")["lines"]["data"]
    (amount,) = line["tax_amounts"]
    assert (amount["amount"], amount["inclusive"], amount["taxability_reason"]) == (77, False, None)
    assert line["tax_rates"] == []


def test_a_credit_note_of_such_a_line_names_its_tax_amounts(api: Api) -> None:
    invoice = _draft(api)
    rate = _set(api, invoice, _tax())["taxes"][0]["tax_rate_details"]["tax_rate"]
    own = api.ok("post", "/v1/tax_rates", display_name="VAT", percentage=20, inclusive=False)["id"]
    done = api.ok("post", f"/v1/invoices/{invoice['id']}/finalize")
    line = {"type": "invoice_line_item", "invoice_line_item": done["lines"]["data"][0]["id"], "quantity": 1}

    def credit(*taxes: dict[str, Any]) -> Answer:
        given = {"tax_amounts": list(taxes)} if taxes else {}
        return api.post("/v1/credit_notes", invoice=done["id"], lines=[{**line, **given}])

    assert credit().error["param"] == "lines[0][tax_amounts]"
    amount = {"amount": 7, "taxable_amount": 90}
    assert credit({**amount, "tax_rate": own}).error["param"] == "lines[0][tax_amounts][0][tax_rate]"
    note = credit({**amount, "tax_rate": rate})
    assert (note["total"], note["total_taxes"][0]["amount"]) == (1007, 7)
