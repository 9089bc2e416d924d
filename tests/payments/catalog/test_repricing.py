"""Subscription items show their price as it is now."""

from __future__ import annotations

from tests.support.api import Api
from tests.support.recipes import Maker


def test_a_renamed_price_is_shown_in_the_items_that_bill_it_without_an_event(api: Api) -> None:
    subscription = Maker(api).make("subscription")
    item = subscription["items"]["data"][0]
    before = len(api.events("customer.subscription.updated"))
    api.ok("POST", f"/v1/prices/{item['price']['id']}", nickname="Old gold", metadata={"a": "1"})
    after = api.get(f"/v1/subscriptions/{subscription['id']}")["items"]["data"][0]
    assert (after["price"]["nickname"], after["plan"]["metadata"]) == ("Old gold", {"a": "1"})
    assert api.get(f"/v1/subscription_items/{item['id']}")["price"]["nickname"] == "Old gold"
    assert len(api.events("customer.subscription.updated")) == before


def test_a_one_time_price_is_in_no_subscription(api: Api) -> None:
    price = api.ok("POST", "/v1/prices", currency="usd", unit_amount=100, product_data={"name": "Hat"})["id"]
    assert api.ok("POST", f"/v1/prices/{price}", nickname="Old hat")["nickname"] == "Old hat"
