"""What a key may see and do beside its own account's plain reads: acting for others, expanding, answers given again."""

from __future__ import annotations

import json

import pytest

from tests.support.api import Answer, Api
from tests.support.connected import acting, fund
from tests.support.connected import connected as receiving
from tests.support.recipes import Maker


def connected(api: Api) -> dict[str, str]:
    return {"Stripe-Account": api.ok("POST", "/v1/accounts", type="express", country="US")["id"]}


def lacks(answer: Answer, permission: str) -> bool:
    return (answer.status, answer.error.get("code")) == (
        403,
        "more_permissions_required",
    ) and permission in answer.error["message"]


# -- acting for a connected account


def test_on_a_connected_account_a_restricted_key_has_its_connect_permissions_and_no_others(api: Api) -> None:
    there = connected(api)
    own = api.restricted("customer_write")
    assert lacks(api.get("/v1/customers", key=own, headers=there), "customer_read")
    assert lacks(api.post("/v1/customers", key=own, headers=there), "customer_write")
    abroad = api.restricted(connect_permissions=["customer_write"])
    assert api.post("/v1/customers", key=abroad, headers=there).status == 200
    assert api.get("/v1/customers", key=abroad, headers=there).status == 200
    assert lacks(api.get("/v1/customers", key=abroad), "customer_read")


def test_naming_one_s_own_account_is_not_acting_for_another(api: Api) -> None:
    key = api.restricted("customer_read")
    assert api.get("/v1/customers", key=key, headers={"Stripe-Account": api.account}).status == 200


def test_connect_permissions_bring_along_what_they_imply(api: Api) -> None:
    key = api.restricted(connect_permissions=["payment_intent_read"])
    assert api.get("/v1/products", key=key, headers=connected(api)).status == 200


def test_expanding_on_a_connected_account_needs_the_connect_permission(api: Api) -> None:
    there = connected(api)
    customer = api.post("/v1/customers", headers=there)["id"]
    intent = api.post("/v1/payment_intents", headers=there, amount=500, currency="usd", customer=customer)["id"]
    key = api.restricted("customer_read", connect_permissions=["payment_intent_read"])
    assert lacks(api.get(f"/v1/payment_intents/{intent}", key=key, headers=there, expand=["customer"]), "customer_read")
    both = api.restricted(connect_permissions=["payment_intent_read", "customer_read"])
    assert (
        api.get(f"/v1/payment_intents/{intent}", key=both, headers=there, expand=["customer"])["customer"]["id"]
        == customer
    )


def test_a_rolled_key_keeps_its_connect_permissions(api: Api) -> None:
    made = api.ok("POST", "/v1/api_keys", type="restricted", connect_permissions=["customer_read"])
    rolled = api.ok("POST", f"/v1/api_keys/{made['id']}/roll", expires_in="now")
    assert api.get("/v1/customers", key=rolled["secret"], headers=connected(api)).status == 200


