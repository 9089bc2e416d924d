"""What the customer has to do next: ``next_action`` of an intent, and the address of the page on which it is done."""

from __future__ import annotations

import pytest

from tests.payments.intents.steps import pay
from tests.support.api import Api
from tests.support.openapi import assert_valid


def test_without_a_return_url_the_client_library_is_asked(api: Api) -> None:
    action = pay(api, "pm_card_authenticationRequiredOnSetup")["next_action"]
    assert (action["type"], action["use_stripe_sdk"]["type"]) == ("use_stripe_sdk", "three_d_secure_redirect")


def test_a_card_of_3d_secure_2_begins_with_the_devices_fingerprint(api: Api) -> None:
    action = pay(api, "pm_card_threeDSecure2Required")["next_action"]["use_stripe_sdk"]
    assert (action["type"], action["directory_server_name"], action["merchant"]) == (
        "stripe_3ds2_fingerprint",
        "visa",
        api.account,
    )


def test_redirects_need_a_return_url_unless_they_are_never_allowed(api: Api) -> None:
    asked = {"amount": 2000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    refused = api.post("/v1/payment_intents", **asked, automatic_payment_methods={"enabled": True})
    assert refused.error["message"].startswith(
        "This PaymentIntent is configured to accept payment methods enabled in your Dashboard."
    )
    taken = api.post(
        "/v1/payment_intents", **asked, automatic_payment_methods={"enabled": True, "allow_redirects": "never"}
    )
    assert taken["status"] == "succeeded"
    assert not {"klarna", "alipay"} & set(taken["payment_method_types"])


@pytest.mark.parametrize(
    ("path", "kind"), [("/v1/payment_intents", "payment_intent"), ("/v1/setup_intents", "setup_intent")]
)
def test_an_intent_that_may_send_people_away_shows_itself_when_it_does_not_know_where_to(
    api: Api, path: str, kind: str
) -> None:
    money = {"amount": 500, "currency": "usd"} if kind == "payment_intent" else {}
    intent = api.ok("POST", path, automatic_payment_methods={"enabled": True}, **money)
    answer = api.post(f"{path}/{intent['id']}/confirm", payment_method="pm_card_visa")
    assert (answer.status, "you must provide a `return_url`" in answer.error["message"]) == (400, True)
    assert answer.error[kind]["id"] == intent["id"]
    assert not {"code", "doc_url", "param"} & answer.error.keys()


QR_CODE = {kind: f"{kind}_handle_redirect_or_display_qr_code" for kind in ("swish", "upi")}


@pytest.mark.parametrize(
    ("kind", "currency", "action"),
    [
        ("bizum", "eur", "redirect_to_url"), ("paypay", "jpy", "redirect_to_url"),
        ("scalapay", "eur", "redirect_to_url"), ("sequra", "eur", "redirect_to_url"),
        ("sunbit", "usd", "redirect_to_url"), ("swish", "sek", QR_CODE["swish"]), ("upi", "inr", QR_CODE["upi"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("answer", "status"), [("complete", "succeeded"), ("fail", "requires_payment_method")])
def test_the_newer_types_are_authorized_or_refused_on_their_page(
    api: Api, kind: str, currency: str, action: str, answer: str, status: str
) -> None:
    given = {"amount": 10_000, "currency": currency, "allowed_payment_method_types": [kind], "confirm": True}
    made = api.ok(
        "POST", "/v1/payment_intents", **given, payment_method_data={"type": kind}, return_url="https://shop.example/"
    )
    assert_valid("POST", "/v1/payment_intents", 200, made)
    assert (made["status"], made["next_action"]["type"]) == ("requires_action", action)
    shown = made["next_action"][action]
    url = shown["hosted_instructions_url"] if kind in QR_CODE else shown["url"]
    api.send("POST", f"{url.removeprefix(api.core.setup.base_url)}/{answer}", key=None)
    done = api.get(f"/v1/payment_intents/{made['id']}", expand=["latest_charge"])
    assert done["status"] == status
    if status == "succeeded":
        assert done["latest_charge"]["payment_method_details"]["type"] == kind
        assert kind in done["latest_charge"]["payment_method_details"]
    other = "usd" if currency != "usd" else "eur"
    assert api.post("/v1/payment_intents", **{**given, "currency": other, "confirm": False}).status == 400
