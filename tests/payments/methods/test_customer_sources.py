"""Cards and bank accounts are checked before they are saved to a customer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api

BANK = {"object": "bank_account", "country": "US", "account_number": "000123456789", "routing_number": "110000000"}


def test_the_first_saved_card_becomes_the_default_and_the_second_does_not(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    first, _ = (
        api.ok("POST", f"/v1/customers/{customer}/sources", source=token)["id"]
        for token in ("tok_visa", "tok_mastercard")
    )
    assert api.get(f"/v1/customers/{customer}")["default_source"] == first


def test_a_card_that_its_bank_does_not_let_be_saved_is_not_kept(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    refused = api.post(f"/v1/customers/{customer}/sources", source="tok_chargeDeclined")
    assert (refused.status, refused.error["code"], refused.error["param"]) == (402, "card_declined", "")
    assert api.get(f"/v1/customers/{customer}/sources")["data"] == []


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"account_number": ""}, "parameter_missing", "source[account_number]"),
        ({"routing_number": ""}, "parameter_missing", "source[routing_number]"),
        ({"routing_number": "110000001"}, "routing_number_invalid", "source[routing_number]"),
        ({"routing_number": "1100"}, "routing_number_invalid", "source[routing_number]"),
        ({"account_number": "9412345678"}, "account_number_invalid", "source[account_number]"),
    ],
)
def test_a_bank_account_in_the_us_needs_a_test_number_and_a_valid_routing_number(
    api: Api, change: dict[str, Any], code: str, param: str
) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    refused = api.post(f"/v1/customers/{customer}/sources", source={**BANK, **change})
    assert (refused.status, refused.error["code"], refused.error["param"]) == (400, code, param)
    assert api.post(f"/v1/customers/{customer}/sources", source=BANK).status == 200


@pytest.mark.parametrize("path", ["/v1/customers", "/v1/customers/{}/sources"])
def test_a_payment_method_is_not_saved_as_a_source(api: Api, path: str) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    method = api.ok("POST", "/v1/payment_methods", type="card", card={"token": "tok_visa"})["id"]
    refused = api.post(path.format(customer), source=method)
    assert (refused.status, refused.error["param"]) == (400, "source")
    assert refused.error["message"].startswith("You cannot use a PaymentMethod as a source for Customers.")


@pytest.mark.parametrize(
    ("country", "type", "status"),
    [("US", "savings", 200), ("US", "futsu", 400), ("JP", "toza", 200), ("JP", "checking", 400)],
)
def test_a_bank_account_has_a_type_of_its_country(api: Api, country: str, type: str, status: int) -> None:
    bank = {**BANK, "country": country, "currency": "usd" if country == "US" else "jpy", "account_type": type}
    for path, name in (("/v1/tokens", "bank_account"), ("/v1/accounts", "external_account")):
        more = {"type": "custom", "country": country} if path == "/v1/accounts" else {}
        given = {key: value for key, value in bank.items() if more or key != "object"}
        answer = api.post(path, **{name: given}, **more)
        assert answer.status == status, answer
        assert status == 200 or answer.error["param"] == f"{name}[account_type]"


def test_a_routing_number_of_another_length_is_named(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    refused = api.post(f"/v1/customers/{customer}/sources", source={**BANK, "routing_number": "1100"})
    assert refused.error["message"] == "Routing number must have 9 digits"


@pytest.mark.parametrize("path", [
    "/v1/customers", "/v1/customers/{}", "/v1/customers/{}/sources", "/v1/charges", "/v1/subscriptions",
])  # fmt: skip
def test_of_two_sources_in_a_request_none_is_dropped(api: Api, path: str) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    more: dict[str, Any] = {}
    if path == "/v1/charges":
        more = {"amount": 500, "currency": "usd"}
    elif path == "/v1/subscriptions":
        price = {"currency": "usd", "recurring": {"interval": "month"}, "unit_amount": 500, "product": _product(api)}
        more = {"customer": customer, "items": [{"price_data": price}]}
    refused = api.post(path.format(customer), source="tok_visa", card="tok_mastercard", **more)
    assert (refused.status, refused.error["param"]) == (400, "card")
    assert "source, card" in refused.error["message"]
    assert api.post(path.format(customer), source="tok_visa", **more).status == 200


def _product(api: Api) -> str:
    return str(api.ok("POST", "/v1/products", name="Plan")["id"])


@pytest.mark.parametrize(("path", "name"), [("/sources", "alipay_account"), ("", "default_alipay_account")])
def test_no_customer_has_an_alipay_account(api: Api, path: str, name: str) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    refused = api.post(f"/v1/customers/{customer}{path}", **{name: "aliacc_1"})
    assert (refused.status, refused.error["code"], refused.error["param"]) == (400, "resource_missing", name)


def test_a_customer_has_one_default_source(api: Api) -> None:
    made = api.ok("POST", "/v1/customers", source="tok_visa")
    for other in ({"default_card": made["default_source"]}, {"source": "tok_visa"}):
        refused = api.post(f"/v1/customers/{made['id']}", default_source=made["default_source"], **other)
        assert (refused.status, refused.error["param"]) == (400, "default_source")
    assert api.get(f"/v1/customers/{made['id']}")["default_source"] == made["default_source"]
