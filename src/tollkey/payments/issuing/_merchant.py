"""The merchant of an authorization or transaction, with default values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tollkey.wire import api

#: Merchant category codes of the categories that tests use most.
_CODES = {
    "ac_refrigeration_repair": "7623", "taxicabs_limousines": "4121", "grocery_stores_supermarkets": "5411",
    "eating_places_restaurants": "5812",
    "fast_food_restaurants": "5814", "airlines_air_carriers": "4511", "hotels_motels_and_resorts": "7011",
    "service_stations": "5541",
    "computer_software_stores": "5734", "automated_cash_disburse": "6011",
}  # fmt: skip


def merchant(given: Mapping[str, Any] | None) -> api.IssuingAuthorizationMerchantData:
    """Return ``merchant_data`` with all its keys."""
    given = given or {}
    category = given.get("category") or "ac_refrigeration_repair"
    return {
        "category": category, "category_code": _CODES.get(category, "5999"),
        "city": given.get("city") or "San Francisco",
        "country": given.get("country") or "US", "name": given.get("name") or "Rocket Rides",
        "network_id": given.get("network_id") or "1234567890",
        "postal_code": given.get("postal_code") or "94101", "state": given.get("state") or "CA", "tax_id": None,
        "terminal_id": given.get("terminal_id"), "url": given.get("url"),
    }  # fmt: skip
