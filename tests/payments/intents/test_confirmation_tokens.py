"""ConfirmationTokens, CustomerSessions, configurations and domains."""

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
        "payment_method_types": ["card"],
        "confirmation_token": token,
    }
    assert "expired" in api.post("/v1/payment_intents", **given).error["message"]


def test_a_browser_makes_a_token_with_its_publishable_key(api: Api) -> None:
    data = {"type": "card", "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123"}}
    made = api.post("/v1/confirmation_tokens", key=api.pk, payment_method_data=data)
    assert made.status == 200
    assert api.get(f"/v1/confirmation_tokens/{made['id']}")["payment_method_preview"]["card"]["last4"] == "4242"


def test_a_customer_session_names_what_is_enabled(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    session = api.ok(
        "POST", "/v1/customer_sessions", customer=customer, components={"payment_element": {"enabled": True}}
    )
    assert_valid("POST", "/v1/customer_sessions", 200, dict(session))
    assert session["components"]["payment_element"]["enabled"] is True
    assert session["components"]["pricing_table"]["enabled"] is False
    assert session["expires_at"] == api.now + 1800


def test_a_configuration_is_made_listed_and_changed(api: Api) -> None:
    made = api.ok(
        "POST", "/v1/payment_method_configurations", name="Shop", card={"display_preference": {"preference": "off"}}
    )
    assert_valid("POST", "/v1/payment_method_configurations", 200, dict(made))
    assert made["card"]["display_preference"]["value"] == "off"
    listed = api.get("/v1/payment_method_configurations")
    assert_valid("GET", "/v1/payment_method_configurations", 200, dict(listed))
    assert [one["is_default"] for one in listed["data"]] == [False, True]


def test_a_domain_is_registered_once_and_switched_off(api: Api) -> None:
    made = api.ok("POST", "/v1/payment_method_domains", domain_name="Shop.example")
    assert_valid("POST", "/v1/payment_method_domains", 200, dict(made))
    assert api.ok("POST", "/v1/payment_method_domains", domain_name="shop.example")["id"] == made["id"]
    off = api.ok("POST", f"/v1/payment_method_domains/{made['id']}", enabled=False)
    assert off["apple_pay"]["status"] == "inactive"
    assert api.post("/v1/payment_method_domains", domain_name="not a domain").error["param"] == "domain_name"


def test_an_apple_pay_domain_comes_and_goes(api: Api) -> None:
    made = api.ok("POST", "/v1/apple_pay/domains", domain_name="shop.example")
    assert api.delete(f"/v1/apple_pay/domains/{made['id']}") == {
        "id": made["id"],
        "object": "apple_pay_domain",
        "deleted": True,
    }
    error = api.delete("/v1/apple_pay/domains/none").error
    assert (error["message"], error["param"]) == ("No such apple_pay_domain: 'none'", "domain")
