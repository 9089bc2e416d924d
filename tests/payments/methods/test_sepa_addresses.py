"""SEPA Direct Debit asks accounts outside the European Economic Area for an address."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.versions import BEFORE_ENDIVE
from tollkey.payments.methods.sepa_addresses import OUTSIDE

WHOLE = {"country": "GB", "line1": "1 High Street", "city": "London", "postal_code": "SW1A 1AA"}
BRITISH, SWISS, GERMAN = "GB82WEST12345698765432", "CH9300762011623852957", "DE89370400440532013000"


def method(iban: str, address: dict[str, Any]) -> dict[str, Any]:
    return {"type": "sepa_debit", "sepa_debit": {"iban": iban}, "billing_details": {"name": "Jo", "address": address}}


def less(*names: str) -> dict[str, Any]:
    return {name: value for name, value in WHOLE.items() if name not in names}


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("iban", [BRITISH, SWISS])
def test_an_account_outside_the_area_needs_a_whole_address(api: Api, iban: str, name: str) -> None:
    assert {"GB", "CH"} <= OUTSIDE
    assert api.post("/v1/payment_methods", **method(iban, WHOLE)).status == 200
    param = f"billing_details[address][{name}]"
    refused = api.post("/v1/payment_methods", **method(iban, less(name)))
    assert (refused.error["code"], refused.error["message"]) == (
        "parameter_missing",
        f"Missing required param: {param}.",
    )
    assert api.post("/v1/payment_methods", **method(GERMAN, less(name))).status == 200


def test_the_town_is_asked_for_since_2026_09_30(api: Api) -> None:
    old = api.under(BEFORE_ENDIVE)
    assert old.post("/v1/payment_methods", **method(BRITISH, less("city", "postal_code"))).status == 200
    for name in ("country", "line1"):
        refused = old.post("/v1/payment_methods", **method(BRITISH, less(name)))
        assert refused.error["param"] == f"billing_details[address][{name}]"


def test_an_address_cannot_be_taken_away(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    made = api.under(BEFORE_ENDIVE).ok("POST", "/v1/payment_methods", **method(BRITISH, less("city")))
    path = f"/v1/payment_methods/{made['id']}"
    api.ok("POST", path + "/attach", customer=customer)
    assert api.ok("POST", path, metadata={"a": "1"})["metadata"] == {"a": "1"}
    refused = api.post(path, billing_details={"name": "Jenny"})
    assert refused.error["param"] == "billing_details[address][city]"
    assert api.post(path, billing_details={"address": {"city": "London"}}).status == 200


def test_what_an_intent_is_confirmed_with_needs_the_address_too(api: Api) -> None:
    intent = api.ok(
        "POST", "/v1/payment_intents", amount=500, currency="eur", allowed_payment_method_types=["sepa_debit"]
    )
    given = {"return_url": "https://example.com", "mandate_data": {"customer_acceptance": {"type": "offline"}}}
    path = f"/v1/payment_intents/{intent['id']}/confirm"
    refused = api.post(path, payment_method_data=method(SWISS, less("line1")), **given)
    assert refused.error["param"] == "billing_details[address][line1]"
    assert api.ok("POST", path, payment_method_data=method(SWISS, WHOLE), **given)["status"] == "processing"


def test_a_source_needs_the_address_of_its_owner(api: Api) -> None:
    source = {"type": "sepa_debit", "currency": "eur", "sepa_debit": {"iban": BRITISH}}
    refused = api.post("/v1/sources", **source, owner={"name": "Jo"})
    assert (refused.error["code"], refused.error["param"]) == ("parameter_missing", "owner[address][country]")
    assert api.post("/v1/sources", **source, owner={"name": "Jo", "address": WHOLE}).status == 200
