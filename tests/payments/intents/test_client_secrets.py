"""What a browser must know to touch an intent: its ``client_secret`` (reference section 3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.intents.steps import PAYMENT
from tests.payments.methods.steps import ADDRESS, card_intent
from tests.support.api import Api
from tests.support.recipes import CARD


def test_only_the_server_confirms_a_manual_intent(api: Api) -> None:
    intent = api.ok(
        "POST", "/v1/payment_intents", **PAYMENT, confirmation_method="manual", payment_method="pm_card_visa"
    )
    answer = api.post(f"/v1/payment_intents/{intent['id']}/confirm", key=api.pk, client_secret=intent["client_secret"])
    assert "cannot be confirmed using your publishable key" in answer.error["message"]


@pytest.mark.parametrize(
    ("place", "set", "asked", "becomes"),
    [
        (place, *wish)
        for place in ("itself", "options", "token")
        for wish in (
            (None, "on_session", "on_session"),
            (None, "off_session", "off_session"),
            (None, "", None),
            ("on_session", "off_session", "off_session"),
            ("off_session", "off_session", "off_session"),
            ("off_session", "on_session", 400),
            ("off_session", "", 400),
            ("on_session", "", 400),
        )
        if place != "token" or wish[1]  # a ConfirmationToken cannot ask for nothing
    ],
)
def test_a_browser_may_only_raise_setup_future_usage(
    api: Api, place: str, set: str | None, asked: str, becomes: Any
) -> None:
    wish = {"setup_future_usage": asked}
    before = {"setup_future_usage": set} if set else {}
    intent = card_intent(
        api, **({"payment_method_options": {"card": before}} if place == "options" and set else before)
    )
    path, secret = f"/v1/payment_intents/{intent['id']}", intent["client_secret"]
    if place == "token":
        data = {"type": "card", "card": CARD}
        token = api.ok("POST", "/v1/confirmation_tokens", key=api.pk, payment_method_data=data, **wish)["id"]
        answer = api.post(
            f"{path}/confirm",
            key=api.pk,
            client_secret=secret,
            confirmation_token=token,
            return_url="https://example.com",
        )
    else:
        more = {"payment_method_options": {"card": wish}} if place == "options" else wish
        answer = api.post(f"{path}/confirm", key=api.pk, client_secret=secret, payment_method="pm_card_visa", **more)
    if becomes == 400:
        assert (answer.status, answer.error["code"]) == (400, "payment_intent_invalid_parameter"), answer
        assert api.get(path)["status"] == "requires_payment_method"
    else:
        assert answer.status == 200, answer
        stored = api.get(path)
        now = (
            stored["payment_method_options"]["card"].get("setup_future_usage")
            if place == "options"
            else stored["setup_future_usage"]
        )
        assert now == becomes


def test_the_options_of_a_method_do_not_weaken_what_the_server_set_for_all(api: Api) -> None:
    intent = card_intent(api, setup_future_usage="off_session")
    more = {"payment_method_options": {"card": {"setup_future_usage": "on_session"}}}
    path, secret = f"/v1/payment_intents/{intent['id']}/confirm", intent["client_secret"]
    answer = api.post(path, key=api.pk, client_secret=secret, payment_method="pm_card_visa", **more)
    assert (answer.status, answer.error["code"]) == (400, "payment_intent_invalid_parameter"), answer


def test_a_browser_does_not_change_a_delivery_that_the_server_has_set(api: Api) -> None:
    first, second = ({"name": name, "address": ADDRESS} for name in ("First", "Second"))
    data = {"type": "card", "card": CARD}
    token = api.ok("POST", "/v1/confirmation_tokens", key=api.pk, payment_method_data=data, shipping=second)["id"]
    for more in ({"shipping": second, "payment_method": "pm_card_visa"}, {"confirmation_token": token}):
        intent = card_intent(api, shipping=first)
        path = f"/v1/payment_intents/{intent['id']}"
        answer = api.post(
            f"{path}/confirm",
            key=api.pk,
            client_secret=intent["client_secret"],
            return_url="https://example.com",
            **more,
        )
        assert (answer.status, answer.error["code"]) == (400, "payment_intent_invalid_parameter")
        assert answer.error["message"] == (
            "The shipping information on this PaymentIntent was last set with a secret key and therefore cannot be"
            " changed with a"
            " publishable key. Please use your secret key instead."
        )
        assert (api.get(path)["status"], api.get(path)["shipping"]["name"]) == ("requires_payment_method", "First")


def test_a_browser_changes_the_delivery_that_a_browser_said(api: Api) -> None:
    intent = card_intent(api)
    path = f"/v1/payment_intents/{intent['id']}"
    more = {"client_secret": intent["client_secret"], "payment_method": "pm_card_chargeDeclined"}
    for name in ("First", "Second"):
        answer = api.post(f"{path}/confirm", key=api.pk, shipping={"name": name, "address": ADDRESS}, **more)
        assert (answer.status, api.get(path)["shipping"]["name"]) == (402, name)
    api.ok("POST", path, shipping={"name": "Third", "address": ADDRESS})
    answer = api.post(f"{path}/confirm", key=api.pk, shipping={"name": "Fourth", "address": ADDRESS}, **more)
    assert (answer.status, api.get(path)["shipping"]["name"]) == (400, "Third")


def test_no_refusal_tells_a_browser_the_id_of_a_customer(api: Api) -> None:
    who, other = (api.ok("POST", "/v1/customers")["id"] for _ in range(2))
    method = api.ok("POST", "/v1/payment_methods/pm_card_visa/attach", customer=other)["id"]
    for customer in ({"customer": who}, {}):
        intent = api.ok("POST", "/v1/payment_intents", **PAYMENT, **customer)
        for sent in ({}, {"payment_method": method}):
            refused = api.post(
                f"/v1/payment_intents/{intent['id']}/confirm",
                key=api.pk, client_secret=intent["client_secret"], **sent,
            )  # fmt: skip
            assert refused.status == 400
            assert (who in repr(refused), other in repr(refused)) == (False, False)
