"""The challenge page: where the customer stands in for the bank, and passes or fails the authentication."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.intents.steps import challenge, pay, setup, types
from tests.support.api import Api

BACK = "https://shop.example/done?order=7"


def test_a_challenge_is_passed_in_the_browser_and_the_customer_sent_back(api: Api) -> None:
    intent = pay(api, "pm_card_threeDSecure2Required", return_url=BACK)
    assert (intent["status"], intent["next_action"]["type"]) == ("requires_action", "redirect_to_url")
    page = challenge(api, intent)
    assert page.status == 200
    assert b"$20.00 USD" in page.body
    assert "form-action 'self' https://shop.example;" in page.headers["content-security-policy"]
    answer = challenge(api, intent, "complete")
    secret = intent["client_secret"]
    told = f"&payment_intent={intent['id']}&payment_intent_client_secret={secret}&redirect_status=succeeded"
    assert (answer.status, answer.headers["location"]) == (303, BACK + told)
    assert api.get(f"/v1/payment_intents/{intent['id']}")["status"] == "succeeded"
    assert types(api) == [
        "payment_intent.created",
        "payment_intent.requires_action",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]


def test_a_challenge_that_stripe_js_shows_may_be_framed_and_sends_nobody_anywhere(api: Api) -> None:
    intent = pay(api, "pm_card_threeDSecure2Required", return_url=BACK, use_stripe_sdk=True)
    url = intent["next_action"]["use_stripe_sdk"]["stripe_js"].removeprefix(api.core.setup.base_url)
    alone, framed = (api.get(url, key=None, **given) for given in ({}, {"framed": "1"}))
    policies = [page.headers["content-security-policy"] for page in (alone, framed)]
    assert ["frame-ancestors 'none'" in policy for policy in policies] == [True, False]
    assert [b'name="framed"' in page.body for page in (alone, framed)] == [False, True]
    assert [b"autofocus" in page.body for page in (alone, framed)] == [True, False]
    done = api.post(f"{url}/complete", key=None, framed="1")
    assert (done.status, b"Authentication complete" in done.body) == (200, True)
    assert api.get(f"/v1/payment_intents/{intent['id']}")["status"] == "succeeded"


def test_a_challenge_cannot_be_answered_twice(api: Api) -> None:
    intent = pay(api, "pm_card_threeDSecure2Required", return_url=BACK)
    challenge(api, intent, "fail")
    challenge(api, intent, "complete")
    assert api.get(f"/v1/payment_intents/{intent['id']}")["status"] == "requires_payment_method"


def test_a_redirect_method_is_authorized_on_its_page(api: Api) -> None:
    intent = api.post(
        "/v1/payment_intents", amount=2000, currency="eur", allowed_payment_method_types=["ideal"],
        payment_method_data={"type": "ideal"},
        confirm=True, return_url=BACK,
    )  # fmt: skip
    assert intent["status"] == "requires_action"
    challenge(api, intent, "complete")
    assert api.get(f"/v1/payment_intents/{intent['id']}")["status"] == "succeeded"


def test_a_typed_bank_account_is_verified_on_its_page(api: Api) -> None:
    method = api.ok(
        "POST", "/v1/payment_methods", type="us_bank_account", billing_details={"name": "Jenny"},
        us_bank_account={"account_number": "000123456789", "routing_number": "110000000",
        "account_holder_type": "individual"},
    )["id"]  # fmt: skip
    intent = setup(
        api,
        method,
        allowed_payment_method_types=["us_bank_account"],
        mandate_data={"customer_acceptance": {"type": "offline"}},
    )
    path = intent["next_action"]["verify_with_microdeposits"]["hosted_verification_url"].removeprefix(
        api.core.setup.base_url
    )
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert (
        b'role="alert"'
        in api.send("POST", f"{path}/verify", key=None, headers=form, body=b"descriptor_code=SM00AA").body
    )
    assert (
        b"verified" in api.send("POST", f"{path}/verify", key=None, headers=form, body=b"descriptor_code=sm11aa").body
    )
    assert api.get(f"/v1/setup_intents/{intent['id']}")["status"] == "succeeded"


BANK = {
    "payment_method_data": {
        "type": "us_bank_account",
        "billing_details": {"name": "Jenny"},
        "us_bank_account": {
            "account_number": "000123456789", "routing_number": "110000000", "account_holder_type": "individual",
        },
    },
    "mandate_data": {"customer_acceptance": {"type": "offline"}},
}  # fmt: skip
TRANSFER = {
    "payment_method_data": {"type": "customer_balance"},
    "payment_method_options": {
        "customer_balance": {"funding_type": "bank_transfer", "bank_transfer": {"type": "us_bank_transfer"}}
    },
}


@pytest.mark.parametrize(
    ("kind", "later"),
    [
        ("payment_intents", BANK),
        ("payment_intents", TRANSFER),
        ("payment_intents", {"payment_method_data": {"type": "cashapp"}}),
        ("payment_intents", {"payment_method": "pm_card_threeDSecure2Required"}),
        ("setup_intents", BANK),
        ("setup_intents", {"payment_method": "pm_card_threeDSecure2Required"}),
    ],
)
def test_the_page_of_an_earlier_step_answers_no_later_one(api: Api, kind: str, later: dict[str, Any]) -> None:
    """Whoever kept it could otherwise pay without the transfer, and verify a bank account without its code."""
    types = {"allowed_payment_method_types": ["card", "us_bank_account"]}
    if kind == "payment_intents":
        types["allowed_payment_method_types"] += ["customer_balance", "cashapp"]
    customer = api.ok("POST", "/v1/customers")["id"]
    made = {"customer": customer, "return_url": BACK, **types}
    method = "pm_card_threeDSecure2Required"
    first = (pay if kind == "payment_intents" else setup)(api, method, **made)
    challenge(api, first, "fail")
    path = f"/v1/{kind}/{first['id']}"
    waiting = api.ok("POST", f"{path}/confirm", return_url=BACK, **later)
    assert waiting["status"] == "requires_action"
    for answer in ("complete", "fail", ""):
        challenge(api, first, answer)
        now = api.get(path)
        assert (now["status"], now["next_action"]) == ("requires_action", waiting["next_action"])
