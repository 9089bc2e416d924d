"""What an intent is to be paid with, or what is to be saved: an id, data typed in just now, or a ConfirmationToken."""

from __future__ import annotations

from tests.payments.intents.steps import pay, saved_card
from tests.support.api import Api


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
