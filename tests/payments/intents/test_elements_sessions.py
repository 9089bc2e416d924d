"""What Stripe.js and the mobile SDKs ask before they show fields: the types of payment methods that will do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api


def asked(api: Api, kind: str, **params: Any) -> Answer:
    return api.get("/v1/elements/sessions", key=api.pk, type=kind, locale="en", **params)


def types(answer: Answer) -> list[str]:
    found: list[str] = answer["payment_method_preference"]["ordered_payment_method_types"]
    return found


@pytest.mark.parametrize(
    ("kind", "path", "params"),
    [
        ("payment_intent", "/v1/payment_intents", {"amount": 2000, "currency": "eur"}),
        ("setup_intent", "/v1/setup_intents", {}),
    ],
)
def test_an_intent_is_shown_to_who_has_its_client_secret(
    api: Api, kind: str, path: str, params: dict[str, Any]
) -> None:
    intent = api.ok("POST", path, **params, automatic_payment_methods={"enabled": True}, metadata={"order": "7"})
    answer = asked(api, kind, client_secret=intent["client_secret"])
    assert types(answer) == intent["payment_method_types"]
    shown = answer["payment_method_preference"][kind]
    assert (shown["id"], "metadata" in shown) == (intent["id"], False)
    assert (answer["merchant_country"], answer["livemode"]) == ("US", False)


@pytest.mark.parametrize(
    ("sent", "status", "param"),
    [
        ({}, 400, "client_secret"),
        ({"client_secret": "pi_1_secret_2"}, 400, "client_secret"),
        ({"client_secret": "{id}_secret_wrong"}, 400, "client_secret"),
    ],
)
def test_without_the_right_client_secret_nothing_is_shown(
    api: Api, sent: dict[str, str], status: int, param: str
) -> None:
    intent = api.ok("POST", "/v1/payment_intents", amount=2000, currency="usd")
    given = {name: text.replace("{id}", intent["id"]) for name, text in sent.items()}
    answer = asked(api, "payment_intent", **given)
    assert (answer.status, answer.error["param"]) == (status, param)


@pytest.mark.parametrize(
    ("given", "has", "lacks"),
    [
        ({"mode": "payment", "amount": 100, "currency": "EUR"}, "bancontact", "us_bank_account"),
        ({"mode": "payment", "amount": 100, "currency": "usd"}, "us_bank_account", "bancontact"),
        ({"mode": "payment", "amount": 100, "currency": "usd", "capture_method": "manual"}, "card", "us_bank_account"),
        ({"mode": "subscription", "amount": 100, "currency": "eur"}, "sepa_debit", "eps"),
        ({"mode": "setup"}, "card", "eps"),
        (
            {"mode": "payment", "amount": 100, "currency": "usd", "payment_method_types": ["card", "klarna"]},
            "klarna",
            "link",
        ),
        (
            {"mode": "payment", "amount": 100, "currency": "usd", "excluded_payment_method_types": ["klarna"]},
            "card",
            "klarna",
        ),
        (
            {"mode": "payment", "amount": 100, "currency": "usd", "allowed_payment_method_types": ["card", "ideal"]},
            "card",
            "ideal",
        ),
    ],
)
def test_before_there_is_an_intent_its_amount_and_mode_say_the_types(
    api: Api, given: dict[str, Any], has: str, lacks: str
) -> None:
    answer = asked(api, "deferred_intent", deferred_intent=given)
    assert (answer.status, has in types(answer), lacks in types(answer)) == (200, True, False)


@pytest.mark.parametrize(
    ("given", "param"),
    [({}, "mode"), ({"mode": "payment", "amount": 100}, "currency"), ({"mode": "gift", "currency": "usd"}, "mode")],
)
def test_an_incomplete_deferred_intent_is_refused(api: Api, given: dict[str, Any], param: str) -> None:
    answer = asked(api, "deferred_intent", deferred_intent=given or {"currency": "usd"})
    assert (answer.status, answer.error["param"]) == (400, f"deferred_intent[{param}]")


def test_what_the_libraries_say_about_themselves_has_no_effect(api: Api) -> None:
    more = {"referrer_host": "shop.example", "stripe_js_id": "x", "client_betas": ["a"], "currency": "usd"}
    given = {"mode": "payment", "amount": 100, "currency": "usd"}
    assert asked(api, "deferred_intent", deferred_intent=given, **more).status == 200


def test_nobody_has_saved_anything_with_link(api: Api) -> None:
    said = api.post("/v1/consumers/sessions/lookup", key=api.pk, email_address="jenny@example.com")
    assert (said.status, said["exists"]) == (200, False)
