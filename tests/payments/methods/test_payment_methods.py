"""Payment methods: what customers pay with."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api


def test_a_detached_payment_method_cannot_be_attached_again(api: Api) -> None:
    customer = api.ok("post", "/v1/customers")
    method = api.ok("post", "/v1/payment_methods/pm_card_visa/attach", customer=customer["id"])
    other = api.ok("post", "/v1/customers")
    refused = api.post(f"/v1/payment_methods/{method['id']}/attach", customer=other["id"])
    assert refused.error["message"] == "The payment method you provided has already been attached to a customer."
    api.ok("post", f"/v1/payment_methods/{method['id']}/detach")
    again = api.post(f"/v1/payment_methods/{method['id']}/attach", customer=customer["id"])
    assert again.error["message"].startswith("The provided PaymentMethod was previously used")


def test_a_publishable_key_makes_payment_methods_and_tokens_and_sees_no_fingerprint(api: Api) -> None:
    card = {"number": "4242424242424242", "exp_month": 1, "exp_year": 2030, "cvc": "123"}
    method = api.ok("post", "/v1/payment_methods", key=api.pk, type="card", card=card)
    assert "metadata" not in method
    assert "fingerprint" not in method["card"]
    assert "fingerprint" not in api.ok("post", "/v1/tokens", key=api.pk, card=card)["card"]
    assert api.get("/v1/customers", key=api.pk).error["code"] == "secret_key_required"


def test_of_a_card_saved_the_old_way_only_the_metadata_is_changed_as_a_payment_method(api: Api) -> None:
    customer = api.ok("post", "/v1/customers")["id"]
    card = api.ok("post", f"/v1/customers/{customer}/sources", source="tok_visa")["id"]
    assert api.post(f"/v1/payment_methods/{card}", metadata={"a": "b"})["metadata"] == {"a": "b"}
    refused = api.post(f"/v1/payment_methods/{card}", billing_details={"name": "Jenny Rosen"})
    assert (refused.status, refused.error["code"]) == (404, "resource_missing")


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({}, "type"),
        ({"type": "card"}, "card"),
        ({"type": "sepa_debit"}, "sepa_debit[iban]"),
        ({"type": "sepa_debit", "sepa_debit": {"iban": "DE89370400440532013001"}}, "sepa_debit[iban]"),
        (
            {"type": "us_bank_account", "us_bank_account": {"account_number": "000123456789"}},
            "us_bank_account[routing_number]",
        ),
    ],
)
def test_a_method_has_a_type_and_its_data(api: Api, params: dict[str, Any], param: str) -> None:
    refused = api.post("/v1/payment_methods", **params)
    assert (refused.status, refused.error["param"]) == (400, param)


def test_only_an_attached_method_is_changed(api: Api) -> None:
    method = api.ok("POST", "/v1/payment_methods", type="card", card={"token": "tok_visa"})["id"]
    path = f"/v1/payment_methods/{method}"
    assert api.post(path, metadata={"a": "1"}).status == 400
    api.ok("POST", f"{path}/attach", customer=api.ok("POST", "/v1/customers")["id"])
    assert api.ok("POST", path, metadata={"a": "1"})["metadata"] == {"a": "1"}


def test_a_method_is_attached_after_it_was_made_and_detached_while_it_is_attached(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    card = {"type": "card", "card": {"token": "tok_visa"}}
    assert api.post("/v1/payment_methods", customer=customer, **card).refusal == (
        400,
        None,
        None,
        "You cannot attach a PaymentMethod to a Customer during PaymentMethod creation. Please instead create the"
        " PaymentMethod and then attach it using the attachment method of the PaymentMethods API.",
    )
    path = f"/v1/payment_methods/{api.ok('POST', '/v1/payment_methods', **card)['id']}"
    assert api.post(f"{path}/attach").refusal == (
        400,
        "parameter_missing",
        None,
        "Must provide customer or customer_account.",
    )
    assert api.post(f"{path}/detach").refusal == (
        400,
        None,
        None,
        "The payment method you provided is not attached to a customer so detachment is impossible.",
    )
