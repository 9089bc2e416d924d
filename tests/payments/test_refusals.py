"""Common mistakes, and the sentence that each is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.connected import connected


def told(api: Api, path: str, **params: Any) -> tuple[str | None, str]:
    """What a POST with a mistake is told: the parameter and the sentence."""
    answer = api.post(path, **params)
    assert answer.status == 400
    return answer.error.get("param"), answer.error["message"]


def monthly(api: Api, **more: Any) -> str:
    recurring = more.pop("recurring", {"interval": "month"})
    return str(
        api.ok(
            "POST",
            "/v1/prices",
            currency="usd",
            unit_amount=1000,
            product_data={"name": "Gold"},
            recurring=recurring,
            **more,
        )["id"]
    )


def test_words_that_are_not_among_the_known_ones_are_refused(api: Api) -> None:
    assert told(api, "/v1/products", name="x", type="x") == ("type", "Invalid type: must be one of good or service")
    customer = api.ok("POST", "/v1/customers", source="tok_visa")["id"]
    subscription = api.ok("POST", "/v1/subscriptions", customer=customer, items=[{"price": monthly(api)}])["id"]
    words = "Invalid proration_behavior: must be one of always_invoice, create_prorations, or none"
    assert told(api, f"/v1/subscriptions/{subscription}", proration_behavior="x") == ("proration_behavior", words)
    account = connected(api)["id"]
    words = "Invalid reason: must be one of fraud, other, or terms_of_service"
    assert told(api, f"/v1/accounts/{account}/reject", reason="x") == ("reason", words)


def test_a_quantity_below_zero_is_refused(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", source="tok_visa")["id"]
    refused = told(api, "/v1/subscriptions", customer=customer, items=[{"price": monthly(api), "quantity": -1}])
    assert refused == ("items[0][quantity]", "Invalid non-negative integer")


def test_prices_of_two_intervals_do_not_go_on_one_subscription(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", source="tok_visa")["id"]
    items = [{"price": monthly(api)}, {"price": monthly(api, recurring={"interval": "year"})}]
    _, message = told(api, "/v1/subscriptions", customer=customer, items=items)
    assert message.startswith(
        "All prices on a subscription must have the same `recurring.interval` and `recurring.interval_count`."
    )


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/v1/promotion_codes/promo_no", "No such promotion code: 'promo_no'"),
        ("/v1/payment_links/plink_no", "No such payment_link: 'plink_no'"),
        ("/v1/tax_rates/txr_no", "No such tax rate: 'txr_no'"),
    ],
)
def test_what_is_not_there_is_named_as_the_real_api_names_it(api: Api, path: str, message: str) -> None:
    answer = api.get(path)
    assert (answer.status, answer.error["code"], answer.error["message"]) == (404, "resource_missing", message)


def test_a_subscription_s_unknown_payment_method_may_be_elsewhere(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", source="tok_visa")["id"]
    given = {"items": [{"price": monthly(api)}], "default_payment_method": "pm_no"}
    param, message = told(api, "/v1/subscriptions", customer=customer, **given)
    assert param == "default_payment_method"
    assert message.startswith(
        "No such PaymentMethod: 'pm_no'; It's possible this PaymentMethod exists on one of your connected accounts"
    )


def test_evidence_that_is_a_file_must_be_there(api: Api) -> None:
    charge = api.ok("POST", "/v1/charges", amount=500, currency="usd", source="tok_createDispute")["id"]
    dispute = api.get("/v1/disputes", charge=charge)["data"][0]["id"]
    path = f"/v1/disputes/{dispute}"
    assert told(api, path, evidence={"receipt": "file_no"}) == ("evidence[receipt]", "No such file upload: 'file_no'")


def test_a_fee_and_a_part_to_transfer_exclude_each_other(api: Api) -> None:
    given = {"transfer_data": {"destination": connected(api)["id"], "amount": 100}, "application_fee_amount": 10}
    _, message = told(api, "/v1/payment_intents", amount=500, currency="usd", **given)
    assert message == "You may only specify one of these parameters: application_fee_amount, transfer_data[amount]."


def test_a_capability_that_no_account_can_have_is_not_found(api: Api) -> None:
    account = connected(api)["id"]
    answer = api.get(f"/v1/accounts/{account}/capabilities/flying")
    assert (answer.status, answer.error["message"]) == (404, "No such capability: 'flying'")
    assert api.get(f"/v1/accounts/{account}/capabilities/sepa_debit_payments")["status"] == "unrequested"


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


def test_card_data_that_lacks_something_is_told_what_it_lacks(api: Api) -> None:
    refused = told(api, "/v1/payment_methods", type="card", card={"number": "4242424242424242"})
    assert refused == ("card[exp_month]", "Missing required param: card[exp_month].")


def test_a_method_that_is_not_paid_in_the_currency_is_refused(api: Api) -> None:
    refused = told(api, "/v1/payment_intents", amount=500, currency="usd", payment_method_types=["bancontact"])
    message = "The currency provided (usd) is invalid. Payments with bancontact support the following currencies: eur."
    assert refused == ("currency", message)
    assert (
        api.post("/v1/payment_intents", amount=500, currency="eur", payment_method_types=["bancontact"]).status == 200
    )
