"""Each breaking change of a version: what it removed is taken by the version before, and refused since."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from tests.support.api import Api, World
from tests.support.recipes import Maker
from tests.support.versions import BEFORE_ENDIVE, ENDIVE


class Case(NamedTuple):
    """A call that a version no longer takes. path: with the object that it is made for, as ``{customer}``."""

    path: str
    params: dict[str, Any]
    param: str
    code: str | None
    message: str = ""


_TYPES = {"payment_method_types": ["card"]}
_NO_TYPES = ("payment_method_types", "payment_method_types_no_longer_supported", "no longer supported")
_ITEM = {"price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Tea"}}, "quantity": 1}
CASES = [
    Case("/v1/payment_intents", {"amount": 500, "currency": "usd", **_TYPES}, *_NO_TYPES),
    Case("/v1/payment_intents/{payment_intent}", _TYPES, *_NO_TYPES),
    Case("/v1/payment_intents/{payment_intent}/confirm", {"payment_method": "pm_card_visa", **_TYPES}, *_NO_TYPES),
    Case("/v1/setup_intents", _TYPES, *_NO_TYPES),
    Case("/v1/setup_intents/{setup_intent}", _TYPES, *_NO_TYPES),
    Case(
        "/v1/checkout/sessions",
        {"mode": "payment", "success_url": "https://example.com", "line_items": [_ITEM], **_TYPES},
        "payment_method_types",
        "parameter_unknown",
    ),
    Case("/v1/payment_methods/{payto}", {"payto": {"pay_id": "a@b.au"}}, "payto", "parameter_unknown"),
    Case("/v1/subscriptions/{subscription}", {"billing_cycle_anchor": "now"}, "billing_cycle_anchor", None),
    Case(
        "/v1/invoices/create_preview",
        {"subscription": "{subscription}", "subscription_details": {"billing_cycle_anchor": "now"}},
        "subscription_details[billing_cycle_anchor]",
        None,
    ),
    Case("/v1/accounts/{account}/reject", {"reason": "fraud"}, "reason", None, "fraud_other"),
]
_MADE = ("payment_intent", "setup_intent", "payment_method", "subscription", "account")


@pytest.fixture(scope="module")
def api(sqlite_world: World) -> Api:
    return Api(sqlite_world)


def _filled(value: Any, made: dict[str, str]) -> Any:
    """The value with the objects' ids in the places of their names."""
    if isinstance(value, dict):
        return {name: _filled(inner, made) for name, inner in value.items()}
    return value.format(**made) if isinstance(value, str) else value


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.path} {case.param}")
def test_what_a_version_removed_is_taken_before_it_and_refused_since(api: Api, case: Case) -> None:
    maker = Maker(api)
    named = [name for name in _MADE if "{" + name + "}" in case.path + str(case.params)]
    made = {name: maker.make(name)["id"] for name in named}
    old = {"Stripe-Version": BEFORE_ENDIVE}
    if "{payto}" in case.path:
        number = {"bsb_number": "000000", "account_number": "000123456"}
        made["payto"] = api.post("/v1/payment_methods", headers=old, type="payto", payto=number)["id"]
        customer = maker.make("customer")["id"]
        assert api.post(f"/v1/payment_methods/{made['payto']}/attach", headers=old, customer=customer).status == 200
    path, params = case.path.format(**made), _filled(case.params, made)
    refused = api.post(path, headers={"Stripe-Version": ENDIVE}, **params)
    assert (refused.status, refused.error.get("param"), refused.error.get("code")) == (400, case.param, case.code)
    assert case.message in refused.error["message"]
    assert api.post(path, **params).error["message"] == refused.error["message"]
    taken = api.post(path, headers=old, **params)
    assert taken.status == 200, taken
