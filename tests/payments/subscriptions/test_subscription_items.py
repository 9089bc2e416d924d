"""Items are added to a subscription, changed and taken off; the rest of the period is prorated."""

from __future__ import annotations

from tests.payments.subscriptions.steps import clocked, plan, subscribe
from tests.support.api import Api

PATH = "/v1/subscription_items"


def test_an_item_is_added_changed_and_taken_off_within_the_period(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))["id"]
    item = api.ok("POST", PATH, subscription=sub, price=plan(api, 500), quantity=2)
    assert (item["quantity"], item["subscription"]) == (2, sub)
    assert api.ok("POST", f"{PATH}/{item['id']}", quantity=4)["quantity"] == 4
    assert len(api.get(PATH, subscription=sub)["data"]) == 2
    assert api.ok("DELETE", f"{PATH}/{item['id']}")["deleted"] is True
    assert len(api.get(PATH, subscription=sub)["data"]) == 1
    assert sum(one["amount"] for one in api.get("/v1/invoiceitems", customer=who)["data"]) == 0


def test_without_prorations_nothing_is_billed_before_the_next_period(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))["id"]
    api.ok("POST", PATH, subscription=sub, price=plan(api, 500), proration_behavior="none")
    assert api.get("/v1/invoiceitems", customer=who)["data"] == []


def test_the_last_item_stays(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))
    assert api.delete(f"{PATH}/{sub['items']['data'][0]['id']}").status == 400
    assert len(api.get(PATH, subscription=sub["id"])["data"]) == 1


def test_a_price_is_on_a_subscription_once(api: Api) -> None:
    _, who = clocked(api)
    price = plan(api)
    sub = subscribe(api, who, price)["id"]
    assert api.post(PATH, subscription=sub, price=price).status == 400
