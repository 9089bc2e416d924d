"""Paying from a customer's cash balance: bank transfers that arrive, perhaps in parts, and are applied to what waits
for them.
"""

from __future__ import annotations

from tests.payments.intents.steps import types
from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid


def test_a_bank_transfer_in_parts_funds_the_intent_until_it_is_paid(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    intent = api.post(
        "/v1/payment_intents", amount=20_000, currency="jpy", customer=customer, confirm=True,
        allowed_payment_method_types=["customer_balance"],
        payment_method_data={"type": "customer_balance"},
        payment_method_options={"customer_balance": {"funding_type": "bank_transfer",
        "bank_transfer": {"type": "jp_bank_transfer"}}},
    )  # fmt: skip
    assert_valid("POST", "/v1/payment_intents", 200, dict(intent))

    def arrives(amount: int) -> Answer:
        api.ok("POST", f"/v1/test_helpers/customers/{customer}/fund_cash_balance", amount=amount, currency="jpy")
        return api.get(f"/v1/payment_intents/{intent['id']}")

    after = arrives(5_000)
    assert after["next_action"]["display_bank_transfer_instructions"]["amount_remaining"] == 15_000
    assert types(api)[-1] == "payment_intent.partially_funded"
    assert arrives(20_000)["status"] == "succeeded"
    balance = api.get(f"/v1/customers/{customer}/cash_balance")
    assert balance["available"] == {"jpy": 5_000}
    assert_valid("GET", "/v1/customers/{customer}/cash_balance", 200, dict(balance))
    moved = api.get(f"/v1/customers/{customer}/cash_balance_transactions")["data"]
    assert [line["net_amount"] for line in moved] == [-15_000, 20_000, -5_000, 5_000]


def test_no_more_cash_is_applied_than_is_there_and_is_asked_for(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    transfer = {"funding_type": "bank_transfer", "bank_transfer": {"type": "us_bank_transfer"}}
    intent = api.ok(
        "POST", "/v1/payment_intents", amount=2_000, currency="usd", customer=customer, confirm=True,
        allowed_payment_method_types=["customer_balance"], payment_method_data={"type": "customer_balance"},
        payment_method_options={"customer_balance": transfer},
    )  # fmt: skip
    for amount in (1, 2_001):
        refused = api.post(f"/v1/payment_intents/{intent['id']}/apply_customer_balance", amount=amount)
        assert (refused.status, refused.error["code"], refused.error["param"]) == (400, "amount_too_large", "amount")
    assert api.get(f"/v1/payment_intents/{intent['id']}") == intent
