"""Verifying a US bank account with the small deposits that were sent to it (reference section 6.10)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.intents.steps import pay
from tests.support.api import Answer, Api

ATTEMPTS = 10
EXCEEDED = "payment_method_microdeposit_verification_attempts_exceeded"
BANK = {
    "type": "us_bank_account",
    "us_bank_account": {
        "account_holder_type": "individual",
        "account_number": "000123456789",
        "routing_number": "110000000",
    },
    "billing_details": {"name": "Jenny Rosen", "email": "jenny@example.com"},
}


OPTIONS = {"us_bank_account": {"verification_method": "microdeposits"}}
MANDATE = {"customer_acceptance": {"type": "offline"}}


def waiting(api: Api, kind: str, method: str) -> Answer:
    """An intent that waits for the deposits to that bank account."""
    amount = {"amount": 2000, "currency": "usd"} if kind == "payment_intents" else {}
    intent = api.ok(
        "POST", f"/v1/{kind}", payment_method=method, confirm=True, allowed_payment_method_types=["us_bank_account"],
        payment_method_options=OPTIONS, mandate_data=MANDATE, **amount,
    )  # fmt: skip
    assert intent["next_action"]["type"] == "verify_with_microdeposits"
    return intent


@pytest.mark.parametrize("wrong", [{"amounts": [1, 2]}, {"descriptor_code": "SM99ZZ"}], ids=["amounts", "code"])
@pytest.mark.parametrize("kind", ["payment_intents", "setup_intents"])
def test_deposits_can_be_guessed_ten_times_and_the_right_answer_comes_too_late(
    api: Api, kind: str, wrong: dict[str, Any]
) -> None:
    method = api.ok("POST", "/v1/payment_methods", **BANK)["id"]
    intent = waiting(api, kind, method)
    path = f"/v1/{kind}/{intent['id']}/verify_microdeposits"
    secret = {"client_secret": intent["client_secret"], "key": api.pk}
    codes = [api.post(path, **wrong, **secret).error["code"] for _ in range(ATTEMPTS)]
    assert all(code.endswith("mismatch") for code in codes[:-1]), codes
    assert codes[-1] == EXCEEDED
    assert api.get(f"/v1/{kind}/{intent['id']}")["status"] == "requires_payment_method"


def test_another_intent_for_the_same_bank_account_gives_no_further_tries(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    method = api.ok("POST", "/v1/payment_methods", **BANK)["id"]
    api.ok("POST", f"/v1/payment_methods/{method}/attach", customer=customer)
    made = []
    for _ in range(2):
        made.append(
            api.ok(
                "POST", "/v1/setup_intents", payment_method=method, customer=customer, confirm=True,
                mandate_data=MANDATE,
                allowed_payment_method_types=["us_bank_account"], payment_method_options=OPTIONS,
            )
        )  # fmt: skip
    for number in range(ATTEMPTS - 1):
        api.post(f"/v1/setup_intents/{made[number % 2]['id']}/verify_microdeposits", amounts=[1, 2])
    last = api.post(f"/v1/setup_intents/{made[0]['id']}/verify_microdeposits", amounts=[1, 2])
    assert last.error["code"] == EXCEEDED
    late = api.post(f"/v1/setup_intents/{made[1]['id']}/verify_microdeposits", amounts=[32, 45])
    assert (late.status, late.error["code"]) == (400, EXCEEDED)


def test_the_page_of_the_deposits_ends_after_ten_codes_too(api: Api) -> None:
    intent = waiting(api, "setup_intents", api.ok("POST", "/v1/payment_methods", **BANK)["id"])
    url = intent["next_action"]["verify_with_microdeposits"]["hosted_verification_url"]
    path = url.removeprefix(api.core.setup.base_url)
    for _ in range(ATTEMPTS):
        api.post(path + "/verify", key=None, descriptor_code="SM00AA")
    api.post(path + "/verify", key=None, descriptor_code="SM11AA")
    assert api.get(f"/v1/setup_intents/{intent['id']}")["status"] == "requires_payment_method"


def test_deposits_verify_a_bank_account_before_the_debit(api: Api) -> None:
    intent = pay(
        api, "pm_usBankAccount_success", allowed_payment_method_types=["us_bank_account"],
        mandate_data={"customer_acceptance": {"type": "offline"}},
        payment_method_options={"us_bank_account": {"verification_method": "microdeposits"}},
    )  # fmt: skip
    assert intent["next_action"]["type"] == "verify_with_microdeposits"
    path = intent["next_action"]["verify_with_microdeposits"]["hosted_verification_url"].removeprefix(
        api.core.setup.base_url
    )
    assert b"SM11AA" in api.send("GET", path, key=None).body
    wrong = api.post(f"/v1/payment_intents/{intent['id']}/verify_microdeposits", descriptor_code="SM99ZZ")
    assert wrong.error["code"] == "payment_method_microdeposit_verification_descriptor_code_mismatch"
    assert (
        api.post(f"/v1/payment_intents/{intent['id']}/verify_microdeposits", amounts=[32, 45])["status"] == "processing"
    )


@pytest.mark.parametrize(("kind", "name"), [("payment", "PaymentIntent"), ("setup", "SetupIntent")])
def test_deposits_are_verified_while_an_action_is_required(api: Api, kind: str, name: str) -> None:
    given = {"amount": 500, "currency": "usd"} if kind == "payment" else {}
    path = f"/v1/{kind}_intents/{api.ok('POST', f'/v1/{kind}_intents', **given)['id']}"
    assert api.post(f"{path}/verify_microdeposits", amounts=[32, 45]).refusal == (
        400,
        "intent_invalid_state",
        None,
        f"This {name} cannot be actioned on because it has a status of requires_payment_method. Only a {name} with one"
        ' of the following statuses may be actioned on: ["requires_action"].',
    )
