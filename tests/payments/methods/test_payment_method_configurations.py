"""PaymentMethodConfigurations: which payment methods the Dashboard has switched on."""

from __future__ import annotations

import pytest

from tests.support.api import Api
from tests.support.openapi import assert_valid
from tollkey.wire.params import Object, operation_params

PATH = "/v1/payment_method_configurations"


def test_a_configuration_is_made_listed_and_changed(api: Api) -> None:
    made = api.ok(
        "POST", "/v1/payment_method_configurations", name="Shop", card={"display_preference": {"preference": "off"}}
    )
    assert_valid("POST", "/v1/payment_method_configurations", 200, dict(made))
    assert made["card"]["display_preference"]["value"] == "off"
    listed = api.get("/v1/payment_method_configurations")
    assert_valid("GET", "/v1/payment_method_configurations", 200, dict(listed))
    assert [one["is_default"] for one in listed["data"]] == [False, True]


PATH = "/v1/payment_method_configurations"


def test_a_method_that_is_switched_off_is_not_offered(api: Api) -> None:
    (default,) = api.get(PATH)["data"]
    assert (default["is_default"], default["card"]["available"]) == (True, True)
    off = api.ok("POST", f"{PATH}/{default['id']}", card={"display_preference": {"preference": "off"}})
    assert off["card"]["display_preference"]["value"] == "off"
    intent = api.ok(
        "POST", "/v1/payment_intents", amount=1000, currency="usd", automatic_payment_methods={"enabled": True}
    )
    assert "card" not in intent["payment_method_types"]


def test_an_intent_names_its_configuration_or_follows_the_default(api: Api) -> None:
    other = api.ok("POST", PATH, name="Mine", card={"display_preference": {"preference": "off"}})["id"]
    given = {"amount": 1000, "currency": "usd", "automatic_payment_methods": {"enabled": True}}
    named = api.ok("POST", "/v1/payment_intents", payment_method_configuration=other, **given)
    assert "card" not in named["payment_method_types"]
    assert "card" in api.ok("POST", "/v1/payment_intents", **given)["payment_method_types"]
    assert api.post("/v1/payment_intents", payment_method_configuration="pmc_no", **given).status == 400


def test_every_method_that_can_be_switched_on_is_shown(api: Api) -> None:
    schema = operation_params("POST", "/v1/payment_method_configurations")
    names = [name for name, node in schema.fields.items() if isinstance(node, Object)]
    made = api.ok("POST", PATH, **{name: {"display_preference": {"preference": "on"}} for name in names})
    assert len(names) > 40
    assert [name for name in names if made[name]["display_preference"]["preference"] != "on"] == []


@pytest.mark.parametrize("name", ["apple_pay_later", "fr_meal_voucher_conecs"])
def test_a_method_that_no_configuration_shows_is_refused_by_name(api: Api, name: str) -> None:
    made = api.ok("POST", PATH)["id"]
    for path in (PATH, f"{PATH}/{made}"):
        refused = api.post(path, **{name: {"display_preference": {"preference": "on"}}})
        assert (refused.status, refused.error["param"]) == (400, name)


def test_configurations_are_listed_by_whether_they_are_active_and_by_application(api: Api) -> None:
    made = api.ok("POST", PATH)["id"]
    api.ok("POST", f"{PATH}/{made}", active=False)
    assert [one["id"] for one in api.get(PATH, active=False)["data"]] == [made]
    active = api.get(PATH, active=True)["data"]
    assert [(one["is_default"], one["active"]) for one in active] == [(True, True)]
    assert len(api.get(PATH, application="")["data"]) == 2
    assert api.get(PATH, application="ca_tea")["data"] == []
