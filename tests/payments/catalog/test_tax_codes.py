"""Tax codes can be read, and what names one names one that exists."""

from __future__ import annotations

import pytest

from tests.support.api import Api
from tollkey.payments.catalog import tax_code_table

SAAS = "txcd_10103000"
#: Added after the table was written, as far as its id tells.
LATER = "txcd_10109999"
HOME = {
    "address": {"country": "US", "state": "CA", "postal_code": "94111", "line1": "1 Main St", "city": "San Francisco"}
}
RATE = {"display_name": "Ground", "type": "fixed_amount", "fixed_amount": {"amount": 500, "currency": "usd"}}
PRICE = {"currency": "usd", "unit_amount": 1000}
CALCULATION = {"currency": "usd", "customer_details": {**HOME, "address_source": "billing"}}


def test_tax_codes_are_listed_page_by_page(api: Api) -> None:
    first = api.ok("GET", "/v1/tax_codes", limit=100)
    assert first["data"][0] == {
        "id": "txcd_99999999",
        "object": "tax_code",
        "description": "General - Tangible Goods.",
        "name": "General - Tangible Goods",
        "requirements": None,
    }
    found, page = [one["id"] for one in first["data"]], first
    while page["has_more"]:
        page = api.ok("GET", "/v1/tax_codes", limit=100, starting_after=found[-1])
        found += [one["id"] for one in page["data"]]
    assert found == list(tax_code_table.names())
    assert len(set(found)) == len(found) > 450


def test_a_tax_code_is_retrieved(api: Api) -> None:
    assert api.ok("GET", f"/v1/tax_codes/{SAAS}")["name"] == "Software as a service (SaaS) - personal use"
    missing = api.get("/v1/tax_codes/txcd_none")
    assert (missing.status, missing.error["code"]) == (404, "resource_missing")
    assert missing.error["message"] == "No such tax code: 'txcd_none'"


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


def test_the_tax_code_of_a_product_or_a_shipping_rate_can_be_expanded(api: Api) -> None:
    product = api.ok("POST", "/v1/products", name="Gold", tax_code=SAAS, expand=["tax_code"])
    assert product["tax_code"] == api.get(f"/v1/tax_codes/{SAAS}")
    price = api.ok("POST", "/v1/prices", product=product["id"], **PRICE, expand=["product.tax_code"])
    assert price["product"]["tax_code"]["id"] == SAAS
    rate = api.ok("POST", "/v1/shipping_rates", **RATE, tax_code="txcd_92010001", expand=["tax_code"])
    assert rate["tax_code"]["name"] == "Shipping"
    assert api.ok("POST", "/v1/products", name="Gold", expand=["tax_code"])["tax_code"] is None
    assert api.ok("POST", "/v1/products", name="Gold", tax_code=LATER, expand=["tax_code"])["tax_code"] == LATER


def test_a_key_that_reads_products_reads_tax_codes(api: Api) -> None:
    reader = api.restricted("product_read")
    assert api.get("/v1/tax_codes", key=reader).status == 200
    assert api.get("/v1/tax_codes", key=api.restricted("customer_read")).status == 403
    assert api.get("/v1/tax_codes", key=api.pk).status in (401, 403)
