"""PaymentMethodConfigurations: which payment methods the Dashboard has switched on."""

from __future__ import annotations

from tests.support.api import Api
from tests.support.openapi import assert_valid


def test_a_configuration_is_made_listed_and_changed(api: Api) -> None:
    made = api.ok(
        "POST", "/v1/payment_method_configurations", name="Shop", card={"display_preference": {"preference": "off"}}
    )
    assert_valid("POST", "/v1/payment_method_configurations", 200, dict(made))
    assert made["card"]["display_preference"]["value"] == "off"
    listed = api.get("/v1/payment_method_configurations")
    assert_valid("GET", "/v1/payment_method_configurations", 200, dict(listed))
    assert [one["is_default"] for one in listed["data"]] == [False, True]
