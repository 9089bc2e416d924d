"""Which discounts count for what a subscription bills."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.steps import told
from tests.payments.subscriptions.steps import DAY, advance, clocked, ok, plan, subscribe, totals
from tests.support.api import NOW, Api


def test_the_customers_discount_counts_where_the_subscription_has_none(api: Api) -> None:
    _, who = clocked(api)
    tenth, half = (
        ok(api, "POST", "/v1/coupons", percent_off=percent, duration="forever")["id"] for percent in (10, 50)
    )
    api.ok("post", f"/v1/customers/{who}", coupon=tenth, headers={"Stripe-Version": "2024-06-20"})
    plain = ok(api, "POST", "/v1/subscriptions", customer=who, items=[{"price": plan(api)}])
    own = ok(api, "POST", "/v1/subscriptions", customer=who, items=[{"price": plan(api)}], discounts=[{"coupon": half}])
    assert (totals(api, plain["id"]), totals(api, own["id"])) == ([900], [500])


def _code(api: Api, coupon: dict[str, Any] | None = None, **params: Any) -> str:
    """A promotion code of half the price, unless the coupon says otherwise."""
    made = api.ok("post", "/v1/coupons", **{"percent_off": 50, "duration": "once", **(coupon or {})})["id"]
    return str(api.ok("post", "/v1/promotion_codes", promotion={"type": "coupon", "coupon": made}, **params)["id"])


LEAST = {"minimum_amount": 1500, "minimum_amount_currency": "usd"}
FIRST = {"first_time_transaction": True}


@pytest.mark.parametrize(
    ("which", "words"),
    [
        ("another's", "cannot be redeemed by this customer"),
        ("first time", "has prior transactions"),
        ("redeemed out", "is not active"),
        ("expired", "is not active"),
        ("expired coupon", "is not active"),
        ("too little", "does not meet the minimum amount requirement"),
    ],
)
@pytest.mark.parametrize("new", [True, False], ids=["new", "changed"])
def test_a_promotion_code_that_does_not_count_is_refused(api: Api, which: str, words: str, new: bool) -> None:
    clock, who = clocked(api)
    price = plan(api)
    sub = subscribe(api, who, price)["id"]
    other = api.ok("post", "/v1/customers", source="tok_visa")["id"]
    made: dict[str, dict[str, Any]] = {
        "another's": {"customer": other},
        "first time": {"restrictions": FIRST},
        "redeemed out": {"max_redemptions": 1},
        "expired": {"expires_at": api.now + DAY},
        "expired coupon": {"coupon": {"redeem_by": NOW + DAY}},
        "too little": {"restrictions": LEAST},
    }
    code = _code(api, **made[which])
    if which == "redeemed out":
        subscribe(api, other, price, discounts=[{"promotion_code": code}])
    elif which.startswith("expired"):
        advance(api, clock, NOW + 2 * DAY)
    path = "/v1/subscriptions" if new else f"/v1/subscriptions/{sub}"
    whole = {"customer": who, "items": [{"price": price}]} if new else {}
    param, sentence = told(api, path, discounts=[{"promotion_code": code}], **whole)
    if which == "too little" and not new:
        words = "on a subscription update because it uses the `minimum_amount` restriction"
    assert words in sentence
    assert str(param).startswith("discounts[0]")


def test_a_promotion_code_counts_for_a_purchase_that_is_large_enough(api: Api) -> None:
    _, who = clocked(api)
    price, code = plan(api), _code(api, restrictions=LEAST)
    once = {"currency": "usd", "product": api.ok("post", "/v1/products", name="Setup")["id"], "unit_amount": 500}
    with_setup = {"add_invoice_items": [{"price_data": once}]}
    sub = subscribe(api, who, price, discounts=[{"promotion_code": code}], **with_setup)
    assert totals(api, sub["id"]) == [750]
    euros = _code(api, restrictions={**LEAST, "minimum_amount_currency": "eur"})
    subscribe(api, who, price, discounts=[{"promotion_code": euros}])
