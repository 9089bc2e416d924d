"""SetupIntents: saving a payment method, its challenge, its refusals, its attempts and mandates."""

from __future__ import annotations

import pytest

from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid
from tollkey.payments.intents.setup_building import move
from tollkey.payments.intents.setup_intents import ARROWS

CARD = {"payment_method_types": ["card"]}
BACK = "https://shop.example/saved"


def setup(api: Api, method: str = "pm_card_visa", **params: object) -> Answer:
    return api.post("/v1/setup_intents", **{**CARD, "payment_method": method, "confirm": True, **params})


def challenge(api: Api, intent: Answer, answer: str) -> Answer:
    path = intent["next_action"]["redirect_to_url"]["url"].removeprefix(api.core.setup.base_url)
    return api.send("POST", f"{path}/{answer}", key=None)


def test_a_card_is_saved_to_its_customer_and_told_in_the_real_order(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    intent = setup(api, customer=customer)
    assert (intent["status"], intent["usage"]) == ("succeeded", "off_session")
    assert_valid("POST", "/v1/setup_intents", 200, dict(intent))
    assert api.get(f"/v1/payment_methods/{intent['payment_method']}")["customer"] == customer
    types = [event["type"] for event in api.events() if "customer.created" not in event["type"]]
    assert types == ["setup_intent.created", "payment_method.attached", "setup_intent.succeeded"]


def test_a_refused_card_is_a_402_that_carries_the_intent(api: Api) -> None:
    answer = setup(api, "pm_card_chargeDeclined")
    assert (answer.status, answer.error["code"]) == (402, "card_declined")
    intent = answer.error["setup_intent"]
    assert (intent["status"], intent["payment_method"]) == ("requires_payment_method", None)
    assert intent["last_setup_error"]["code"] == "card_declined"
    attempts = api.get("/v1/setup_attempts", setup_intent=intent["id"])
    assert_valid("GET", "/v1/setup_attempts", 200, dict(attempts))
    assert [attempt["status"] for attempt in attempts["data"]] == ["failed"]
    assert [event["type"] for event in api.events()] == ["setup_intent.created", "setup_intent.setup_failed"]


@pytest.mark.parametrize(
    ("answer", "status", "attempt"),
    [("complete", "succeeded", "succeeded"), ("fail", "requires_payment_method", "failed")],
)
def test_a_challenge_decides_what_becomes_of_the_set_up(api: Api, answer: str, status: str, attempt: str) -> None:
    intent = setup(api, "pm_card_authenticationRequired", return_url=BACK)
    assert intent["status"] == "requires_action"
    back = challenge(api, intent, answer).headers["location"]
    assert back.startswith(
        f"{BACK}?setup_intent={intent['id']}&setup_intent_client_secret={intent['client_secret']}&redirect_status="
    )
    assert api.get(f"/v1/setup_intents/{intent['id']}")["status"] == status
    assert [one["status"] for one in api.get("/v1/setup_attempts", setup_intent=intent["id"])["data"]] == [attempt]


def test_a_canceled_intent_says_so_in_the_real_words(api: Api) -> None:
    intent = api.ok("POST", "/v1/setup_intents", **CARD)
    gone = api.post(f"/v1/setup_intents/{intent['id']}/cancel", cancellation_reason="abandoned")
    assert (gone["status"], gone["cancellation_reason"]) == ("canceled", "abandoned")
    again = api.post(f"/v1/setup_intents/{intent['id']}/cancel")
    assert again.error["message"] == "You cannot cancel this SetupIntent because it it already canceled."
    assert again.error["setup_intent"]["id"] == intent["id"]


def test_an_unknown_intent_is_named_as_the_real_one_is(api: Api) -> None:
    error = api.get("/v1/setup_intents/none").error
    assert (error["message"], error["param"]) == ("No such setupintent: 'none'", "intent")


def test_a_mandate_for_one_payment_is_inactive_once_it_was_used(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    method = api.ok(
        "POST", "/v1/payment_methods", type="sepa_debit", sepa_debit={"iban": "DE89370400440532013000"},
        billing_details={"name": "Jenny", "email": "jenny@example.com"},
    )["id"]  # fmt: skip
    intent = setup(
        api, method, customer=customer, payment_method_types=["sepa_debit"], usage="on_session",
        mandate_data={"customer_acceptance": {"type": "online", "online": {"ip_address": "192.0.2.1",
        "user_agent": "a browser"}}},
        single_use={"amount": 5200, "currency": "EUR"},
    )  # fmt: skip
    mandate = api.get(f"/v1/mandates/{intent['single_use_mandate']}")
    assert_valid("GET", "/v1/mandates/{mandate}", 200, dict(mandate))
    assert (mandate["status"], mandate["single_use"]) == ("active", {"amount": 5200, "currency": "eur"})
    api.ok(
        "POST", "/v1/payment_intents", amount=5200, currency="eur", customer=customer, payment_method=method,
        confirm=True,
        payment_method_types=["sepa_debit"], mandate=mandate["id"],
    )  # fmt: skip
    assert api.get(f"/v1/mandates/{mandate['id']}")["status"] == "inactive"


def test_detaching_the_account_ends_its_mandate(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    accepted = {"customer_acceptance": {"type": "offline"}}
    types = ["us_bank_account"]
    intent = setup(
        api, "pm_usBankAccount_success", customer=customer, payment_method_types=types, mandate_data=accepted
    )
    api.ok("POST", f"/v1/payment_methods/{intent['payment_method']}/detach")
    assert api.get(f"/v1/mandates/{intent['mandate']}")["status"] == "inactive"
    assert [event["type"] for event in api.events()][-2:] == ["payment_method.detached", "mandate.updated"]


def test_a_typed_bank_account_is_verified_on_its_page(api: Api) -> None:
    method = api.ok(
        "POST", "/v1/payment_methods", type="us_bank_account", billing_details={"name": "Jenny"},
        us_bank_account={"account_number": "000123456789", "routing_number": "110000000",
        "account_holder_type": "individual"},
    )["id"]  # fmt: skip
    intent = setup(
        api, method, payment_method_types=["us_bank_account"], mandate_data={"customer_acceptance": {"type": "offline"}}
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


def test_a_browser_sees_the_restricted_shape(api: Api) -> None:
    intent = api.ok("POST", "/v1/setup_intents", **CARD, metadata={"plan": "gold"})
    path = f"/v1/setup_intents/{intent['id']}"
    done = api.post(f"{path}/confirm", key=api.pk, client_secret=intent["client_secret"], payment_method="pm_card_visa")
    assert (done["status"], "metadata" in done, "customer" in done) == ("succeeded", False, False)
    assert "SetupIntent" in api.get(path, key=api.pk, client_secret="wrong").error["message"]


def test_where_no_arrow_leads_an_intent_cannot_be_moved() -> None:
    for start, ends in ARROWS.items():
        for end in ARROWS.keys() - ends:
            with pytest.raises(ValueError, match="no arrow"):
                move({"status": start, "next_action": None}, end)
