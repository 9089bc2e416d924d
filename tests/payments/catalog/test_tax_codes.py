"""Tax codes can be listed, read and expanded."""

from __future__ import annotations

from tests.support.api import Api
from tollkey.payments.catalog import tax_code_table

SAAS = "txcd_10103000"
#: Added after the table was written, as far as its id tells.
LATER = "txcd_10109999"
RATE = {"display_name": "Ground", "type": "fixed_amount", "fixed_amount": {"amount": 500, "currency": "usd"}}
PRICE = {"currency": "usd", "unit_amount": 1000}


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
