"""Parameters of a PaymentIntent: what may be asked for, and the object that comes of it."""

from __future__ import annotations

from tests.payments.intents.steps import PAYMENT, pay
from tests.payments.steps import told
from tests.support.api import Api
from tests.support.connected import connected
from tests.support.versions import BEFORE_ENDIVE


def test_a_type_that_the_intent_does_not_take_is_refused(api: Api) -> None:
    answer = pay(api, "pm_usBankAccount_success")
    assert answer.error["message"].startswith(
        "The PaymentMethod provided (us_bank_account) is not allowed for this PaymentIntent."
    )
    old = {"Stripe-Version": BEFORE_ENDIVE}
    unknown = api.post(
        "/v1/payment_intents", headers=old, amount=500, currency="usd", payment_method_types=["bitcoins"]
    )
    assert unknown.error["param"] == "payment_method_types"


def test_an_amount_below_the_minimum_is_refused_with_the_newer_text_for_newer_versions(api: Api) -> None:
    new = api.post("/v1/payment_intents", amount=0, currency="usd", headers={"Stripe-Version": "2024-06-20"})
    old = api.post("/v1/payment_intents", amount=0, currency="usd", headers={"Stripe-Version": "2020-08-27"})
    assert new.error["message"].startswith("The amount must be greater than or equal to the minimum charge amount")
    assert old.error["message"] == "This value must be greater than or equal to 1."


def test_a_method_switched_off_in_the_configuration_is_not_offered(api: Api) -> None:
    default = api.get("/v1/payment_method_configurations")["data"][0]["id"]
    api.ok("POST", f"/v1/payment_method_configurations/{default}", klarna={"display_preference": {"preference": "off"}})
    offered = api.ok("POST", "/v1/payment_intents", amount=2000, currency="usd")["payment_method_types"]
    assert "card" in offered
    assert "klarna" not in offered


def test_before_automatic_payment_methods_an_intent_took_cards(api: Api) -> None:
    intent = api.post("/v1/payment_intents", amount=2000, currency="usd", headers={"Stripe-Version": "2020-08-27"})
    assert (intent["payment_method_types"], intent["automatic_payment_methods"]) == (["card"], None)


def test_an_unknown_destination_is_refused(api: Api) -> None:
    answer = api.post("/v1/payment_intents", **PAYMENT, transfer_data={"destination": "000000006"})
    assert (answer.error["message"], answer.error["param"]) == (
        "No such destination: '000000006'",
        "transfer_data[destination]",
    )


def test_a_fee_and_a_part_to_transfer_exclude_each_other(api: Api) -> None:
    given = {"transfer_data": {"destination": connected(api)["id"], "amount": 100}, "application_fee_amount": 10}
    _, message = told(api, "/v1/payment_intents", amount=500, currency="usd", **given)
    assert message == "You may only specify one of these parameters: application_fee_amount, transfer_data[amount]."


def test_no_more_goes_to_others_than_is_paid(api: Api) -> None:
    account = connected(api)["id"]
    given = {**PAYMENT, "transfer_data": {"destination": account, "amount": 2001}}
    assert told(api, "/v1/payment_intents", **given)[0] == "transfer_data[amount]"
    shared = api.ok(
        "POST", "/v1/payment_intents", **{**given, "transfer_data": {"destination": account, "amount": 900}}
    )
    path = f"/v1/payment_intents/{shared['id']}"
    assert told(api, path, transfer_data={"amount": 2001})[0] == "transfer_data[amount]"
    assert told(api, path, amount=899)[0] == "transfer_data[amount]"
    assert api.ok("POST", path, amount=900)["transfer_data"]["amount"] == 900
    fee = {"transfer_data": {"destination": account}, "application_fee_amount": 500}
    path = f"/v1/payment_intents/{api.ok('POST', '/v1/payment_intents', **PAYMENT, **fee)['id']}"
    assert told(api, path, amount=499)[0] == "application_fee_amount"
    assert api.ok("POST", path, amount=499, application_fee_amount=499)["application_fee_amount"] == 499


def test_an_update_empties_the_details_of_amount_and_payment(api: Api) -> None:
    line = {"product_name": "Tea", "unit_cost": 2000, "quantity": 1}
    given = {"amount_details": {"discount_amount": 5, "line_items": [{**line, "unit_cost": 2005}]}}
    made = api.ok(
        "POST", "/v1/payment_intents", amount=2000, currency="usd", payment_details={"order_reference": "7"}, **given
    )
    path = f"/v1/payment_intents/{made['id']}"
    assert (made["amount_details"]["discount_amount"], made["payment_details"]["order_reference"]) == (5, "7")
    assert len(api.get(f"{path}/amount_details_line_items")["data"]) == 1
    emptied = api.ok("POST", path, amount_details="", payment_details="")
    assert emptied["amount_details"] == {"tip": {}}
    assert emptied["payment_details"]["order_reference"] is None
    assert api.get(f"{path}/amount_details_line_items")["data"] == []


def test_a_transfer_and_its_payment_are_described_as_the_intent_says(api: Api) -> None:
    account = connected(api)["id"]
    data = {
        "destination": account, "description": "Share", "metadata": {"order": "7"},
        "payment_data": {"description": "Tea", "metadata": {"shelf": "3"}},
    }  # fmt: skip
    paid = {"payment_method": "pm_card_visa", "confirm": True, "capture_method": "automatic"}
    api.ok("POST", "/v1/payment_intents", **PAYMENT, transfer_data=data, **paid)
    (transfer,) = api.get("/v1/transfers")["data"]
    assert (transfer["description"], transfer["metadata"]) == ("Share", {"order": "7"})
    there = api.get(f"/v1/charges/{transfer['destination_payment']}", headers={"Stripe-Account": account})
    assert (there["description"], there["metadata"]) == ("Tea", {"shelf": "3"})
