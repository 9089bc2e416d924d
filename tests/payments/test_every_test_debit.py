"""Every test account of bank debits, through the API, as the public tables describe it."""

from __future__ import annotations

import pytest

from tests.support.api import Api


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [
        ("000123456789", "succeeded", None),
        ("000111111113", "requires_payment_method", "account_closed"),
        ("000111111116", "requires_payment_method", "no_account"),
        ("000222222227", "requires_payment_method", "insufficient_funds"),
        ("000333333335", "requires_payment_method", "debit_not_authorized"),
        ("000444444440", "requires_payment_method", "invalid_currency"),
        ("000000000009", "processing", None),
    ],
)
def test_a_bank_debit_ends_as_its_account_number_says(api: Api, number: str, status: str, code: str | None) -> None:
    account = {"account_holder_type": "individual", "account_number": number, "routing_number": "110000000"}
    billing = {"name": "Jenny Rosen", "email": "jenny@example.com"}
    made = api.ok(
        "post", "/v1/payment_methods", type="us_bank_account", us_bank_account=account, billing_details=billing
    )["id"]
    intent = api.ok(
        "post", "/v1/payment_intents", amount=1000, currency="usd", confirm=True, payment_method=made,
        allowed_payment_method_types=["us_bank_account"], mandate_data={"customer_acceptance": {"type": "offline"}},
    )  # fmt: skip
    assert (intent["status"], intent["next_action"]["type"]) == ("requires_action", "verify_with_microdeposits")
    path = f"/v1/payment_intents/{intent['id']}"
    assert api.ok("post", f"{path}/verify_microdeposits", amounts=[32, 45])["status"] == "processing"
    api.advance(30)
    after = api.get(path)
    assert (after["status"], (after["last_payment_error"] or {}).get("code")) == (status, code)
    assert api.get(f"/v1/charges/{after['latest_charge']}")["failure_code"] == code


@pytest.mark.parametrize(
    ("amounts", "code"),
    [
        ([10, 11], "payment_method_microdeposit_verification_attempts_exceeded"),
        ([40, 41], "payment_method_microdeposit_verification_timeout"),
        ([1, 2], "payment_method_microdeposit_verification_amounts_mismatch"),
    ],
)
def test_small_deposits_are_verified_as_the_table_says(api: Api, amounts: list[int], code: str) -> None:
    account = {"account_holder_type": "individual", "account_number": "000123456789", "routing_number": "110000000"}
    made = api.ok(
        "post", "/v1/payment_methods", type="us_bank_account", us_bank_account=account,
        billing_details={"name": "J", "email": "j@example.com"},
    )["id"]  # fmt: skip
    intent = api.ok(
        "post", "/v1/payment_intents", amount=1000, currency="usd", confirm=True, payment_method=made,
        allowed_payment_method_types=["us_bank_account"], mandate_data={"customer_acceptance": {"type": "offline"}},
    )  # fmt: skip
    refused = api.post(f"/v1/payment_intents/{intent['id']}/verify_microdeposits", amounts=amounts)
    assert (refused.status, refused.error["code"]) == (400, code)


def test_a_sepa_debit_tells_its_day_once_the_bank_was_asked(api: Api) -> None:
    billing = {"name": "Jane Doe", "email": "jane@example.com"}
    iban = {"iban": "DE89370400440532013000"}
    made = api.ok("post", "/v1/payment_methods", type="sepa_debit", sepa_debit=iban, billing_details=billing)["id"]
    intent = api.ok(
        "post", "/v1/payment_intents", amount=1000, currency="eur", confirm=True, payment_method=made,
        allowed_payment_method_types=["sepa_debit"],
        mandate_data={"customer_acceptance": {"type": "offline"}},
    )  # fmt: skip
    path = f"/v1/charges/{intent['latest_charge']}"
    assert "expected_debit_date" not in api.ok("get", path)["payment_method_details"]["sepa_debit"]
    api.advance(30)
    charge = api.ok("get", path)
    assert (charge["status"], charge["payment_method_details"]["sepa_debit"]["expected_debit_date"]) == (
        "succeeded",
        "2026-01-01",
    )
