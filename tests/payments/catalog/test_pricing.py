"""Prices as other files need them: make one, find the one that parameters name, see it as a plan."""

from __future__ import annotations

from tests.support.api import Api


def test_the_data_of_a_price_needs_its_product(api: Api) -> None:
    items = [{"price_data": {"currency": "usd", "unit_amount": 500}, "quantity": 1}]
    error = api.post("/v1/payment_links", line_items=items).error
    assert (error["code"], error["param"]) == ("parameter_missing", "line_items[0][price_data][product]")
