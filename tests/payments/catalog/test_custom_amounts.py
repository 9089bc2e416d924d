"""Amounts that the customer chooses: their bounds, and the places where nobody can choose."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api, rule_table


def _price(api: Api, **custom: Any) -> dict[str, Any]:
    """Parameters of a price whose amount the customer chooses."""
    product = api.ok("POST", "/v1/products", name="Gift")["id"]
    return {"product": product, "currency": "usd", "custom_unit_amount": {"enabled": True, **custom}}


@rule_table
@pytest.mark.parametrize(("custom", "more", "param"), [
    ({"minimum": 49}, {}, "custom_unit_amount[minimum]"),
    ({"maximum": 49}, {}, "custom_unit_amount[maximum]"),
    ({"minimum": 900, "maximum": 899}, {}, "custom_unit_amount[maximum]"),
    ({"minimum": 500, "preset": 499}, {}, "custom_unit_amount[preset]"),
    ({"maximum": 500, "preset": 501}, {}, "custom_unit_amount[preset]"),
    ({}, {"unit_amount": 5}, "custom_unit_amount"),
    ({}, {"unit_amount_decimal": "5.5"}, "custom_unit_amount"),
    ({}, {"recurring": {"interval": "month"}}, "custom_unit_amount"),
], ids=str)  # fmt: skip
def test_bounds_of_a_chosen_amount(api: Api, custom: dict[str, int], more: dict[str, Any], param: str) -> None:
    refused = api.post("/v1/prices", **_price(api, **custom), **more)
    assert (refused.status, refused.error["param"]) == (400, param)


def test_bounds_may_meet(api: Api) -> None:
    made = api.ok("POST", "/v1/prices", **_price(api, minimum=500, preset=500, maximum=500))
    assert made["custom_unit_amount"] == {"minimum": 500, "preset": 500, "maximum": 500}


@rule_table
@pytest.mark.parametrize(("path", "name"), [("/v1/invoiceitems", "pricing"), ("/v1/quotes", "line_items")])
def test_an_amount_that_nobody_can_choose_is_refused(api: Api, path: str, name: str) -> None:
    price = {"price": api.ok("POST", "/v1/prices", **_price(api))["id"]}
    who = api.ok("POST", "/v1/customers")["id"]
    refused = api.post(path, customer=who, **{name: price if name == "pricing" else [price]})
    assert (refused.status, refused.error["param"]) == (
        400, "pricing[price]" if name == "pricing" else "line_items[0][price]"
    )  # fmt: skip
