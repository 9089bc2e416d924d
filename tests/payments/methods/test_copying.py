"""Copying what a platform's customer has saved onto a connected account, as Connect's cloning does."""

from __future__ import annotations

from tests.payments.methods.steps import Victim
from tests.support.api import Api
from tests.support.connected import acting, connected


def test_a_connected_account_s_copy_of_a_payment_method_is_of_the_customer_who_has_it(api: Api) -> None:
    account = connected(api)
    has, has_not = (api.ok("POST", "/v1/customers")["id"] for _ in range(2))
    method = api.ok("POST", "/v1/payment_methods/pm_card_visa/attach", customer=has)["id"]
    copy = api.post("/v1/payment_methods", headers=acting(account), customer=has, payment_method=method)
    assert (copy.status, copy["customer"]) == (200, None)
    assert api.get(f"/v1/payment_methods/{copy['id']}", headers=acting(account)).status == 200
    refused = api.post("/v1/payment_methods", headers=acting(account), customer=has_not, payment_method=method).error
    assert refused["message"].startswith(f"The customer does not have a payment method with the ID {method}.")
    refused = api.post("/v1/payment_methods", headers=acting(account), payment_method=method).error
    assert (refused["param"], has in refused["message"]) == ("payment_method", True)
    refused = api.post("/v1/payment_methods", headers=acting(account), customer="cus_no", payment_method=method).error
    assert (refused["param"], refused["message"]) == ("customer", "No such customer: 'cus_no'")


def test_a_platform_s_secret_key_copies_what_a_customer_saved_to_a_connected_account(api: Api) -> None:
    victim = Victim(api)
    there = {"Stripe-Account": api.ok("POST", "/v1/accounts", type="express", country="US")["id"]}
    mine = {"customer": victim.customer}
    made = api.post("/v1/payment_methods", headers=there, **mine, payment_method=victim.method)
    assert (made.status, made["card"]["last4"]) == (200, "4242")
    assert api.post("/v1/tokens", headers=there, **mine, card=victim.card)["card"]["last4"] == "4242"
    assert api.post("/v1/tokens", headers=there, **mine)["card"]["last4"] == "4242"
    assert api.post("/v1/sources", headers=there, **mine, original_source=victim.source)["type"] == "card"


def test_a_restricted_key_that_may_read_the_platform_s_customers_copies_as_well(api: Api) -> None:
    victim = Victim(api)
    there = {"Stripe-Account": api.ok("POST", "/v1/accounts", type="express", country="US")["id"]}
    key = api.restricted(
        "customer_read", "payment_method_read", connect_permissions=["token_write", "payment_method_write"]
    )
    mine = {"customer": victim.customer}
    assert api.post("/v1/tokens", key=key, headers=there, **mine, card=victim.card).status == 200
    assert api.post("/v1/payment_methods", key=key, headers=there, **mine, payment_method=victim.method).status == 200


def test_a_customer_s_card_is_copied_only_onto_a_connected_account(api: Api) -> None:
    victim = Victim(api)
    for path, params in (
        ("/v1/tokens", {"customer": victim.customer}),
        ("/v1/tokens", {"customer": victim.customer, "card": victim.card}),
        ("/v1/payment_methods", {"customer": victim.customer, "payment_method": victim.method}),
        ("/v1/sources", {"customer": victim.customer, "original_source": victim.source}),
    ):
        answer = api.post(path, **params)
        assert answer.status == 400, (path, params, answer)


def test_a_token_of_a_saved_card_is_of_a_card_that_the_customer_has(api: Api) -> None:
    victim, other = Victim(api), api.ok("POST", "/v1/customers", source="tok_visa")["default_source"]
    there = {"Stripe-Account": api.ok("POST", "/v1/accounts", type="express", country="US")["id"]}
    for card in (other, "card_none"):
        refused = api.post("/v1/tokens", headers=there, customer=victim.customer, card=card)
        assert (refused.status, refused.error["param"]) == (400, "card")
        assert refused.error["message"] == f"Customer {victim.customer} does not have card with ID {card}"


def test_a_saved_card_becomes_a_source_of_a_connected_account_when_its_customer_is_named(api: Api) -> None:
    victim, other = Victim(api), api.ok("POST", "/v1/customers")["id"]
    there = {"Stripe-Account": api.ok("POST", "/v1/accounts", type="express", country="US")["id"]}
    given = {"original_source": victim.card, "usage": "reusable"}
    refused = api.post("/v1/sources", headers=there, **given)
    assert (refused.status, refused.error["code"], refused.error["param"]) == (400, "parameter_missing", "customer")
    refused = api.post("/v1/sources", headers=there, customer=other, **given)
    assert (refused.status, refused.error["code"], refused.error["param"]) == (
        400,
        "resource_missing",
        "original_source",
    )
    made = api.post("/v1/sources", headers=there, customer=victim.customer, **given)
    assert (made.status, made["type"], made["card"]["last4"], made["status"]) == (200, "card", "4242", "chargeable")
    assert api.get(f"/v1/sources/{made['id']}", headers=there)["usage"] == "reusable"
    key = api.restricted("source_read", connect_permissions=["source_write"])
    assert api.post("/v1/sources", key=key, headers=there, customer=victim.customer, **given).status == 403


def test_the_copy_of_a_card_saved_the_old_way_is_a_payment_method(api: Api) -> None:
    victim = Victim(api)
    there = {"Stripe-Account": api.ok("POST", "/v1/accounts", type="express", country="US")["id"]}
    made = api.post("/v1/payment_methods", headers=there, customer=victim.customer, payment_method=victim.card)
    assert (made.status, made["object"], made["card"]["last4"]) == (200, "payment_method", "4242")
    shown = api.get(f"/v1/payment_methods/{made['id']}", headers=there)
    assert (shown.status, shown["customer"]) == (200, None)


def test_a_source_is_not_copied_as_a_payment_method(api: Api) -> None:
    victim = Victim(api)
    there = {"Stripe-Account": api.ok("POST", "/v1/accounts", type="express", country="US")["id"]}
    refused = api.post("/v1/payment_methods", headers=there, customer=victim.customer, payment_method=victim.source)
    assert (refused.status, refused.error["code"]) == (400, "resource_missing")
