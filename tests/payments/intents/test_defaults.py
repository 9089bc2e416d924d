"""A payment method that becomes its customer's default by paying, or by being saved."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.methods.apps import IOS, Shop
from tests.support.api import Answer, Api
from tests.support.recipes import CARD

ENABLED = {"payment_method_set_as_default": "enabled", "payment_method_save": "enabled"}
BACK = "https://shop.example/back"


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


def default(shop: Shop) -> str | None:
    found: str | None = shop.api.get(f"/v1/customers/{shop.customer}")["invoice_settings"]["default_payment_method"]
    return found


def intent(shop: Shop, path: str = "/v1/payment_intents", **more: Any) -> Answer:
    amount = {"amount": 500, "currency": "usd"} if path == "/v1/payment_intents" else {}
    return shop.api.ok("POST", path, customer=shop.customer, **amount, **more)


def confirmed(shop: Shop, made: Answer, **sent: Any) -> Answer:
    path = f"/v1/{made['object']}s/{made['id']}/confirm"
    params = {"return_url": BACK, "client_secret": made["client_secret"], **sent}
    return shop.api.post(path, key=shop.api.pk, headers=IOS, **params)


NEW = {"payment_method_data": {"type": "card", "card": CARD, "allow_redisplay": "always"}}


@pytest.mark.parametrize("path", ["/v1/payment_intents", "/v1/setup_intents"])
def test_a_card_that_was_saved_becomes_the_default(shop: Shop, path: str) -> None:
    shop.session(**ENABLED)
    usage = {"setup_future_usage": "off_session"} if path == "/v1/payment_intents" else {}
    paid = confirmed(shop, intent(shop, path), set_as_default_payment_method=True, **usage, **NEW)
    assert (paid.status, paid["status"]) == (200, "succeeded")
    assert default(shop) == paid["payment_method"]


def test_it_becomes_the_default_once_it_was_authenticated(shop: Shop) -> None:
    shop.session(**ENABLED)
    made = intent(shop)
    asked = {"payment_method": "pm_card_threeDSecure2Required", "setup_future_usage": "off_session"}
    waiting = confirmed(shop, made, set_as_default_payment_method=True, **asked)
    assert (waiting["status"], default(shop)) == ("requires_action", None)
    page = waiting["next_action"]["redirect_to_url"]["url"].removeprefix(shop.api.core.setup.base_url)
    assert shop.api.post(f"{page}/complete", key=None).status == 303
    paid = shop.api.get(f"/v1/payment_intents/{made['id']}")
    assert (paid["status"], default(shop)) == ("succeeded", paid["payment_method"])


def test_a_card_that_was_declined_or_not_saved_becomes_none(shop: Shop) -> None:
    shop.session(**ENABLED)
    declined = confirmed(
        shop, intent(shop), set_as_default_payment_method=True, payment_method="pm_card_visa_chargeDeclined"
    )
    assert (declined.status, default(shop)) == (402, None)
    paid = confirmed(shop, intent(shop), set_as_default_payment_method=True, **NEW)
    assert (paid["status"], default(shop)) == ("succeeded", None)


@pytest.mark.parametrize("kind", ["none", "not granted", "expired", "another customer's"])
def test_without_a_session_that_grants_it_nothing_is_confirmed(shop: Shop, kind: str) -> None:
    if kind == "not granted":
        shop.session(payment_method_save="enabled")
    elif kind == "expired":
        shop.session(**ENABLED)
        shop.api.advance(1800)
    elif kind == "another customer's":
        Shop(shop.api).session(**ENABLED)
    made = intent(shop, setup_future_usage="off_session")
    refused = confirmed(shop, made, set_as_default_payment_method=True, **NEW)
    assert refused.status == 403
    assert shop.api.get(f"/v1/payment_intents/{made['id']}")["status"] == "requires_payment_method"
    assert confirmed(shop, made, set_as_default_payment_method=False, **NEW)["status"] == "succeeded"
    assert default(shop) is None


def test_a_server_does_not_send_it(shop: Shop) -> None:
    path = f"/v1/payment_intents/{intent(shop)['id']}/confirm"
    refused = shop.api.post(path, payment_method="pm_card_visa", set_as_default_payment_method=True)
    assert (refused.status, refused.error["code"]) == (400, "parameter_unknown")


# -- through a confirmation token


def token(shop: Shop, key: str, **sent: Any) -> Answer:
    said = {"mode": "payment", "currency": "usd", "customer": shop.customer}
    return shop.api.post("/v1/confirmation_tokens", key=key, headers=IOS, client_context=said, **sent)


def test_a_token_carries_it_to_the_server(shop: Shop) -> None:
    saved = shop.card()
    key = shop.key(**ENABLED, payment_method_redisplay="enabled")
    made = token(shop, key, payment_method=saved, return_url=BACK, set_as_default_payment_method=True)
    assert (made.status, made["payment_method_preview"]["card"]["last4"]) == (200, "4242")
    path = f"/v1/payment_intents/{intent(shop)['id']}/confirm"
    assert shop.api.ok("POST", path, confirmation_token=made["id"])["status"] == "succeeded"
    assert default(shop) == saved


def test_an_app_makes_tokens_of_what_its_customer_has_saved_and_of_nothing_else(shop: Shop) -> None:
    other = Shop(shop.api)
    theirs, hidden = other.card(), shop.card(allow_redisplay="limited")
    loose = shop.api.ok("POST", "/v1/payment_methods", type="card", card={"token": "tok_visa"})["id"]
    key, legacy = shop.key(payment_method_redisplay="enabled"), shop.legacy_key()
    for id, by in ((theirs, key), (theirs, legacy), (hidden, key), (loose, legacy), (theirs[:-6] + "zzzzzz", legacy)):
        refused = token(shop, by, payment_method=id)
        assert (refused.status, refused.error["param"]) == (400, "payment_method")
        assert "last4" not in refused.body.decode()
    assert token(shop, legacy, payment_method=hidden).status == 200
    assert token(shop, shop.key(), payment_method=hidden).status == 403
    assert token(shop, legacy, payment_method_data={"type": "card", "card": CARD}).status == 400
