"""What may be set on a subscription at any time, in today's words and in those of older versions."""

from __future__ import annotations

from tests.payments.steps import monthly, told
from tests.payments.subscriptions.steps import clocked, current, plan, subscribe
from tests.support.api import Api


def test_a_subscription_s_unknown_payment_method_may_be_elsewhere(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", source="tok_visa")["id"]
    given = {"items": [{"price": monthly(api)}], "default_payment_method": "pm_no"}
    param, message = told(api, "/v1/subscriptions", customer=customer, **given)
    assert param == "default_payment_method"
    assert message.startswith(
        "No such PaymentMethod: 'pm_no'; It's possible this PaymentMethod exists on one of your connected accounts"
    )


def test_a_subscription_may_end_with_its_period_or_at_a_moment_but_not_both(api: Api) -> None:
    _, who = clocked(api)
    path = f"/v1/subscriptions/{subscribe(api, who, plan(api))['id']}"
    end = api.get(path)["items"]["data"][0]["current_period_end"]
    assert api.post(path, cancel_at_period_end=True, cancel_at=end - 1).status == 400
    assert api.ok("POST", path, cancel_at_period_end=True)["cancel_at"] == end
    kept = api.ok("POST", path, cancel_at_period_end=False)
    assert (kept["cancel_at"], kept["canceled_at"]) == (None, None)


def test_another_customer_s_payment_method_is_not_a_subscription_s_default(api: Api) -> None:
    _, who = clocked(api)
    other = api.ok("POST", "/v1/customers")["id"]
    method = api.ok("POST", "/v1/payment_methods/pm_card_visa/attach", customer=other)["id"]
    sub = subscribe(api, who, plan(api))["id"]
    assert api.post(f"/v1/subscriptions/{sub}", default_payment_method=method).status == 400
    assert current(api, sub)["default_payment_method"] is None
