"""Subscription items: made from parameters, stored, and shown inside their subscription."""

from __future__ import annotations

from tests.payments.steps import monthly, told
from tests.support.api import Api


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
