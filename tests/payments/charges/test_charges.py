"""Charges: of a token, of a customer's own sources, of sources that nobody keeps; authorizing and capturing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.charges.steps import charge
from tests.support.api import Api
from tests.support.connected import acting, connected

CHARGE: dict[str, Any] = {"amount": 1000, "currency": "usd"}


@pytest.mark.parametrize("name", ["application_fee_amount", "application_fee"])
def test_an_application_fee_takes_no_more_than_is_paid(api: Api, name: str) -> None:
    account = connected(api)
    version = "2018-01-23" if name == "application_fee" else ""
    older = api.under(version)
    for way in ({"headers": acting(account)}, {"destination": account["id"]}):
        assert older.post("/v1/charges", **CHARGE, source="tok_visa", **{name: 1000}, **way).status == 200
        refused = older.post("/v1/charges", **CHARGE, source="tok_visa", **{name: 1001}, **way)
        assert refused.refusal == (400, None, name, f"The {name} cannot be greater than the amount.")


def test_an_application_fee_is_for_a_charge_that_gives_another_account_money(api: Api) -> None:
    alone = api.post(
        "/v1/charges", **CHARGE, source="tok_visa", on_behalf_of=connected(api)["id"], application_fee_amount=10
    )
    assert (alone.status, alone.error["param"]) == (400, "application_fee_amount")


def test_a_destination_is_named_once(api: Api) -> None:
    account = connected(api)["id"]
    both = {"destination": {"account": account}, "transfer_data": {"destination": account}}
    assert api.post("/v1/charges", **CHARGE, source="tok_visa", **both).error["param"] == "destination"


def test_a_customer_is_charged_only_with_what_is_linked_to_it(api: Api) -> None:
    mine = api.ok("post", "/v1/customers", source="tok_visa")
    other = api.ok("post", "/v1/customers", source="tok_mastercard")
    loose = api.ok("post", "/v1/sources", type="card", token="tok_visa")
    for given in (other["default_source"], loose["id"], "src_unknown", "card_unknown", "tok_visa"):
        refused = api.post("/v1/charges", **CHARGE, customer=mine["id"], source=given)
        assert refused.status == 404
        assert refused.error["type"] == "invalid_request_error"
        assert refused.error["code"] == "missing"
        assert refused.error["param"] == "source"
        assert refused.error["message"] == f"Customer {mine['id']} does not have a linked source with ID {given}."
    assert api.ok("post", "/v1/charges", **CHARGE, customer=mine["id"], source=mine["default_source"])["paid"]


def test_a_reusable_source_that_nobody_keeps_is_consumed_by_its_charge(api: Api) -> None:
    source = api.ok("post", "/v1/sources", type="card", token="tok_visa")
    assert source["usage"] == "reusable"
    api.ok("post", "/v1/charges", **CHARGE, source=source["id"])
    assert api.get(f"/v1/sources/{source['id']}")["status"] == "consumed"
    again = api.post("/v1/charges", **CHARGE, source=source["id"])
    assert again.status == 400
    assert again.error["message"].startswith(
        "The reusable source you provided is consumed because it was previously charged"
    )


def test_a_reusable_source_of_a_customer_is_charged_again_and_again(api: Api) -> None:
    source = api.ok("post", "/v1/sources", type="card", token="tok_visa")
    customer = api.ok("post", "/v1/customers", source=source["id"])
    for _ in range(2):
        api.ok("post", "/v1/charges", **CHARGE, customer=customer["id"])
    assert api.get(f"/v1/sources/{source['id']}")["status"] == "chargeable"


@pytest.mark.parametrize("name", ["application_fee_amount", "application_fee"])
def test_a_platform_takes_no_fee_of_its_own_charge(api: Api, name: str) -> None:
    refused = api.post("/v1/charges", **CHARGE, source="tok_visa", **{name: 100})
    assert refused.status == 400
    assert refused.error["param"] == name
    assert refused.error["message"] == (
        f"Can only apply an {name} when the request is made on behalf of another account"
        " (using an OAuth key, the Stripe-Account header, or the destination parameter)."
    )


def test_a_charge_of_the_visa_test_token_succeeds_and_fills_the_balance(api: Api) -> None:
    made = charge(api)
    assert (made.status, made["status"], made["paid"]) == (200, "succeeded", True), made
    transaction = api.get(f"/v1/balance_transactions/{made['balance_transaction']}")
    assert (transaction["amount"], transaction["fee"], transaction["net"]) == (2000, 88, 1912)
    balance = api.get("/v1/balance")
    assert balance["pending"][0]["amount"] == 1912
    assert [event["type"] for event in api.events()] == ["charge.succeeded"]


def test_a_group_of_more_than_a_hundred_charges_is_not_listed(api: Api) -> None:
    given = {"amount": 100, "currency": "usd", "source": "tok_visa", "transfer_group": "order"}
    for _ in range(100):
        api.ok("post", "/v1/charges", **given)
    assert len(api.ok("get", "/v1/charges", transfer_group="order", limit=100)["data"]) == 100
    api.ok("post", "/v1/charges", **given)
    refused = api.get("/v1/charges", transfer_group="order")
    assert (refused.status, refused.error["param"]) == (400, "transfer_group")
    assert refused.error["message"] == "Too many charges with transfer group: `order`"


def test_a_charge_gets_a_customer_that_there_is(api: Api) -> None:
    charge = api.ok("post", "/v1/charges", amount=500, currency="usd", source="tok_visa")["id"]
    refused = api.post(f"/v1/charges/{charge}", customer="cus_none")
    assert (refused.status, refused.error["code"], refused.error["param"]) == (400, "resource_missing", "customer")
    customer = api.ok("post", "/v1/customers")["id"]
    assert api.ok("post", f"/v1/charges/{charge}", customer=customer)["customer"] == customer


def test_an_authorized_charge_is_captured_in_part(api: Api) -> None:
    held = charge(api, capture=False)
    assert (held["captured"], held["balance_transaction"]) == (False, None)
    taken = api.post(f"/v1/charges/{held['id']}/capture", amount=500)
    assert (taken["amount_captured"], taken["amount_refunded"]) == (500, 1500)
    again = api.post(f"/v1/charges/{held['id']}/capture")
    assert (again.status, again.error["code"]) == (400, "charge_already_captured")


def test_what_a_charge_may_have_but_has_not_expands_to_nothing(api: Api) -> None:
    made = charge(api)
    path = f"/v1/charges/{made['id']}"
    assert "transfer" not in api.ok("get", path, expand=["transfer.reversals.data.balance_transaction"])
    assert api.get(path, expand=["nonsense"]).status == 400


def test_the_transfer_group_of_an_intent_s_charge_is_changed_on_the_intent(api: Api) -> None:
    intent = api.ok(
        "POST",
        "/v1/payment_intents",
        amount=500,
        currency="usd",
        payment_method="pm_card_visa",
        confirm=True,
        allowed_payment_method_types=["card"],
    )
    assert api.post(f"/v1/charges/{intent['latest_charge']}", transfer_group="group").refusal == (
        400,
        None,
        None,
        f"This Charge was created by a PaymentIntent ({intent['id']}). You must update the `transfer_group` on the"
        " PaymentIntent instead of updating the Charge directly. See https://stripe.com/docs/api#update_payment_intent",
    )


@pytest.mark.parametrize(
    ("attached", "message"),
    [
        (
            False,
            "This Customer doesn't have any saved payment details. Attach a legacy Token, Card, Bank Account, or Source"
            " to this Customer and then try this request again, or use Payment Intents and Payment Methods instead.",
        ),
        (
            True,
            "This Customer doesn't have any legacy saved payment details, but does have a Payment Method attached."
            " Use a Payment Intent instead of creating a Charge:"
            " https://stripe.com/docs/payments/payment-intents/migration",
        ),
    ],
)
def test_a_customer_without_a_source_is_not_charged(api: Api, attached: bool, message: str) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    if attached:
        api.ok("POST", "/v1/payment_methods/pm_card_visa/attach", customer=customer)
    refused = api.post("/v1/charges", **CHARGE, customer=customer)
    assert (refused.error["type"], *refused.refusal) == ("card_error", 402, "missing", "card", message)


def test_the_older_name_of_a_share_holds_for_a_capture_too(api: Api) -> None:
    share = {"destination": connected(api)["id"], "amount": 1500}
    made = api.ok(
        "POST", "/v1/charges", amount=2000, currency="usd", source="tok_visa", capture=False, transfer_data=share
    )
    path = f"/v1/charges/{made['id']}/capture"
    refused = api.post(path, destination={"amount": 1}, transfer_data={"amount": 2})
    assert (refused.status, refused.error["param"]) == (400, "destination")
    api.ok("POST", path, destination={"amount": 700})
    assert api.get("/v1/transfers")["data"][0]["amount"] == 700


def test_a_charge_shows_the_radar_session_that_it_was_made_in(api: Api) -> None:
    told = {"amount": 2000, "currency": "usd", "source": "tok_visa", "radar_options": {"session": "rse_1"}}
    assert api.ok("POST", "/v1/charges", **told)["radar_options"] == {"session": "rse_1"}
