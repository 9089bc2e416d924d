"""Payments that were asked for with a tax calculation: what their success and their refunds record in Tax."""

from __future__ import annotations

from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid

_ADDRESS = {"country": "DE", "postal_code": "10115"}


def calculated(api: Api, currency: str = "eur") -> str:
    api.ok(
        "POST", "/v1/tax/registrations", country="DE", active_from="now", country_options={"de": {"type": "oss_union"}}
    )
    made = api.ok(
        "POST",
        "/v1/tax/calculations",
        currency=currency,
        customer_details={"address": _ADDRESS, "address_source": "billing"},
        line_items=[{"amount": 1000, "reference": "one"}],
        shipping_cost={"amount": 119, "tax_behavior": "inclusive"},
    )
    assert made["amount_total"] == 1309
    found: str = made["id"]
    return found


def paid(api: Api, calculation: str, currency: str = "eur") -> str:
    made = api.ok(
        "POST",
        "/v1/payment_intents",
        amount=1309,
        currency=currency,
        allowed_payment_method_types=["card"],
        confirm=True,
        payment_method="pm_card_visa",
        hooks={"inputs": {"tax": {"calculation": calculation}}},
    )
    assert made["hooks"] == {"inputs": {"tax": {"calculation": calculation}}}
    found: str = made["id"]
    return found


def association(api: Api, intent: str) -> Answer:
    found = api.ok("GET", "/v1/tax/associations/find", payment_intent=intent)
    assert_valid("GET", "/v1/tax/associations/find", 200, found, strict=True)
    return found


def test_a_paid_intent_records_the_tax_it_was_asked_for_with(api: Api) -> None:
    calculation = calculated(api)
    intent = paid(api, calculation)
    (attempt,) = association(api, intent)["tax_transaction_attempts"]
    assert (attempt["source"], attempt["status"]) == (intent, "committed")
    transaction = api.ok("GET", f"/v1/tax/transactions/{attempt['committed']['transaction']}")
    assert (transaction["reference"], transaction["type"]) == (intent, "transaction")
    second = association(api, paid(api, calculation))["tax_transaction_attempts"][0]
    assert second["errored"] == {"reason": "another_payment_associated_with_calculation"}
    other = association(api, paid(api, calculated(api), currency="usd"))["tax_transaction_attempts"][0]
    assert other["errored"] == {"reason": "currency_mismatch"}


def test_refunds_reverse_the_tax_in_proportion(api: Api) -> None:
    intent = paid(api, calculated(api))
    refund = api.ok("POST", "/v1/refunds", payment_intent=intent, amount=655)
    attempt = association(api, intent)["tax_transaction_attempts"][1]
    assert (attempt["source"], attempt["status"]) == (refund["id"], "committed")
    reversal = api.ok("GET", f"/v1/tax/transactions/{attempt['committed']['transaction']}", expand=["line_items"])
    line, shipping = reversal["line_items"]["data"][0], reversal["shipping_cost"]
    assert line["amount"] + line["amount_tax"] + shipping["amount"] == -655
    assert (line["amount"], line["amount_tax"], shipping["amount_tax"]) == (-500, -95, -10)
