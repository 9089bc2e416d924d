"""ConfirmationTokens: what a customer entered in the browser, used once by the server that confirms."""

from __future__ import annotations

from tests.support.api import Api
from tests.support.openapi import assert_valid


def _token(api: Api, **params: object) -> str:
    made = api.ok("POST", "/v1/test_helpers/confirmation_tokens", **params)
    assert_valid("POST", "/v1/test_helpers/confirmation_tokens", 200, dict(made))
    return str(made["id"])


def test_a_token_carries_the_payment_method_to_one_confirmation(api: Api) -> None:
    token = _token(api, payment_method="pm_card_visa", return_url="https://shop.example/")
    given = {
        "amount": 900,
        "currency": "usd",
        "confirm": True,
        "automatic_payment_methods": {"enabled": True},
        "confirmation_token": token,
    }
    intent = api.ok("POST", "/v1/payment_intents", **given)
    assert intent["status"] == "succeeded"
    assert api.get(f"/v1/confirmation_tokens/{token}")["payment_intent"] == intent["id"]
    assert "already been used" in api.post("/v1/payment_intents", **given).error["message"]


def test_a_token_is_good_for_twelve_hours(api: Api) -> None:
    token = _token(api, payment_method="pm_card_visa")
    api.advance(12 * 3600)
    given = {
        "amount": 900,
        "currency": "usd",
        "confirm": True,
        "allowed_payment_method_types": ["card"],
        "confirmation_token": token,
    }
    assert "expired" in api.post("/v1/payment_intents", **given).error["message"]


def test_a_browser_makes_a_token_with_its_publishable_key(api: Api) -> None:
    data = {"type": "card", "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123"}}
    made = api.post("/v1/confirmation_tokens", key=api.pk, payment_method_data=data)
    assert made.status == 200
    assert api.get(f"/v1/confirmation_tokens/{made['id']}")["payment_method_preview"]["card"]["last4"] == "4242"
