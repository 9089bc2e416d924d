"""Which discounts count for what a subscription bills."""

from __future__ import annotations

from tests.payments.subscriptions.steps import clocked, ok, plan, totals
from tests.support.api import Api


def test_the_customers_discount_counts_where_the_subscription_has_none(api: Api) -> None:
    _, who = clocked(api)
    tenth, half = (
        ok(api, "POST", "/v1/coupons", percent_off=percent, duration="forever")["id"] for percent in (10, 50)
    )
    api.ok("post", f"/v1/customers/{who}", coupon=tenth, headers={"Stripe-Version": "2024-06-20"})
    plain = ok(api, "POST", "/v1/subscriptions", customer=who, items=[{"price": plan(api)}])
    own = ok(api, "POST", "/v1/subscriptions", customer=who, items=[{"price": plan(api)}], discounts=[{"coupon": half}])
    assert (totals(api, plain["id"]), totals(api, own["id"])) == ([900], [500])