def test_an_ephemeral_key_acts_for_no_other_account(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    key = api.post("/v1/ephemeral_keys", customer=customer, headers={"Stripe-Version": "2020-08-27"})["secret"]
    answer = api.get("/v1/payment_methods", key=key, headers=connected(api), type="card")
    assert (answer.status, answer.error["code"]) == (403, "account_invalid")


# -- expanding


def test_what_is_made_on_expansion_needs_the_permission_to_read_it_too(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    price = api.ok(
        "POST",
        "/v1/prices",
        currency="usd",
        unit_amount=500,
        recurring={"interval": "month"},
        product_data={"name": "x"},
    )["id"]
    api.ok(
        "POST", "/v1/subscriptions", customer=customer, items=[{"price": price}], payment_behavior="default_incomplete"
    )
    key = api.restricted("customer_read")
    assert lacks(api.get(f"/v1/customers/{customer}", key=key, expand=["subscriptions"]), "subscription_read")


def test_a_publishable_key_expands_no_further_than_what_it_may_see(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", email="jenny@example.com")["id"]
    method = api.ok("POST", "/v1/payment_methods/pm_card_visa/attach", customer=customer)["id"]
    intent = api.ok("POST", "/v1/payment_intents", amount=500, currency="usd", customer=customer, payment_method=method)
    path, secret = f"/v1/payment_intents/{intent['id']}", intent["client_secret"]
    shown = api.get(path, key=api.pk, client_secret=secret, expand=["payment_method"])["payment_method"]
    assert shown["id"] == method
    assert "metadata" not in shown
    assert "fingerprint" not in shown["card"]
    further = api.get(path, key=api.pk, client_secret=secret, expand=["payment_method.customer"])
    assert (further.status, further.error["message"]) == (
        400,
        "This property cannot be expanded (payment_method.customer).",
    )


def test_a_publishable_key_sees_the_payment_method_of_a_failure_as_it_sees_others(api: Api) -> None:
    intent = api.ok("POST", "/v1/payment_intents", amount=500, currency="usd", allowed_payment_method_types=["card"])
    answer = api.post(
        f"/v1/payment_intents/{intent['id']}/confirm",
        key=api.pk,
        client_secret=intent["client_secret"],
        payment_method="pm_card_chargeDeclined",
    )
    assert answer.status == 402
    assert "fingerprint" not in json.dumps(dict(answer))


# -- answers given again


def test_a_stored_answer_is_not_given_to_a_restricted_key_that_may_see_less(api: Api) -> None:
    again = {"Idempotency-Key": "again"}
    body = {
        "amount": 500,
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "confirm": True,
        "return_url": "https://a.example",
    }
    body["expand"] = ["latest_charge"]
    made = api.post("/v1/payment_intents", headers=again, **body)
    assert made["latest_charge"]["object"] == "charge"
    answer = api.post("/v1/payment_intents", key=api.restricted("payment_intent_write"), headers=again, **body)
    assert (answer.status, answer.error["type"]) == (400, "idempotency_error")
    assert api.post("/v1/payment_intents", headers=again, **body).body == made.body


def test_a_stored_answer_is_not_given_to_a_publishable_key(api: Api) -> None:
    again, body = (
        {"Idempotency-Key": "again"},
        {"card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2030}},
    )
    made = api.post("/v1/tokens", headers=again, **body)
    assert "fingerprint" in made["card"]
    answer = api.post("/v1/tokens", key=api.pk, headers=again, **body)
    assert (answer.status, answer["id"] == made["id"], "fingerprint" in answer["card"]) == (200, False, False)


def test_a_rolled_key_is_given_the_answers_of_the_one_before(api: Api) -> None:
    made = api.ok("POST", "/v1/api_keys", type="restricted", permissions=["customer_write"])
    first = api.post("/v1/customers", key=made["secret"], headers={"Idempotency-Key": "again"})
    rolled = api.ok("POST", f"/v1/api_keys/{made['id']}/roll", expires_in="now")
    again = api.post("/v1/customers", key=rolled["secret"], headers={"Idempotency-Key": "again"})
    assert (again["id"], again.headers["idempotent-replayed"]) == (first["id"], "true")


def test_what_a_platform_expands_of_a_connected_account_needs_the_connect_permission(api: Api) -> None:
    account = receiving(api)
    fund(api, 10_000)
    transfer = api.ok("POST", "/v1/transfers", amount=1000, currency="usd", destination=account["id"])["id"]
    here = api.restricted("transfer_read", "charge_read")
    both = api.restricted("transfer_read", connect_permissions=["charge_read"])
    path, expand = f"/v1/transfers/{transfer}", ["destination_payment"]
    assert api.get(path, key=here).status == 200
    assert api.get(path, key=here, expand=expand).error["code"] == "more_permissions_required"
    assert api.get(path, key=both, expand=expand)["destination_payment"]["amount"] == 1000


def test_sending_a_connected_account_s_event_again_needs_the_connect_permission(api: Api) -> None:
    account = receiving(api)
    api.ok("POST", "/v1/webhook_endpoints", url="https://example.com/", enabled_events=["*"], connect=True)
    api.ok("POST", "/v1/payment_intents", headers=acting(account), amount=100, currency="usd")
    event = api.get("/v1/events", headers=acting(account), type="payment_intent.created")["data"][0]["id"]
    path, params = f"/v1/events/{event}/retry", {"account": account["id"]}

    def secret(*there: str) -> object:
        key = api.restricted("webhook_write", "payment_intent_write", connect_permissions=there)
        answer = api.post(path, key=key, **params)
        return answer["data"]["object"]["client_secret"] if answer.status == 200 else answer.error["code"]

    assert secret() == "account_invalid"
    assert secret("webhook_write") is None
    assert str(secret("webhook_write", "payment_intent_write")).startswith("pi_")


NUMBERS = [
    ("issuing_authorization_read", "/v1/issuing/authorizations/{authorization}", "card.number", "issuing_card"),
    ("issuing_authorization_read", "/v1/issuing/authorizations/{authorization}", "card.cvc", "issuing_card"),
    ("event_read", "/v1/events/{event}", "data.object.number", "issuing_card"),
    ("event_read", "/v1/events/{event}", "data.object.cvc", "issuing_card"),
]


@pytest.mark.parametrize(("permission", "path", "expand", "lacking"), NUMBERS)
def test_what_an_object_only_shows_when_expanded_needs_its_own_permission(
    api: Api, permission: str, path: str, expand: str, lacking: str
) -> None:
    authorization = Maker(api).make("issuing.authorization")["id"]
    event = api.get("/v1/events", type="issuing_card.created")["data"][0]["id"]
    path = path.format(authorization=authorization, event=event)
    assert lacks(api.get(path, key=api.restricted(permission), expand=[expand]), lacking)
    allowed = api.ok("GET", path, key=api.restricted(permission, f"{lacking}_read"), expand=[expand])
    for name in expand.split("."):
        allowed = allowed[name]
    assert str(allowed).isdecimal()
