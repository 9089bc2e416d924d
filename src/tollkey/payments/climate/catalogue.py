"""The Climate products and suppliers of Stripe's public fixtures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.shared import rounding
from tollkey.wire import new_object
from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.wire import api

_SUPPLIER: Kind[api.ClimateSupplier] = Kind("climate.supplier")
_PRODUCT: Kind[api.ClimateProduct] = Kind("climate.product")

#: id, name, removal pathway, location (city, region, latitude, longitude), and the last part of its page's URL.
_SUPPLIERS = (
    ("charm_industrial", "Charm Industrial", "biomass_carbon_removal_and_storage",
     ("San Francisco", "CA", 37.7480408, -122.4057404), "charm-industrial"),
    ("heirloom", "Heirloom", "direct_air_capture", ("Brisbane", "CA", 37.686, -122.403), "heirloom"),
    ("lithos", "Lithos", "enhanced_weathering", ("San Francisco", "CA", 37.7749, -122.4194), "lithos"),
    ("vaulted", "Vaulted Deep", "biomass_carbon_removal_and_storage", ("Houston", "TX", 29.7604, -95.3698), "vaulted"),
    ("carbon_capture_inc", "CarbonCapture Inc.", "direct_air_capture",
     ("Los Angeles", "CA", 34.0399975, -118.2342512), "carboncapture-inc"),
)  # fmt: skip
DELIVERY_YEAR = 2027
#: Price of one metric ton without fees, in minor units by currency.
PRICES = {"usd": 55_000}
#: Fees on top of a price, in per cent.
FEE_PERCENT = 3
PRODUCT = f"climsku_frontier_offtake_portfolio_{DELIVERY_YEAR}"
_OPENED = 1_685_577_600  # 2023-06-01


def suppliers(livemode: bool) -> list[api.ClimateSupplier]:
    """Return all suppliers."""
    return [
        new_object(
            _SUPPLIER,
            id=f"climsup_{id}",
            info_url=f"https://frontierclimate.com/portfolio/{page}",
            livemode=livemode,
            locations=[{"city": city, "country": "US", "latitude": latitude, "longitude": longitude, "region": region}],
            name=name,
            removal_pathway=pathway,
        )
        for id, name, pathway, (city, region, latitude, longitude), page in _SUPPLIERS
    ]


def fees_on(subtotal: int) -> int:
    """Return the fees on a price, in minor units, rounded half up."""
    return rounding.fee(subtotal, FEE_PERCENT * 100)


def products(livemode: bool) -> list[api.ClimateProduct]:
    """Return all products."""
    prices = {
        currency: {"amount_fees": fees_on(price), "amount_subtotal": price, "amount_total": price + fees_on(price)}
        for currency, price in PRICES.items()
    }
    return [
        new_object(
            _PRODUCT,
            id=PRODUCT,
            created=_OPENED,
            current_prices_per_metric_ton=prices,
            delivery_year=DELIVERY_YEAR,
            livemode=livemode,
            metric_tons_available="1000000",
            name=f"Frontier's {DELIVERY_YEAR} offtake portfolio",
            suppliers=suppliers(livemode),
        )
    ]
