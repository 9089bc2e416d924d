"""Exchange rates: what one unit of a currency is worth in the others."""

from __future__ import annotations

from tests.support.api import Api
from tests.support.openapi import assert_valid


def test_exchange_rates_are_listed_and_retrieved(api: Api) -> None:
    assert_valid("GET", "/v1/exchange_rates", 200, api.ok("GET", "/v1/exchange_rates"))
    rate = api.ok("GET", "/v1/exchange_rates/usd")
    assert_valid("GET", "/v1/exchange_rates/{rate_id}", 200, rate)
    assert rate["rates"]["usd"] == 1.0
