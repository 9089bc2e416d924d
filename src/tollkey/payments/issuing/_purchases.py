"""What a merchant tells about a purchase: fuel, fleet, flight, lodging and receipt, with all keys of each hash."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from tollkey.wire import api

_PROMPTS = ("driver_id", "odometer", "unspecified_id", "user_id", "vehicle_number")
_FUEL = ("industry_product_code", "quantity_decimal", "type", "unit", "unit_cost_decimal")
_LEG = (
    "arrival_airport_code", "carrier", "departure_airport_code", "flight_number", "service_class", "stopover_allowed",
)  # fmt: skip
_FLIGHT = ("departure_at", "passenger_name", "refundable", "travel_agency")


def with_all(given: Mapping[str, Any] | None, names: Iterable[str]) -> Mapping[str, Any] | None:
    """Return a hash with all of these keys, null where nothing was given; None without the hash."""
    return None if given is None else {name: given.get(name) for name in names}


def amount_details(given: Mapping[str, Any] | None) -> api.IssuingAuthorizationAmountDetails:
    """Return ``amount_details`` of an authorization."""
    given = given or {}
    return {"atm_fee": given.get("atm_fee"), "cashback_amount": given.get("cashback_amount")}


def fuel(given: Mapping[str, Any] | None) -> api.IssuingAuthorizationFuelData | None:
    """Return ``fuel`` of an authorization or of a purchase."""
    return cast("api.IssuingAuthorizationFuelData | None", with_all(given, _FUEL))


def fleet(given: Mapping[str, Any] | None, *more: str) -> api.IssuingAuthorizationFleetData | None:
    """Return ``fleet`` of an authorization or of a purchase. more: further keys of its ``cardholder_prompt_data``."""
    if given is None:
        return None
    told = given.get("reported_breakdown")
    parts = None
    if told is not None:
        parts = {
            "fuel": with_all(told.get("fuel"), ("gross_amount_decimal",)),
            "non_fuel": with_all(told.get("non_fuel"), ("gross_amount_decimal",)),
            "tax": with_all(told.get("tax"), ("local_amount_decimal", "national_amount_decimal")),
        }
    full = {
        "cardholder_prompt_data": with_all(given.get("cardholder_prompt_data"), (*more, *_PROMPTS)),
        "purchase_type": given.get("purchase_type"),
        "reported_breakdown": parts,
        "service_type": given.get("service_type"),
    }
    return cast("api.IssuingAuthorizationFleetData", full)


def verification(given: Mapping[str, Any] | None) -> api.IssuingAuthorizationVerificationData:
    """Return ``verification_data`` of an authorization; a card's number is complete unless something else was said."""
    given = given or {}
    return {
        "address_line1_check": given.get("address_line1_check") or "not_provided",
        "address_postal_code_check": given.get("address_postal_code_check") or "not_provided",
        "authentication_exemption": given.get("authentication_exemption"),
        "cvc_check": given.get("cvc_check") or "match",
        "expiry_check": given.get("expiry_check") or "match",
        "postal_code": None,
        "three_d_secure": given.get("three_d_secure"),
    }


def details(given: Mapping[str, Any] | None) -> api.IssuingTransactionPurchaseDetails | None:
    """Return ``purchase_details`` of a transaction."""
    if not given:
        return None
    receipt, trip = given.get("receipt"), given.get("flight")
    flight = with_all(trip, _FLIGHT)
    if trip is not None and flight is not None:
        legs = trip.get("segments")
        flight = {**flight, "segments": None if legs is None else [with_all(leg, _LEG) for leg in legs]}
    return {
        "fleet": cast("api.IssuingTransactionFleetData | None", fleet(given.get("fleet"))),
        "flight": cast("api.IssuingTransactionFlightData | None", flight),
        "fuel": cast("api.IssuingTransactionFuelData | None", fuel(given.get("fuel"))),
        "lodging": cast(
            "api.IssuingTransactionLodgingData | None", with_all(given.get("lodging"), ("check_in_at", "nights"))
        ),
        "receipt": [_line(line) for line in receipt] if receipt else None,
        "reference": given.get("reference"),
    }


def _line(given: Mapping[str, Any]) -> api.IssuingTransactionReceiptData:
    quantity = given.get("quantity")
    return {
        "description": given.get("description"),
        "quantity": None if quantity is None else float(quantity),
        "total": given.get("total"),
        "unit_cost": given.get("unit_cost"),
    }
