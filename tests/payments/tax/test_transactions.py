"""Tax transactions: what counts in reports, and what takes it back."""

from __future__ import annotations

from tests.payments.tax.steps import calculate, register
from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid

REVERSAL = "/v1/tax/transactions/create_reversal"


def recorded(api: Api, reference: str = "order 1") -> Answer:
    """The transaction of a calculation of 10 euros, with its lines."""
    return api.ok(
        "POST",
        "/v1/tax/transactions/create_from_calculation",
        calculation=calculate(api)["id"],
        reference=reference,
        expand=["line_items"],
    )


def test_a_tax_transaction_is_reversed_once(api: Api) -> None:
    made = recorded(api)
    assert_valid("POST", "/v1/tax/transactions/create_from_calculation", 200, made)
    back = {"mode": "full", "original_transaction": made["id"], "expand": ["line_items"]}
    reversal = api.ok("POST", REVERSAL, reference="back 1", **back)
    assert_valid("POST", REVERSAL, 200, reversal)
    assert reversal["line_items"]["data"][0]["amount"] == -1000
    assert api.post(REVERSAL, reference="back 2", **back).status == 400


def test_a_flat_amount_is_taken_back_of_every_line_with_its_tax(api: Api) -> None:
    register(api, "DE")
    made = recorded(api)
    reversal = api.ok(
        "POST",
        REVERSAL,
        mode="partial",
        original_transaction=made["id"],
        reference="back 1",
        flat_amount=-595,
        expand=["line_items"],
    )
    (line,) = reversal["line_items"]["data"]
    assert (line["amount"], line["amount_tax"], line["type"]) == (-500, -95, "reversal")
    assert line["reversal"] == {"original_line_item": made["line_items"]["data"][0]["id"]}


def test_no_more_than_a_line_had_is_taken_back(api: Api) -> None:
    made = recorded(api)
    line = {"original_line_item": made["line_items"]["data"][0]["id"], "reference": "one", "amount_tax": 0}
    asked = {"mode": "partial", "original_transaction": made["id"], "reference": "back 1"}
    refused = api.post(REVERSAL, **asked, line_items=[{**line, "amount": -1_001}])
    assert refused.error["message"] == "A reversal's amount must be between -1000 and 0."
    assert api.post(REVERSAL, **asked, line_items=[{**line, "amount": -1_000}]).status == 200


def test_a_reference_is_used_once(api: Api) -> None:
    recorded(api)
    refused = api.post(
        "/v1/tax/transactions/create_from_calculation", calculation=calculate(api)["id"], reference="order 1"
    )
    assert (refused.status, refused.error["param"]) == (400, "reference")


def test_a_transaction_is_posted_between_its_tax_date_and_now(api: Api) -> None:
    calculation = calculate(api, tax_date=api.now - 60)["id"]
    path = "/v1/tax/transactions/create_from_calculation"
    for number, (posted, status) in enumerate(((-61, 400), (1, 400), (-60, 200), (0, 200))):
        answer = api.post(path, calculation=calculation, reference=f"posted {number}", posted_at=api.now + posted)
        assert answer.status == status
        assert status == 200 or answer.error["param"] == "posted_at"


def test_a_transaction_in_advance_is_posted_at_any_time(api: Api) -> None:
    calculation = calculate(api, tax_date=api.now + 60)["id"]
    path = "/v1/tax/transactions/create_from_calculation"
    assert api.post(path, calculation=calculation, reference="ahead", posted_at=api.now + 30).status == 200
