"""Parameters of a Checkout Session: what may be asked for, and the object that comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.checkout.steps import line
from tests.support.api import Api, rule_table
from tests.support.versions import BEFORE_ENDIVE

URL = "/v1/checkout/sessions"
DONE = "https://shop.example/done?session={CHECKOUT_SESSION_ID}"


@pytest.mark.parametrize(("params", "message"), [
    ({"line_items": [line(1, 1)]}, "The Checkout Session's total amount due must add up to at least $0.50 USD"),
    ({"mode": "subscription"},
    "You must provide at least one recurring price in `subscription` mode when using prices."),
    ({"customer": "cus_no"}, "No such customer: 'cus_no'"),
    ({"expires_at": 1}, "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."),
    ({"subscription_data": {"trial_period_days": 3}}, "You can not pass `subscription_data` in `payment` mode."),
])  # fmt: skip
def test_parameters_that_do_not_go_together_are_refused(api: Api, params: dict[str, Any], message: str) -> None:
    answer = api.post(URL, **{"mode": "payment", "success_url": DONE, "line_items": [line()], **params})
    assert (answer.status, answer.error["message"]) == (400, message)
    assert api.get("/v1/prices")["data"] == []


def test_a_session_shows_whether_its_page_offers_link(api: Api) -> None:
    told = {"mode": "payment", "success_url": DONE, "line_items": [line()]}
    assert api.ok("POST", URL, **told)["wallet_options"] is None
    made = api.ok("POST", URL, **told, wallet_options={"link": {"display": "never"}})
    assert made["wallet_options"] == {"link": {"display": "never"}}
    assert api.post(URL, **told, wallet_options={"link": {"display": "no"}}).error["param"] == (
        "wallet_options[link][display]"
    )


@rule_table
@pytest.mark.parametrize(("given", "param"), [
    ({"managed_payments": {"enabled": True}}, "managed_payments[enabled]"),
    ({"line_items": [{**line(), "dynamic_tax_rates": ["txr_1"]}]}, "line_items[0][dynamic_tax_rates]"),
], ids=str)  # fmt: skip
def test_what_cannot_act_on_a_session_is_refused(api: Api, given: dict[str, Any], param: str) -> None:
    refused = api.post(URL, **{"mode": "payment", "success_url": DONE, "line_items": [line()], **given})
    assert (refused.status, refused.error["param"]) == (400, param)


@rule_table
def test_a_session_says_whether_it_converts_prices(api: Api) -> None:
    told = {"mode": "payment", "success_url": DONE, "line_items": [line()]}
    assert api.ok("POST", URL, **told)["adaptive_pricing"] == {"enabled": True}
    assert api.ok("POST", URL, **told, adaptive_pricing={"enabled": False})["adaptive_pricing"] == {"enabled": False}


def test_a_shipping_option_is_a_rate_or_the_data_of_one(api: Api) -> None:
    data = {"display_name": "Post", "fixed_amount": {"amount": 500, "currency": "usd"}}
    rate = api.ok("POST", "/v1/shipping_rates", **data)["id"]
    both = [{"shipping_rate": rate}, {"shipping_rate": rate, "shipping_rate_data": data}]
    given = {"mode": "payment", "success_url": DONE, "line_items": [line()]}
    refused = api.post(URL, **given, shipping_options=both)
    assert (refused.status, refused.error["param"]) == (400, "shipping_options[1]")
    assert refused.error["message"] == "You must provide exactly one of `shipping_rate` or `shipping_rate_data`."
    made = api.ok("POST", URL, **given, shipping_options=[{"shipping_rate": rate}, {"shipping_rate_data": data}])
    assert [option["shipping_amount"] for option in made["shipping_options"]] == [500, 500]


@rule_table
def test_a_field_has_no_limits_of_another_type(api: Api) -> None:
    field = {
        "key": "size",
        "label": {"type": "custom", "custom": "Size"},
        "type": "text",
        "numeric": {"maximum_length": 3},
    }
    told = {"mode": "payment", "success_url": DONE, "line_items": [line()], "custom_fields": [field]}
    refused = api.post(URL, **told)
    assert (refused.status, refused.error["param"]) == (400, "custom_fields[0][numeric]")


@rule_table
def test_a_payment_says_what_becomes_of_saved_payment_methods(api: Api) -> None:
    told = {"mode": "payment", "success_url": DONE, "line_items": [line()]}
    made = api.ok("POST", URL, **told, saved_payment_method_options={"payment_method_save": "enabled"})
    assert made["saved_payment_method_options"]["payment_method_save"] == "enabled"


@pytest.mark.parametrize("data", [{"setup_future_usage": "off_session"}, {"capture_method": "manual"}])
def test_a_payment_is_made_with_types_that_do_what_is_asked(api: Api, data: dict[str, str]) -> None:
    given = {"mode": "payment", "success_url": DONE, "line_items": [line(20_000, currency="mxn")]}
    given["payment_intent_data"] = data
    named = api.under(BEFORE_ENDIVE).post(URL, **given, payment_method_types=["oxxo"])
    assert (named.status, named.error["param"]) == (400, f"payment_intent_data[{next(iter(data))}]")
    allowed = {"allowed_payment_method_types": ["oxxo"]}
    assert api.post(URL, **given, **allowed).error["param"] == "allowed_payment_method_types"
    both = {"allowed_payment_method_types": ["oxxo", "card"]}
    assert api.ok("post", URL, **given, **both)["payment_method_types"] == ["card"]
