"""Paying from a customer's cash balance: bank transfers that arrive, perhaps in parts, and are applied to what waits
for them.
"""

from __future__ import annotations

from typing import Any

import pytest

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


#: currency, ``bank_transfer``, and the parameter that is refused
ASKED: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("usd", {"type": "eu_bank_transfer"}, "[type]"),
    ("usd", {"type": "us_bank_transfer", "eu_bank_transfer": {"country": "DE"}}, "[eu_bank_transfer]"),
    ("eur", {"type": "eu_bank_transfer", "eu_bank_transfer": {"country": "GB"}}, "[eu_bank_transfer][country]"),
    ("eur", {"type": "eu_bank_transfer", "requested_address_types": ["zengin"]}, "[requested_address_types]"),
)


@pytest.mark.parametrize(("currency", "transfer", "name"), ASKED)
def test_a_transfer_is_of_the_currency_s_type_and_to_its_addresses(
    api: Api, currency: str, transfer: dict[str, Any], name: str
) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    refused = api.post(
        "/v1/payment_intents", amount=2_000, currency=currency, customer=customer, confirm=True,
        allowed_payment_method_types=["customer_balance"], payment_method_data={"type": "customer_balance"},
        payment_method_options={"customer_balance": {"funding_type": "bank_transfer", "bank_transfer": transfer}},
    )  # fmt: skip
    param = f"payment_method_options[customer_balance][bank_transfer]{name}"
    assert (refused.status, refused.error["param"]) == (400, param)
    path = f"/v1/customers/{customer}/funding_instructions"
    asked = api.post(path, bank_transfer=transfer, currency=currency, funding_type="bank_transfer")
    assert (asked.status, asked.error["param"]) == (400, f"bank_transfer{name}")


def test_an_account_for_euros_is_in_the_country_that_is_asked_for(api: Api) -> None:
    path = f"/v1/customers/{api.ok('POST', '/v1/customers')['id']}/funding_instructions"
    for country in ("FR", "DE", "FR"):
        transfer = {
            "type": "eu_bank_transfer", "eu_bank_transfer": {"country": country}, "requested_address_types": ["iban"],
        }  # fmt: skip
        found = api.ok("POST", path, bank_transfer=transfer, currency="eur", funding_type="bank_transfer")
        assert found["bank_transfer"]["country"] == country
        (address,) = found["bank_transfer"]["financial_addresses"]
        assert (address["iban"]["country"], address["iban"]["iban"][:2]) == (country, country)
