"""Subscription items: made from parameters, stored, and shown inside their subscription."""

from __future__ import annotations

import pytest

from tests.payments.steps import monthly, told
from tests.payments.subscriptions.steps import clocked, plan, subscribe
from tests.support.api import Api


def test_a_quantity_below_zero_is_refused(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", source="tok_visa")["id"]
    refused = told(api, "/v1/subscriptions", customer=customer, items=[{"price": monthly(api), "quantity": -1}])
    assert refused == ("items[0][quantity]", "Invalid non-negative integer")


@pytest.mark.parametrize(
    ("mode", "intervals", "message"),
    [
        (
            "classic",
            [("month", 1), ("year", 1)],
            "All prices on a subscription must have the same `recurring.interval`",
        ),
        ("flexible", [("month", 2), ("month", 3)], "must be a multiple of those of the price with the shortest"),
        ("flexible", [("week", 1), ("month", 1)], "must be a multiple of those of the price with the shortest"),
        ("flexible", [("day", 2), ("week", 1)], "must be a multiple of those of the price with the shortest"),
        ("flexible", [("month", 5), ("year", 1)], "must be a multiple of those of the price with the shortest"),
    ],
)
def test_intervals_that_do_not_go_together_are_refused(
    api: Api, mode: str, intervals: list[tuple[str, int]], message: str
) -> None:
    customer = api.ok("POST", "/v1/customers", source="tok_visa")["id"]
    items = [
        {"price": monthly(api, recurring={"interval": interval, "interval_count": count})}
        for interval, count in intervals
    ]
    refused = told(api, "/v1/subscriptions", customer=customer, items=items, billing_mode={"type": mode})
    assert refused[0] == "items"
    assert message in refused[1]


def test_a_quantity_whose_amount_nobody_can_pay_is_refused(api: Api) -> None:
    """A trial would end in a renewal that fails. Recorded text: ParabolInc/parabol#746."""
    _, who = clocked(api)
    price = plan(api, 99_999_999)
    text = "Invalid quantity: total amount (quantity * plan amount) must be no more than $999,999.99 USD"
    for quantity, message in ((2, text), (10**15, "The specified amount is greater than the maximum")):
        items = [{"price": price, "quantity": quantity}]
        for more in ({}, {"trial_period_days": 7}):
            refused = api.post("/v1/subscriptions", customer=who, items=items, **more)
            assert refused.status == 400
            assert refused.error["message"].startswith(message)
    made = subscribe(api, who, price)
    item = made["items"]["data"][0]["id"]
    refused = api.post(f"/v1/subscription_items/{item}", quantity=2)
    assert (refused.status, refused.error["param"]) == (400, "quantity")


def test_what_is_deleted_is_named_by_its_id(api: Api) -> None:
    sub = subscribe(api, clocked(api)[1], plan(api))
    refused = api.post(f"/v1/subscriptions/{sub['id']}", items=[{"price": plan(api), "deleted": True}])
    assert (refused.status, refused.error["param"]) == (400, "items[0][id]")
