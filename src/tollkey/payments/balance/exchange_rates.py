"""Exchange rates: the value of one unit of a currency in every other currency.

Fixed rates, of test mode alone: it has no market. They approximate the rates of 2025 and never change.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tollkey.keys import Permission
from tollkey.payments.balance import kinds
from tollkey.payments.shared import providers
from tollkey.wire import Call, Endpoint, Page, Resource, new_object
from tollkey.wire.errors import missing_object
from tollkey.wire.live import needs
from tollkey.wire.pages import page_of_list

if TYPE_CHECKING:
    from tollkey.wire import api, operations

PERMISSION = Permission("exchange_rate", "Exchange rates", "Core", levels=("read",))

#: Units of each currency for one US dollar.
PER_DOLLAR = {
    "usd": 1.0, "eur": 0.9, "gbp": 0.78, "cad": 1.38, "aud": 1.52, "nzd": 1.66, "chf": 0.85, "jpy": 150.0, "sek": 10.2,
    "nok": 10.6,
    "dkk": 6.7, "pln": 3.85, "czk": 22.5, "huf": 360.0, "ron": 4.5, "mxn": 18.5, "brl": 5.4, "inr": 84.0, "sgd": 1.33,
    "hkd": 7.8,
    "thb": 34.0, "myr": 4.4, "aed": 3.67, "zar": 18.2,
}  # fmt: skip


@cache
def _rates(currency: str) -> dict[str, float]:
    own = PER_DOLLAR[currency]
    return {code: round(value / own, 6) for code, value in sorted(PER_DOLLAR.items())}


def _rate(currency: str) -> api.ExchangeRate:
    return new_object(kinds.EXCHANGE_RATE, id=currency, rates=dict(_rates(currency)))


def retrieve_rate(call: Call, params: operations.GetExchangeRatesRateId) -> api.ExchangeRate:
    """Retrieve the exchange rates of one currency."""
    id = call.path["rate_id"]
    if id.lower() not in PER_DOLLAR:
        raise missing_object("exchange rate", id, "rate_id", in_path=True)
    return _rate(id.lower())


def list_rates(call: Call, params: operations.GetExchangeRates) -> Page:
    """List the exchange rates of all currencies, sorted by currency code."""
    return page_of_list([_rate(code) for code in sorted(PER_DOLLAR)], "/v1/exchange_rates", params)


EXCHANGE_RATE = Resource(
    object="exchange_rate",
    permission=PERMISSION,
    stored=False,
    endpoints=(
        Endpoint("GET", "/v1/exchange_rates", list_rates, live=needs(providers.RATES)),
        Endpoint("GET", "/v1/exchange_rates/{rate_id}", retrieve_rate, live=needs(providers.RATES)),
    ),
    title="Exchange rates",
)
