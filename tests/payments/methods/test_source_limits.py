"""What a source may be charged with: under its mandate, and with the money that a receiver holds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid

SEPA = {"type": "sepa_debit", "currency": "eur", "sepa_debit": {"iban": "DE89370400440532013000"}}


def _saved(api: Api, **params: Any) -> tuple[str, Answer]:
    """A customer, and a source of theirs."""
    source = api.ok("POST", "/v1/sources", **{**SEPA, "owner": {"name": "Jenny Rosen"}, **params})
    return str(api.ok("POST", "/v1/customers", source=source["id"])["id"]), source


def _charge(api: Api, customer: str, amount: int = 500, currency: str = "eur") -> Answer:
    return api.post("/v1/charges", customer=customer, amount=amount, currency=currency)


@pytest.mark.parametrize("status", ["pending", "refused", "revoked"])
def test_a_source_is_charged_while_its_mandate_is_accepted(api: Api, status: str) -> None:
    customer, source = _saved(api, mandate={"acceptance": {"status": status}})
    assert (_charge(api, customer).status, _charge(api, customer).error["code"]) == (402, "debit_not_authorized")
    assert api.get("/v1/charges")["data"][0]["status"] == "failed"
    api.ok("POST", f"/v1/sources/{source['id']}", mandate={"acceptance": {"status": "accepted"}})
    assert _charge(api, customer).status == 200


def test_a_mandate_for_one_payment_is_used_once(api: Api) -> None:
    customer, _ = _saved(api, mandate={"interval": "one_time"})
    assert [_charge(api, customer).status for _ in range(2)] == [200, 402]


def test_a_mandate_with_an_amount_is_for_payments_of_up_to_that(api: Api) -> None:
    refused = api.post("/v1/sources", **SEPA, owner={"name": "Jenny Rosen"}, mandate={"amount": 500})
    assert (refused.error["code"], refused.error["param"]) == ("parameter_missing", "mandate[currency]")
    customer, _ = _saved(api, mandate={"amount": 500, "currency": "eur"})
    assert [_charge(api, customer, amount).status for amount in (500, 501)] == [200, 402]
    assert _charge(api, customer, 500, "usd").status == 402


@pytest.mark.parametrize(("method", "told"), [("manual", 1), ("none", 0), ("stripe_email", 0)])
def test_a_merchant_who_notifies_the_payer_is_told_of_each_debit(api: Api, method: str, told: int) -> None:
    customer, source = _saved(api, mandate={"notification_method": method})
    assert _charge(api, customer).status == 200
    found = [event["data"]["object"] for event in api.events("source.mandate_notification")]
    assert [(one["source"]["id"], one["amount"], one["reason"]) for one in found] == [
        (source["id"], 500, "debit_initiated")
    ] * told


def test_only_bank_debits_have_a_mandate(api: Api) -> None:
    refused = api.post("/v1/sources", type="card", token="tok_visa", mandate={"interval": "variable"})
    assert (refused.status, refused.error["param"]) == (400, "mandate")


def test_a_receiver_is_charged_for_what_has_arrived(api: Api) -> None:
    owner = {"email": "amount_1500@example.com"}
    source = api.ok("POST", "/v1/sources", type="ach_credit_transfer", currency="usd", owner=owner)
    customer = api.ok("POST", "/v1/customers", source=source["id"])["id"]
    api.advance(5)
    assert [_charge(api, customer, amount, "usd").status for amount in (1000, 600, 500)] == [200, 402, 200]
    receiver = api.get(f"/v1/sources/{source['id']}")["receiver"]
    assert (receiver["amount_received"], receiver["amount_charged"]) == (1500, 1500)


def test_the_order_of_a_source_is_shown_and_replaced(api: Api) -> None:
    address = {"line1": "1 Main Street", "country": "US"}
    made = api.ok(
        "POST", "/v1/sources", type="klarna", amount=700, currency="eur", redirect={"return_url": "https://a.example"},
        owner={"email": "jo@a.example"},
        source_order={
            "items": [{"amount": 600, "currency": "EUR", "description": "Hat", "quantity": 2, "parent": "sku_1"},
                      {"amount": 100, "currency": "eur", "type": "tax"}],
            "shipping": {"address": address, "name": "Jo", "carrier": "UPS", "tracking_number": "1Z"},
        },
    )  # fmt: skip
    assert_valid("POST", "/v1/sources", 200, dict(made))
    order = made["source_order"]
    assert (order["amount"], order["currency"], order["email"]) == (700, "eur", "jo@a.example")
    assert [(one["type"], one["amount"], one["parent"]) for one in order["items"]] == [
        ("sku", 600, "sku_1"),
        ("tax", 100, None),
    ]
    assert (order["shipping"]["carrier"], order["shipping"]["tracking_number"]) == ("UPS", "1Z")
    path = f"/v1/sources/{made['id']}"
    changed = api.ok("POST", path, source_order={"items": [{"amount": 50, "currency": "eur"}]})
    assert (changed["source_order"]["amount"], api.get(path)["source_order"]["amount"]) == (50, 50)
    assert api.post(path, source_order={"items": [{"amount": 50}]}).error["param"] == "source_order[items][0][currency]"


#: What became of the first debit -> the status of the second one under a mandate for one payment.
ENDS = {"succeeds": ("DE89370400440532013000", 402), "fails": ("DE62370400440532013001", 200)}


@pytest.mark.parametrize("end", ENDS)
def test_a_failed_debit_does_not_use_up_a_mandate_for_one_payment(api: Api, end: str) -> None:
    iban, again = ENDS[end]
    customer, _ = _saved(api, sepa_debit={"iban": iban}, mandate={"interval": "one_time"})
    assert _charge(api, customer)["status"] == "pending"
    assert _charge(api, customer).status == 402  # while it is pending it counts
    api.advance(10 * 86_400)
    assert _charge(api, customer).status == again
