"""What happens to a PaymentIntent after it was confirmed: challenge, settlement, capture, increments, cancellation."""

from __future__ import annotations

import pytest

from tests.payments.intents.steps import challenge, pay, types
from tests.support.api import Api, rule_table
from tests.support.connected import connected
from tests.support.openapi import assert_valid

BACK = "https://shop.example/done?order=7"


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


def test_an_authenticated_card_may_still_be_declined(api: Api) -> None:
    intent = pay(api, "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds", return_url=BACK)
    challenge(api, intent, "complete")
    assert api.get(f"/v1/payment_intents/{intent['id']}")["last_payment_error"]["decline_code"] == "insufficient_funds"


def test_a_part_is_captured_and_the_rest_given_back(api: Api) -> None:
    intent = pay(api, capture_method="manual")
    assert (intent["status"], intent["amount_capturable"]) == ("requires_capture", 2000)
    done = api.post(f"/v1/payment_intents/{intent['id']}/capture", amount_to_capture=1500)
    assert (done["status"], done["amount_received"], done["amount_capturable"]) == ("succeeded", 1500, 0)
    assert types(api) == [
        "payment_intent.created", "charge.succeeded", "payment_intent.amount_capturable_updated",
        "charge.captured", "refund.created", "payment_intent.succeeded",
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


@pytest.mark.parametrize(
    ("bank", "status"),
    [("pm_usBankAccount_success", "succeeded"), ("pm_usBankAccount_noAccount", "requires_payment_method")],
)
def test_a_bank_debit_is_under_way_before_it_ends(api: Api, bank: str, status: str) -> None:
    accepted = {"customer_acceptance": {"type": "offline"}}
    intent = pay(api, bank, allowed_payment_method_types=["us_bank_account"], mandate_data=accepted)
    assert intent["status"] == "processing"
    api.advance(10)
    after = api.get(f"/v1/payment_intents/{intent['id']}")
    assert after["status"] == status
    assert_valid("GET", "/v1/payment_intents/{intent}", 200, dict(after))
    assert types(api)[1:3] == ["charge.pending", "payment_intent.processing"] or "mandate" in types(api)[1]


TOO_MUCH = (
    "The payment could not be captured because the requested capture amount is greater than the amount you can capture"
    " for this charge. Contact us via https://support.stripe.com/contact/ for help."
)


@pytest.mark.parametrize(
    ("amount", "code", "param", "message"),
    [
        (-1, None, "amount_to_capture", "Invalid non-negative integer"),
        (0, "parameter_invalid_integer", "amount", "This value must be greater than or equal to 1."),
        (2001, "amount_too_large", None, TOO_MUCH),
    ],
)
def test_a_capture_takes_from_1_to_what_is_authorized(
    api: Api, amount: int, code: str | None, param: str | None, message: str
) -> None:
    path = f"/v1/payment_intents/{pay(api, capture_method='manual')['id']}"
    refused = api.post(f"{path}/capture", amount_to_capture=amount)
    assert refused.refusal == (400, code, param, message)
    assert refused.error["payment_intent"]["status"] == "requires_capture"
    assert api.ok("POST", f"{path}/capture", amount_to_capture=1999)["amount_received"] == 1999
    assert api.post(f"{path}/capture").refusal == (
        400,
        "payment_intent_unexpected_state",
        None,
        "The remaining amount on this PaymentIntent could not be captured because the remainder of the authorized"
        " amount has been released.",
    )


def test_what_was_paid_changes_no_more(api: Api) -> None:
    paid = pay(api)["id"]
    refused = api.post(f"/v1/payment_intents/{paid}", amount=1)
    assert (refused.error["code"], refused.error["param"]) == ("payment_intent_unexpected_state", "amount")


@pytest.mark.parametrize(
    ("customer", "hint"),
    [
        (
            False,
            "You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it"
            " again directly with a payment method or ConfirmationToken.",
        ),
        (
            True,
            "To confirm the PaymentIntent with {customer}, specify a payment method attached to this customer along"
            " with the customer ID.",
        ),
    ],
)
def test_an_intent_without_a_payment_method_says_how_to_give_one(api: Api, customer: bool, hint: str) -> None:
    owner = api.ok("POST", "/v1/customers")["id"] if customer else None
    given = {"customer": owner} if owner else {}
    intent = api.ok("POST", "/v1/payment_intents", amount=500, currency="usd", **given)["id"]
    message = "You cannot confirm this PaymentIntent because it's missing a payment method. "
    assert api.post(f"/v1/payment_intents/{intent}/confirm").refusal == (
        400,
        "payment_intent_unexpected_state",
        None,
        message + hint.format(customer=owner),
    )


def test_a_capture_sends_on_no_more_than_it_captures(api: Api) -> None:
    share = {"destination": connected(api)["id"], "amount": 1500}
    for told, sent in (
        ({}, 1000),
        ({"transfer_data": {"amount": 1000}}, 1000),
        ({"transfer_data": {"amount": 10}}, 10),
    ):
        intent = pay(api, capture_method="manual", transfer_data=share)
        path = f"/v1/payment_intents/{intent['id']}/capture"
        refused = api.post(path, amount_to_capture=1000, transfer_data={"amount": 1001})
        assert (refused.status, refused.error["param"]) == (400, "transfer_data[amount]")
        api.ok("post", path, amount_to_capture=1000, **told)
        assert api.get("/v1/transfers")["data"][0]["amount"] == sent


def test_a_capture_names_a_share_of_nobody_in_vain(api: Api) -> None:
    intent = pay(api, capture_method="manual")
    refused = api.post(f"/v1/payment_intents/{intent['id']}/capture", transfer_data={"amount": 10})
    assert (refused.status, refused.error["param"]) == (400, "transfer_data")


@rule_table
@pytest.mark.parametrize("step", ["capture", "increment_authorization"])
def test_what_an_amount_is_for_is_told_when_it_is_settled(api: Api, step: str) -> None:
    options = {"card": {"request_incremental_authorization": "if_available"}}
    intent = pay(api, capture_method="manual", payment_method_options=options)
    path, amount = f"/v1/payment_intents/{intent['id']}", 2000 if step == "capture" else 3000
    name = "amount_to_capture" if step == "capture" else "amount"
    line = {"product_name": "Hat", "unit_cost": amount, "quantity": 1}
    refused = api.post(
        f"{path}/{step}", **{name: amount, "amount_details": {"line_items": [{**line, "unit_cost": amount - 1}]}}
    )
    assert (refused.status, refused.error["param"]) == (400, "amount_details")
    told = {"amount_details": {"line_items": [line]}, "payment_details": {"order_reference": "A-1"}}
    done = api.ok("post", f"{path}/{step}", **{name: amount, **told})
    assert done["payment_details"]["order_reference"] == "A-1"
    assert [one["product_name"] for one in api.get(f"{path}/amount_details_line_items")["data"]] == ["Hat"]


@rule_table
def test_a_share_is_changed_with_the_amount_that_is_authorized(api: Api) -> None:
    options = {"card": {"request_incremental_authorization": "if_available"}}
    share = {"destination": connected(api)["id"], "amount": 1500}
    intent = pay(api, capture_method="manual", payment_method_options=options, transfer_data=share)
    path = f"/v1/payment_intents/{intent['id']}"
    more = api.post(f"{path}/increment_authorization", amount=3000, transfer_data={"amount": 3001})
    assert more.refusal == (
        400,
        "parameter_invalid_integer",
        "transfer_data[amount]",
        "The transfer_data[amount] cannot be greater than the PaymentIntent's amount.",
    )
    grown = api.ok("post", f"{path}/increment_authorization", amount=3000, transfer_data={"amount": 2500})
    assert grown["transfer_data"]["amount"] == 2500
    api.ok("post", f"{path}/capture")
    assert api.get("/v1/transfers")["data"][0]["amount"] == 2500
    alone = pay(api, capture_method="manual", payment_method_options=options)
    refused = api.post(
        f"/v1/payment_intents/{alone['id']}/increment_authorization", amount=3000, transfer_data={"amount": 1}
    )
    assert (refused.status, refused.error["param"]) == (400, "transfer_data")


@rule_table
def test_an_increment_changes_the_charge_that_is_captured(api: Api) -> None:
    options = {"card": {"request_incremental_authorization": "if_available"}}
    share, fee = {"destination": connected(api)["id"]}, {"application_fee_amount": 200}
    intent = pay(api, capture_method="manual", payment_method_options=options, transfer_data=share)
    path = f"/v1/payment_intents/{intent['id']}"
    told = {"description": "Two hats", "statement_descriptor": "TWO HATS", **fee}
    api.ok("post", f"{path}/increment_authorization", amount=3000, **told)
    charge = api.get(f"/v1/charges/{api.ok('post', f'{path}/capture')['latest_charge']}")
    assert {name: charge[name] for name in told} == told
    assert charge["calculated_statement_descriptor"] == "TWO HATS"
    assert [one["amount"] for one in api.get("/v1/application_fees")["data"]] == [200]
    alone = pay(api, capture_method="manual", payment_method_options=options)
    refused = api.post(f"/v1/payment_intents/{alone['id']}/increment_authorization", amount=3000, **fee)
    assert (refused.status, refused.error["param"]) == (400, "application_fee_amount")
