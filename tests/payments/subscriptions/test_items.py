"""Subscription items: made from parameters, stored, and shown inside their subscription."""

from __future__ import annotations

import pytest

from tests.payments.steps import monthly, told
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
