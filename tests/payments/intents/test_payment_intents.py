"""PaymentIntents through the API: what they answer, refuse, remember and announce."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid

CARD = {"amount": 2000, "currency": "usd", "payment_method_types": ["card"]}
BACK = "https://shop.example/done?order=7"


def pay(api: Api, method: str = "pm_card_visa", **params: Any) -> Answer:
    return api.post("/v1/payment_intents", **{**CARD, "payment_method": method, "confirm": True, **params})


def saved_card(api: Api, method: str = "pm_card_visa", usage: str = "off_session") -> tuple[str, str]:
    """A customer, with a card saved through a SetupIntent; a challenge is passed."""
    customer = api.ok("POST", "/v1/customers")["id"]
    setup = api.ok(
        "POST",
        "/v1/setup_intents",
        customer=customer,
        payment_method=method,
        confirm=True,
        usage=usage,
        return_url=BACK,
    )
    if setup["status"] == "requires_action":
        challenge(api, setup, "complete")
    return customer, api.get(f"/v1/setup_intents/{setup['id']}")["payment_method"]


def challenge(api: Api, intent: Answer, answer: str = "") -> Answer:
    path = intent["next_action"]["redirect_to_url"]["url"].removeprefix(api.core.setup.base_url)
    return api.send("POST", f"{path}/{answer}", key=None) if answer else api.send("GET", path, key=None)


def types(api: Api) -> list[str]:
    return [event["type"] for event in api.events()]


def test_a_payment_is_made_in_one_request_and_told_in_the_real_order(api: Api) -> None:
    intent = pay(api, description="Order 7", metadata={"order": "7"})
    assert (intent.status, intent["status"], intent["amount_received"]) == (200, "succeeded", 2000)
    assert_valid("POST", "/v1/payment_intents", 200, dict(intent))
    assert types(api) == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
    charge = api.get(f"/v1/charges/{intent['latest_charge']}")
    assert (charge["payment_intent"], charge["metadata"], charge["description"]) == (
        intent["id"],
        {"order": "7"},
        "Order 7",
    )
    assert [event["data"]["object"]["status"] for event in api.events("payment_intent.created")] == [
        "requires_confirmation"
    ]


def test_a_decline_is_a_402_that_carries_the_charge_the_intent_and_the_payment_method(api: Api) -> None:
    answer = pay(api, "pm_card_chargeDeclinedInsufficientFunds")
    assert answer.status == 402
    error = answer.error
    assert (error["type"], error["code"], error["decline_code"]) == (
        "card_error",
        "card_declined",
        "insufficient_funds",
    )
    intent = error["payment_intent"]
    assert (intent["status"], intent["payment_method"], intent["latest_charge"]) == (
        "requires_payment_method",
        None,
        error["charge"],
    )
    assert intent["last_payment_error"]["decline_code"] == "insufficient_funds"
    assert intent["last_payment_error"]["payment_method"]["id"] == error["payment_method"]["id"]
    assert api.get(f"/v1/payment_intents/{intent['id']}") == intent
    assert types(api) == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]


def test_a_payment_method_of_nobody_is_good_for_one_payment(api: Api) -> None:
    method = api.ok("POST", "/v1/payment_methods", type="card", card={"token": "tok_visa"})["id"]
    assert pay(api, method)["status"] == "succeeded"
    assert (
        pay(api, method)
        .error["message"]
        .startswith("The provided PaymentMethod was previously used with a PaymentIntent")
    )


def test_a_customer_s_payment_method_needs_its_customer(api: Api) -> None:
    customer, method = saved_card(api)
    assert (
        pay(api, method)
        .error["message"]
        .startswith(f"The `payment_method` parameter supplied {method} belongs to the Customer {customer}.")
    )
    other = api.ok("POST", "/v1/customers")["id"]
    assert pay(api, method, customer=other).error["code"] == "resource_missing"
    assert pay(api, method, customer=customer)["status"] == "succeeded"


def test_a_type_that_the_intent_does_not_take_is_refused(api: Api) -> None:
    answer = pay(api, "pm_usBankAccount_success")
    assert answer.error["message"].startswith(
        "The PaymentMethod provided (us_bank_account) is not allowed for this PaymentIntent."
    )
    assert (
        api.post("/v1/payment_intents", amount=500, currency="usd", payment_method_types=["bitcoins"]).error["param"]
        == "payment_method_types"
    )


def test_an_amount_below_the_minimum_is_refused_with_the_newer_text_for_newer_versions(api: Api) -> None:
    new = api.post("/v1/payment_intents", amount=0, currency="usd", headers={"Stripe-Version": "2024-06-20"})
    old = api.post("/v1/payment_intents", amount=0, currency="usd", headers={"Stripe-Version": "2020-08-27"})
    assert new.error["message"].startswith("The amount must be greater than or equal to the minimum charge amount")
    assert old.error["message"] == "This value must be greater than or equal to 1."


# -- 3-D Secure


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


def test_a_failed_challenge_asks_for_another_payment_method(api: Api) -> None:
    intent = pay(api, "pm_card_threeDSecure2Required", return_url=BACK)
    assert challenge(api, intent, "fail").headers["location"].endswith("redirect_status=failed")
    after = api.get(f"/v1/payment_intents/{intent['id']}")
    assert (after["status"], after["last_payment_error"]["code"]) == (
        "requires_payment_method",
        "payment_intent_authentication_failure",
    )
    assert_valid("GET", "/v1/payment_intents/{intent}", 200, dict(after))
    assert types(api)[-1] == "payment_intent.payment_failed"


def test_a_challenge_cannot_be_answered_twice(api: Api) -> None:
    intent = pay(api, "pm_card_threeDSecure2Required", return_url=BACK)
    challenge(api, intent, "fail")
    challenge(api, intent, "complete")
    assert api.get(f"/v1/payment_intents/{intent['id']}")["status"] == "requires_payment_method"


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


def test_an_authenticated_card_may_still_be_declined(api: Api) -> None:
    intent = pay(api, "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds", return_url=BACK)
    challenge(api, intent, "complete")
    assert api.get(f"/v1/payment_intents/{intent['id']}")["last_payment_error"]["decline_code"] == "insufficient_funds"


def test_an_integration_that_cannot_show_a_challenge_gets_a_decline_instead(api: Api) -> None:
    answer = pay(api, "pm_card_threeDSecure2Required", error_on_requires_action=True)
    assert (answer.status, answer.error["code"], answer.error["decline_code"]) == (
        402,
        "authentication_required",
        "authentication_not_handled",
    )


@pytest.mark.parametrize(
    ("card", "status"),
    [
        ("pm_card_authenticationRequiredOnSetup", 200),
        ("pm_card_authenticationRequiredSetupForOffSession", 200),
        ("pm_card_authenticationRequired", 402),
    ],
)
def test_off_session_a_card_that_was_set_up_pays_unless_it_always_asks(api: Api, card: str, status: int) -> None:
    customer, method = saved_card(api, card)
    answer = pay(api, method, customer=customer, off_session=True)
    assert answer.status == status
    if status == 402:
        assert (answer.error["code"], answer.error["decline_code"]) == (
            "authentication_required",
            "authentication_required",
        )


def test_manual_confirmation_waits_for_the_server_after_the_challenge(api: Api) -> None:
    intent = pay(api, "pm_card_threeDSecure2Required", confirmation_method="manual", return_url=BACK)
    challenge(api, intent, "complete")
    assert api.get(f"/v1/payment_intents/{intent['id']}")["status"] == "requires_confirmation"
    assert api.post(f"/v1/payment_intents/{intent['id']}/confirm")["status"] == "succeeded"


# -- automatic payment methods


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


def test_a_method_switched_off_in_the_configuration_is_not_offered(api: Api) -> None:
    default = api.get("/v1/payment_method_configurations")["data"][0]["id"]
    api.ok("POST", f"/v1/payment_method_configurations/{default}", klarna={"display_preference": {"preference": "off"}})
    offered = api.ok("POST", "/v1/payment_intents", amount=2000, currency="usd")["payment_method_types"]
    assert "card" in offered
    assert "klarna" not in offered


def test_before_automatic_payment_methods_an_intent_took_cards(api: Api) -> None:
    intent = api.post("/v1/payment_intents", amount=2000, currency="usd", headers={"Stripe-Version": "2020-08-27"})
    assert (intent["payment_method_types"], intent["automatic_payment_methods"]) == (["card"], None)


def test_a_redirect_method_is_authorized_on_its_page(api: Api) -> None:
    intent = api.post(
        "/v1/payment_intents", amount=2000, currency="eur", payment_method_types=["ideal"],
        payment_method_data={"type": "ideal"},
        confirm=True, return_url=BACK,
    )  # fmt: skip
    assert intent["status"] == "requires_action"
    challenge(api, intent, "complete")
    assert api.get(f"/v1/payment_intents/{intent['id']}")["status"] == "succeeded"


# -- capture


def test_a_part_is_captured_and_the_rest_given_back(api: Api) -> None:
    intent = pay(api, capture_method="manual")
    assert (intent["status"], intent["amount_capturable"]) == ("requires_capture", 2000)
    done = api.post(f"/v1/payment_intents/{intent['id']}/capture", amount_to_capture=1500)
    assert (done["status"], done["amount_received"], done["amount_capturable"]) == ("succeeded", 1500, 0)
    assert types(api) == [
        "payment_intent.created", "charge.succeeded", "payment_intent.amount_capturable_updated",
        "charge.captured", "payment_intent.succeeded",
    ]  # fmt: skip


def test_more_than_authorized_cannot_be_captured(api: Api) -> None:
    intent = pay(api, capture_method="manual")
    answer = api.post(f"/v1/payment_intents/{intent['id']}/capture", amount_to_capture=2001)
    assert (answer.status, answer.error["code"]) == (400, "amount_too_large")


def test_an_authorization_expires_after_seven_days(api: Api) -> None:
    intent = pay(api, capture_method="manual")
    api.advance(7 * 86_400)
    after = api.get(f"/v1/payment_intents/{intent['id']}")
    assert (after["status"], after["cancellation_reason"]) == ("canceled", "automatic")


def test_a_canceled_intent_cannot_be_canceled_again(api: Api) -> None:
    intent = api.ok("POST", "/v1/payment_intents", **CARD)
    gone = api.post(f"/v1/payment_intents/{intent['id']}/cancel", cancellation_reason="duplicate")
    assert (gone["status"], gone["cancellation_reason"], gone["canceled_at"]) == ("canceled", "duplicate", api.now)
    assert api.post(f"/v1/payment_intents/{intent['id']}/cancel").error["message"] == (
        "You cannot cancel this PaymentIntent because it has a status of canceled."
        " Only a PaymentIntent with one of the following statuses"
        " may be canceled: requires_payment_method, requires_capture, requires_confirmation, requires_action,"
        " processing."
    )


# -- debits and cash


@pytest.mark.parametrize(
    ("bank", "status"),
    [("pm_usBankAccount_success", "succeeded"), ("pm_usBankAccount_noAccount", "requires_payment_method")],
)
def test_a_bank_debit_is_under_way_before_it_ends(api: Api, bank: str, status: str) -> None:
    accepted = {"customer_acceptance": {"type": "offline"}}
    intent = pay(api, bank, payment_method_types=["us_bank_account"], mandate_data=accepted)
    assert intent["status"] == "processing"
    api.advance(10)
    after = api.get(f"/v1/payment_intents/{intent['id']}")
    assert after["status"] == status
    assert_valid("GET", "/v1/payment_intents/{intent}", 200, dict(after))
    assert types(api)[1:3] == ["charge.pending", "payment_intent.processing"] or "mandate" in types(api)[1]


def test_a_debit_needs_a_mandate(api: Api) -> None:
    answer = pay(api, "pm_usBankAccount_success", payment_method_types=["us_bank_account"])
    assert answer.error["code"] == "payment_intent_mandate_invalid"


def test_deposits_verify_a_bank_account_before_the_debit(api: Api) -> None:
    intent = pay(
        api, "pm_usBankAccount_success", payment_method_types=["us_bank_account"],
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


def test_a_bank_transfer_in_parts_funds_the_intent_until_it_is_paid(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    intent = api.post(
        "/v1/payment_intents", amount=20_000, currency="jpy", customer=customer, confirm=True,
        payment_method_types=["customer_balance"],
        payment_method_data={"type": "customer_balance"},
        payment_method_options={"customer_balance": {"funding_type": "bank_transfer",
        "bank_transfer": {"type": "jp_bank_transfer"}}},
    )  # fmt: skip
    assert_valid("POST", "/v1/payment_intents", 200, dict(intent))

    def arrives(amount: int) -> Answer:
        api.ok("POST", f"/v1/test_helpers/customers/{customer}/fund_cash_balance", amount=amount, currency="jpy")
        return api.get(f"/v1/payment_intents/{intent['id']}")

    after = arrives(5_000)
    assert after["next_action"]["display_bank_transfer_instructions"]["amount_remaining"] == 15_000
    assert types(api)[-1] == "payment_intent.partially_funded"
    assert arrives(20_000)["status"] == "succeeded"
    balance = api.get(f"/v1/customers/{customer}/cash_balance")
    assert balance["available"] == {"jpy": 5_000}
    assert_valid("GET", "/v1/customers/{customer}/cash_balance", 200, dict(balance))
    moved = api.get(f"/v1/customers/{customer}/cash_balance_transactions")["data"]
    assert [line["net_amount"] for line in moved] == [-15_000, 20_000, -5_000, 5_000]


# -- saving for later


def test_a_card_is_saved_by_the_payment_that_asks_for_it(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    intent = pay(api, customer=customer, setup_future_usage="off_session")
    assert api.get(f"/v1/payment_methods/{intent['payment_method']}")["customer"] == customer
    assert pay(api, intent["payment_method"], customer=customer, off_session=True)["status"] == "succeeded"


# -- browsers


def test_a_browser_reads_its_intent_in_the_restricted_shape_with_the_secret_only(api: Api) -> None:
    intent = api.ok("POST", "/v1/payment_intents", **CARD, metadata={"margin": "40"})
    path = f"/v1/payment_intents/{intent['id']}"
    seen = api.get(path, key=api.pk, client_secret=intent["client_secret"])
    assert seen.status == 200
    assert not {"metadata", "customer", "latest_charge", "amount_received", "transfer_data"} & set(seen)
    assert api.get(path, key=api.pk).error["param"] == "client_secret"
    assert api.get(path, key=api.pk, client_secret="pi_1_secret_2").error["message"] == (
        "The client_secret provided does not match the client_secret associated with the PaymentIntent."
    )
    assert api.get("/v1/payment_intents", key=api.pk).error["code"] == "secret_key_required"


def test_a_declined_browser_learns_no_more_than_the_restricted_shape(api: Api) -> None:
    intent = api.ok("POST", "/v1/payment_intents", **CARD, metadata={"margin": "40"})
    answer = api.post(
        f"/v1/payment_intents/{intent['id']}/confirm",
        key=api.pk,
        client_secret=intent["client_secret"],
        payment_method="pm_card_chargeDeclined",
    )
    assert answer.status == 402
    assert "metadata" not in answer.error["payment_intent"]
    assert "fingerprint" not in answer.error["payment_method"]["card"]


def test_only_the_server_confirms_a_manual_intent(api: Api) -> None:
    intent = api.ok("POST", "/v1/payment_intents", **CARD, confirmation_method="manual", payment_method="pm_card_visa")
    answer = api.post(f"/v1/payment_intents/{intent['id']}/confirm", key=api.pk, client_secret=intent["client_secret"])
    assert "cannot be confirmed using your publishable key" in answer.error["message"]


# -- Connect and older versions


def test_an_unknown_destination_is_refused(api: Api) -> None:
    answer = api.post("/v1/payment_intents", **CARD, transfer_data={"destination": "000000006"})
    assert (answer.error["message"], answer.error["param"]) == (
        "No such destination: '000000006'",
        "transfer_data[destination]",
    )


def test_an_older_caller_finds_the_charges_inside_the_intent_and_inside_an_error(api: Api) -> None:
    intent = pay(api, headers={"Stripe-Version": "2020-08-27"})
    assert [charge["id"] for charge in intent["charges"]["data"]] == [intent["latest_charge"]]
    answer = pay(api, "pm_card_chargeDeclined", headers={"Stripe-Version": "2020-08-27"})
    assert answer.error["payment_intent"]["charges"]["total_count"] == 1
    assert "charges" not in pay(api)


def test_a_browser_confirms_with_the_card_that_was_typed(api: Api) -> None:
    intent = api.ok("POST", "/v1/payment_intents", **CARD)
    card = {"number": "4242424242424242", "exp_month": "12", "exp_year": "2030", "cvc": "123"}
    done = api.post(
        f"/v1/payment_intents/{intent['id']}/confirm", key=api.pk, client_secret=intent["client_secret"],
        payment_method_data={"type": "card", "card": card},
    )  # fmt: skip
    assert done["status"] == "succeeded"
