"""What a merchant tells about a purchase is kept and shown, with all keys of each hash."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.issuing.steps import HELP, fund, issued
from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid

FUEL = {"type": "diesel", "unit": "liter", "unit_cost_decimal": "3.5", "quantity_decimal": "10"}
FLEET = {
    "cardholder_prompt_data": {"driver_id": "d1", "odometer": 12},
    "purchase_type": "fuel_purchase",
    "reported_breakdown": {"fuel": {"gross_amount_decimal": "35"}, "tax": {"local_amount_decimal": "2"}},
    "service_type": "self_service",
}


def authorized(api: Api, **more: Any) -> Answer:
    fund(api, 100_000)
    return api.post(HELP + "/authorizations", card=issued(api)["id"], amount=500, **more)


def test_an_authorization_shows_what_the_merchant_told(api: Api) -> None:
    made = authorized(
        api,
        amount_details={"atm_fee": 100, "cashback_amount": 50},
        fleet=FLEET,
        fuel=FUEL,
        network_data={"acquiring_institution_id": "123"},
        verification_data={
            "authentication_exemption": {"claimed_by": "issuer", "type": "low_value_transaction"},
            "three_d_secure": {"result": "authenticated"},
        },
    )
    assert_valid("POST", HELP + "/authorizations", made.status, made)
    assert made["amount_details"] == {"atm_fee": 100, "cashback_amount": 50}
    assert made["request_history"][0]["amount_details"] == made["amount_details"]
    assert made["fuel"] == {**FUEL, "industry_product_code": None}
    assert made["fleet"]["cardholder_prompt_data"]["odometer"] == 12
    assert made["fleet"]["cardholder_prompt_data"]["vehicle_number"] is None
    assert made["fleet"]["reported_breakdown"] == {
        "fuel": {"gross_amount_decimal": "35"},
        "non_fuel": None,
        "tax": {"local_amount_decimal": "2", "national_amount_decimal": None},
    }
    assert made["network_data"]["acquiring_institution_id"] == "123"
    assert made["verification_data"]["three_d_secure"] == {"result": "authenticated"}
    assert made["verification_data"]["authentication_exemption"]["claimed_by"] == "issuer"


def test_the_parts_of_an_amount_are_not_above_it(api: Api) -> None:
    assert authorized(api, amount_details={"atm_fee": 300, "cashback_amount": 201}).error["param"] == "amount_details"
    assert authorized(api, amount_details={"atm_fee": 300, "cashback_amount": 200}).status == 200


@pytest.mark.parametrize(
    ("param", "value"),
    [
        ("is_amount_controllable", True),
        ("risk_assessment", {"fraud_risk": {"level": "low"}}),
        ("fraud_disputability_likelihood", "neutral"),
    ],
)
def test_what_an_authorization_that_is_decided_at_once_cannot_carry_is_refused(
    api: Api, param: str, value: object
) -> None:
    refused = authorized(api, **{param: value})
    assert (refused.status, refused.error["param"]) == (400, param)


def test_an_increment_whose_amount_the_account_would_choose_is_refused(api: Api) -> None:
    path = f"{HELP}/authorizations/{authorized(api)['id']}/increment"
    refused = api.post(path, increment_amount=1, is_amount_controllable=True)
    assert (refused.status, refused.error["param"]) == (400, "is_amount_controllable")
    assert api.post(path, increment_amount=1, is_amount_controllable=False).status == 200


def test_the_final_amount_comes_with_what_was_filled_in(api: Api) -> None:
    path = f"{HELP}/authorizations/{authorized(api)['id']}/finalize_amount"
    made = api.ok("POST", path, final_amount=400, fuel=FUEL, fleet=FLEET)
    assert (made["fuel"]["quantity_decimal"], made["fleet"]["service_type"]) == ("10", "self_service")


def test_a_transaction_shows_all_of_its_purchase_details(api: Api) -> None:
    details = {
        "fleet": FLEET,
        "flight": {"passenger_name": "Jo Li", "segments": [{"carrier": "XX"}]},
        "fuel": FUEL,
        "lodging": {"nights": 2},
        "reference": "r1",
    }
    path = f"{HELP}/authorizations/{authorized(api)['id']}/capture"
    made = api.ok("POST", path, purchase_details=details)["transactions"][0]["purchase_details"]
    assert made["lodging"] == {"check_in_at": None, "nights": 2}
    assert (made["flight"]["refundable"], made["flight"]["segments"][0]["carrier"]) == (None, "XX")
    assert made["flight"]["segments"][0]["flight_number"] is None
    assert (made["fuel"]["type"], made["fleet"]["purchase_type"], made["receipt"]) == ("diesel", "fuel_purchase", None)
