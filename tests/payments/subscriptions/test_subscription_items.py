"""Items are added to a subscription, changed and taken off; the rest of the period is prorated."""

from __future__ import annotations

import pytest

from tests.payments.steps import told
from tests.payments.subscriptions.steps import clocked, customer, metered_plan, plan, subscribe
from tests.support.api import Answer, Api, rule_table

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


def test_a_new_item_has_a_price_of_its_own_in_the_currency_of_its_subscription(api: Api) -> None:
    _, who = clocked(api)
    price = plan(api)
    sub = subscribe(api, who, price)
    item = sub["items"]["data"][0]["id"]
    taken = (
        400,
        None,
        "plan",
        f"A new item with Price {price} can't be added to this Subscription because an existing Subscription Item"
        f" {item} is already using that Price. If you want to update the existing item (e.g., to adjust the quantity),"
        " pass the existing Subscription Item's `id` in your update request:"
        " https://stripe.com/docs/api/subscriptions/update#update_subscription-items-id",
    )
    assert api.post("/v1/subscription_items", subscription=sub["id"], price=price).refusal == taken
    assert api.post(f"/v1/subscriptions/{sub['id']}", items=[{"price": price}]).refusal == taken
    other = api.post("/v1/subscription_items", subscription=sub["id"], price=plan(api, currency="eur"))
    expected = "The price specified only supports `eur`. This doesn't match the expected currency: `usd`."
    assert other.refusal == (400, None, "price", expected)


def test_a_canceled_subscription_is_gone_for_new_items_and_resumption(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))["id"]
    api.ok("DELETE", f"/v1/subscriptions/{sub}")
    gone = f"No such subscription: '{sub}'"
    added = api.post("/v1/subscription_items", subscription=sub, price=plan(api))
    assert added.refusal == (404, "resource_missing", "subscription", gone)
    assert api.post(f"/v1/subscriptions/{sub}/resume").refusal == (404, "resource_missing", "id", gone)
    assert api.post(f"/v1/subscriptions/{sub}", description="x").refusal == (
        400,
        "invalid_canceled_subscription_fields",
        None,
        "A canceled subscription can only update its cancellation_details and metadata.",
    )


def test_a_subscription_is_of_a_customer_that_exists(api: Api) -> None:
    refused = api.post("/v1/subscriptions", customer="cus_none", items=[{"price": plan(api)}])
    assert refused.refusal == (404, "resource_missing", "customer", "No such customer: 'cus_none'")


def test_the_usage_of_a_licensed_item_cannot_be_cleared(api: Api) -> None:
    _, who = clocked(api)
    items = [{"price": plan(api)}, {"price": metered_plan(api)}]
    sub = api.ok("post", "/v1/subscriptions", customer=who, items=items)
    licensed, metered = sorted(sub["items"]["data"], key=lambda one: one["price"]["recurring"]["usage_type"])
    refused = api.delete(f"/v1/subscription_items/{licensed['id']}", clear_usage=True)
    assert (refused.status, refused.error["param"]) == (400, "clear_usage")
    assert api.delete(f"/v1/subscription_items/{metered['id']}", clear_usage=True).status == 200


def test_the_last_item_stays_and_an_ended_subscription_gets_none(api: Api) -> None:
    who = customer(api)
    api.ok("post", f"/v1/customers/{who}", source="tok_visa")
    sub = subscribe(api, who, plan(api))
    refused = api.delete(f"/v1/subscription_items/{sub['items']['data'][0]['id']}")
    assert (refused.status, "at least one active plan" in refused.error["message"]) == (400, True)
    assert told(api, "/v1/subscription_items", subscription=sub["id"])[1].startswith("Missing required param")
    api.ok("delete", f"/v1/subscriptions/{sub['id']}")
    added = api.post("/v1/subscription_items", subscription=sub["id"], price=plan(api))
    assert (added.status, added.error["code"]) == (404, "resource_missing")


def test_another_price_sets_the_quantity_to_one_unless_it_is_given(api: Api) -> None:
    _, who = clocked(api)
    sub = api.ok("post", "/v1/subscriptions", customer=who, items=[{"price": plan(api), "quantity": 3}])
    item = f"/v1/subscription_items/{sub['items']['data'][0]['id']}"
    assert api.ok("post", item, price=plan(api))["quantity"] == 1
    assert api.ok("post", item, price=plan(api), quantity=4)["quantity"] == 4
    assert api.ok("post", item, metadata={"a": "b"})["quantity"] == 4


#: The last version with usage records, and with metered prices without a meter.
BEFORE_METERS = {"Stripe-Version": "2024-12-18"}


def metered_without_meter(api: Api) -> str:
    """The id of a price of 0.05 USD a call, whose usage is recorded on the item."""
    product = api.ok("post", "/v1/products", name="Calls")["id"]
    recurring = {"interval": "month", "usage_type": "metered"}
    given = {"product": product, "unit_amount": 5, "currency": "usd", "recurring": recurring}
    return str(api.post("/v1/prices", headers=BEFORE_METERS, **given)["id"])


@rule_table
@pytest.mark.parametrize("how", ["item", "items"])
def test_an_item_with_usage_records_is_deleted_together_with_them(api: Api, how: str) -> None:
    _, who = clocked(api)
    price = metered_without_meter(api)
    sub = api.ok("post", "/v1/subscriptions", customer=who, items=[{"price": plan(api)}, {"price": price}])
    item = next(one["id"] for one in sub["items"]["data"] if one["price"]["id"] == price)
    assert api.post(f"/v1/subscription_items/{item}/usage_records", headers=BEFORE_METERS, quantity=7).status == 200

    def delete(**more: object) -> Answer:
        if how == "item":
            return api.delete(f"/v1/subscription_items/{item}", **more)
        return api.post(f"/v1/subscriptions/{sub['id']}", items=[{"id": item, "deleted": True, **more}])

    refused = delete()
    named = "clear_usage" if how == "item" else "items[0][clear_usage]"
    assert (refused.status, refused.error["param"]) == (400, named)
    assert delete(clear_usage=True).status == 200


def test_clearing_usage_leaves_nothing_to_bill(api: Api) -> None:
    _, who = clocked(api)
    price = metered_without_meter(api)
    sub = subscribe(api, who, price)
    item = sub["items"]["data"][0]["id"]
    assert api.post(f"/v1/subscription_items/{item}/usage_records", headers=BEFORE_METERS, quantity=7).status == 200
    cleared = {"items": [{"id": item, "clear_usage": True}]}
    preview = {"subscription": sub["id"]}
    assert api.ok("post", "/v1/invoices/create_preview", **preview)["total"] == 35
    assert api.ok("post", "/v1/invoices/create_preview", **preview, subscription_details=cleared)["total"] == 0
    api.ok("post", f"/v1/subscriptions/{sub['id']}", **cleared)
    assert api.ok("post", "/v1/invoices/create_preview", **preview)["total"] == 0
