"""Steps that several tests of catalog share."""

from __future__ import annotations

from typing import Any

from tests.payments.checkout.steps import DONE, line
from tests.payments.subscriptions.steps import plan
from tests.support.api import Answer, Api
from tests.support.openapi import object_problems


def template(api: Api, **more: object) -> str:
    made = api.ok("POST", "/v1/test_helpers/invoice_rendering_templates", **more)
    assert object_problems("invoice_rendering_template", made, strict=True) == []
    found: str = made["id"]
    return found


EARLIER = "This promotion code cannot be redeemed because the associated customer has prior transactions."
LESS = (
    "This promotion code cannot be redeemed because the associated purchase does not meet the minimum amount"
    " requirement."
)
MINIMUM = {"minimum_amount": 1000, "minimum_amount_currency": "usd", "currency_options": {"eur": {"minimum_amount": 2}}}


def code(api: Api, coupon: dict[str, Any] | None = None, **restrictions: Any) -> str:
    """A promotion code with these restrictions, for a coupon of 10 percent unless it is described."""
    made = api.ok("post", "/v1/coupons", **(coupon or {"percent_off": 10}), duration="forever")["id"]
    given = {"promotion": {"type": "coupon", "coupon": made}, "restrictions": restrictions}
    found: str = api.ok("post", "/v1/promotion_codes", **given)["id"]
    return found


def first_time(api: Api) -> str:
    return code(api, first_time_transaction=True)


def bought(api: Api, who: str, promotion_code: str, **more: Any) -> Answer:
    """A new subscription of 10 dollars a month with that code."""
    given = {"items": [{"price": plan(api)}], "discounts": [{"promotion_code": promotion_code}], **more}
    return api.post("/v1/subscriptions", customer=who, **given)


def paid_for(api: Api, promotion_code: str, **more: Any) -> Answer:
    """A Checkout Session of 30 dollars with that code."""
    given = {"mode": "payment", "success_url": DONE, "line_items": [line()], **more}
    return api.post("/v1/checkout/sessions", **given, discounts=[{"promotion_code": promotion_code}])
