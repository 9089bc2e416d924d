"""``plan`` of customers, before 2020-08-27: the customer and its subscription in one call."""

from __future__ import annotations

import pytest

from tests.support.api import Api

OLD = {"Stripe-Version": "2019-08-14"}


@pytest.fixture
def plan(api: Api) -> str:
    """A plan of $20 a month."""
    price = api.ok(
        "post",
        "/v1/prices",
        currency="usd",
        unit_amount=2000,
        recurring={"interval": "month"},
        product_data={"name": "P"},
    )
    return str(price["id"])


def _subscriptions(api: Api, customer: str) -> list[dict[str, object]]:
    return list(api.get("/v1/subscriptions", customer=customer, status="all")["data"])


def test_a_customer_is_created_with_its_subscription(api: Api, plan: str) -> None:
    made = api.post("/v1/customers", headers=OLD, source="tok_visa", plan=plan, quantity=3, tax_percent=10)
    assert made.status == 200
    (subscription,) = made["subscriptions"]["data"]
    assert (subscription["status"], subscription["quantity"], subscription["tax_percent"]) == ("active", 3, 10)
    assert (made["currency"], api.get("/v1/invoices", customer=made["id"])["data"][0]["amount_paid"]) == ("usd", 6600)


def test_a_trial_needs_no_card(api: Api, plan: str) -> None:
    end = api.now + 86_400
    made = api.post("/v1/customers", headers=OLD, plan=plan, trial_end=end)
    (subscription,) = made["subscriptions"]["data"]
    assert (subscription["status"], subscription["trial_end"]) == ("trialing", end)


def test_a_card_that_is_refused_leaves_no_customer(api: Api, plan: str) -> None:
    old = {"Stripe-Version": "2018-02-28"}  # since 2019-03-14 the subscription is incomplete
    refused = api.post("/v1/customers", headers=old, source="tok_chargeCustomerFail", plan=plan)
    assert (refused.status, refused.error["code"]) == (402, "card_declined")
    assert api.get("/v1/customers")["data"] == []


def test_without_a_card_and_a_trial_nothing_is_created(api: Api, plan: str) -> None:
    assert api.post("/v1/customers", headers=OLD, plan=plan).status == 400
    assert api.get("/v1/customers")["data"] == []


def test_an_update_with_a_plan_moves_the_only_subscription_to_it(api: Api, plan: str) -> None:
    customer = api.ok("post", "/v1/customers", source="tok_visa")["id"]
    path = f"/v1/customers/{customer}"
    assert api.post(path, headers=OLD, plan=plan)["subscriptions"]["total_count"] == 1
    changed = api.post(path, headers=OLD, plan=plan, quantity=2, prorate=False)
    assert [each["quantity"] for each in changed["subscriptions"]["data"]] == [2]
    assert len(_subscriptions(api, customer)) == 1


def test_an_update_with_a_plan_is_refused_beside_two_subscriptions(api: Api, plan: str) -> None:
    customer = api.ok("post", "/v1/customers", source="tok_visa")["id"]
    for _ in range(2):
        api.ok("post", "/v1/subscriptions", customer=customer, items=[{"price": plan}])
    refused = api.post(f"/v1/customers/{customer}", headers=OLD, plan=plan, name="Changed")
    assert (refused.status, refused.error["param"]) == (400, "plan")
    assert api.get(f"/v1/customers/{customer}")["name"] is None


def test_a_plan_asks_for_the_permission_to_write_subscriptions(api: Api, plan: str) -> None:
    customer = api.ok("post", "/v1/customers", source="tok_visa")["id"]
    path, may = f"/v1/customers/{customer}", {"headers": OLD, "plan": plan}
    for asked in (path, "/v1/customers"):
        refused = api.post(asked, key=api.restricted("customer_write", "subscription_read"), **may)
        assert (refused.status, "subscription_write" in refused.error["message"]) == (403, True)
    assert (_subscriptions(api, customer), len(api.get("/v1/customers")["data"])) == ([], 1)
    assert api.post(path, key=api.restricted("customer_write", "subscription_write"), **may).status == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [("quantity", 2), ("tax_percent", 5), ("trial_end", "now"), ("prorate", True), ("billing", "send_invoice")],
)
def test_terms_of_a_subscription_without_a_plan_are_unknown(api: Api, name: str, value: object) -> None:
    customer = api.ok("post", "/v1/customers")["id"]
    for path in ("/v1/customers", f"/v1/customers/{customer}"):
        refused = api.post(path, headers=OLD, **{name: value})
        assert (refused.status, refused.error["message"]) == (400, f"Received unknown parameter: {name}")
