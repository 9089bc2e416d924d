"""What names a tax code names one that exists."""

from __future__ import annotations

import pytest

from tests.support.api import Api

SAAS = "txcd_10103000"
#: Added after the table was written, as far as its id tells.
LATER = "txcd_10109999"
HOME = {
    "address": {"country": "US", "state": "CA", "postal_code": "94111", "line1": "1 Main St", "city": "San Francisco"}
}
RATE = {"display_name": "Ground", "type": "fixed_amount", "fixed_amount": {"amount": 500, "currency": "usd"}}
PRICE = {"currency": "usd", "unit_amount": 1000}
CALCULATION = {"currency": "usd", "customer_details": {**HOME, "address_source": "billing"}}


@pytest.mark.parametrize(
    ("path", "params", "param"),
    [
        ("/v1/products", {"name": "Gold", "tax_code": "{}"}, "tax_code"),
        ("/v1/products", {"name": "Gold", "tax_details": {"tax_code": "{}"}}, "tax_details[tax_code]"),
        ("/v1/prices", {**PRICE, "product_data": {"name": "Gold", "tax_code": "{}"}}, "tax_code"),
        ("/v1/shipping_rates", {**RATE, "tax_code": "{}"}, "tax_code"),
        ("/v1/tax/settings", {"defaults": {"tax_code": "{}"}}, "defaults[tax_code]"),
        (
            "/v1/tax/calculations",
            {**CALCULATION, "line_items": [{"amount": 100, "tax_code": "{}"}]},
            "line_items[0][tax_code]",
        ),
        (
            "/v1/tax/calculations",
            {**CALCULATION, "line_items": [{"amount": 100}], "shipping_cost": {"amount": 5, "tax_code": "{}"}},
            "shipping_cost[tax_code]",
        ),
    ],
)
def test_a_tax_code_that_is_named_exists(api: Api, path: str, params: dict[str, object], param: str) -> None:
    for code in (SAAS, LATER):
        assert api.post(path, **_with(params, code)).status == 200
    for code in ("txcd_none", "txcd_12345678", "txcd_30060000", "10103000"):
        refused = api.post(path, **_with(params, code))
        assert (refused.status, refused.error["param"]) == (400, param)
        assert (refused.error["code"], refused.error["message"]) == ("resource_missing", f"No such tax code: '{code}'")


def _with(value: object, code: str) -> dict[str, object]:
    def filled(node: object) -> object:
        if isinstance(node, dict):
            return {name: filled(inner) for name, inner in node.items()}
        if isinstance(node, list):
            return [filled(inner) for inner in node]
        return code if node == "{}" else node

    made = filled(value)
    assert isinstance(made, dict)
    return made
