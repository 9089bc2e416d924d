"""What may be set on a subscription at any time, in today's words and in those of older versions."""

from __future__ import annotations

from tests.payments.steps import monthly, told
from tests.support.api import Api


def test_a_subscription_s_unknown_payment_method_may_be_elsewhere(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", source="tok_visa")["id"]
    given = {"items": [{"price": monthly(api)}], "default_payment_method": "pm_no"}
    param, message = told(api, "/v1/subscriptions", customer=customer, **given)
    assert param == "default_payment_method"
    assert message.startswith(
        "No such PaymentMethod: 'pm_no'; It's possible this PaymentMethod exists on one of your connected accounts"
    )
