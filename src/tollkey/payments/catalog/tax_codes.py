"""Tax codes: the categories of goods and services that decide how a product is taxed. Stripe publishes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.catalog import tax_code_table
from tollkey.payments.catalog.products import PERMISSION
from tollkey.wire import Call, Endpoint, Page, Resource
from tollkey.wire.errors import missing_object
from tollkey.wire.pages import page_of_list

if TYPE_CHECKING:
    from tollkey.wire import api, operations


def list_codes(call: Call, params: operations.GetTaxCodes) -> Page:
    """List the published tax codes, by id."""
    return page_of_list(tax_code_table.every(), "/v1/tax_codes", params)


def retrieve_code(call: Call, params: operations.GetTaxCodesId) -> api.TaxCode:
    """Retrieve a tax code."""
    id = call.path["id"]
    if id not in tax_code_table.names():
        raise missing_object("tax code", id, "id", in_path=True)
    return tax_code_table.tax_code(id)


TAX_CODE = Resource(
    object="tax_code",
    permission=PERMISSION,
    endpoints=(Endpoint("GET", "/v1/tax_codes", list_codes), Endpoint("GET", "/v1/tax_codes/{id}", retrieve_code)),
    title="Tax codes",
    stored=False,
)
