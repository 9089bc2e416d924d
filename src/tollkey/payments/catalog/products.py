"""Products, which prices belong to.

active ──update──▶ active | inactive ──delete──▶ deleted   (only while it has no prices)
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from tollkey.keys import Permission
from tollkey.payments.catalog import kinds
from tollkey.payments.catalog.pricing import create_price
from tollkey.payments.catalog.product_rules import (
    PRODUCT_FIELDS,
    check_descriptor,
    describe_good,
    new_product,
    with_features,
    with_tax,
)
from tollkey.payments.catalog.tax_code_table import expanded
from tollkey.payments.shared import fields
from tollkey.wire import Action, Call, Endpoint, Page, Resource, invalid
from tollkey.wire.errors import exclusive
from tollkey.wire.live import records
from tollkey.wire.objects import Deleted
from tollkey.wire.pages import list_page, retrieve
from tollkey.wire.removed import removed_since
from tollkey.wire.search import searching
from tollkey.wire.versions import Change

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredProduct
    from tollkey.wire import operations

PERMISSION = Permission("product", "Products", "Core")


def create(call: Call, params: operations.PostProducts) -> StoredProduct:
    """Create a product, optionally with its default price."""
    product = new_product(call, params)
    if params.get("default_price_data"):
        price = create_price(call, {**params["default_price_data"], "product": product["id"]})
        product["default_price"] = price["id"]
        call.objects.save(product)
    return product


def update(call: Call, params: operations.PostProductsId) -> StoredProduct:
    """Change a product; the default price must be one of its prices."""
    product = call.objects.get(kinds.PRODUCT, call.path["id"])
    if params.get("default_price"):
        price = call.objects.get(kinds.PRICE, params["default_price"], "default_price")
        if not price["active"]:  # as an active default price cannot be archived; the text is ours
            raise invalid("The price specified is inactive. A default price must be active.", "default_price")
        if price["product"] != product["id"]:
            raise invalid(
                f"The price specified belongs to {price['product']}, but it must belong to {product['id']} to be its"
                f" default price.",
                "default_price",
            )
    check_descriptor(params, product.get("_type", "service"))
    describe_good(product, params)
    fields.assign_with_metadata(product, with_tax(with_features(params), product), (*PRODUCT_FIELDS, "default_price"))
    product["updated"] = call.now
    return call.objects.save(product, "product.updated")


def delete(call: Call, params: operations.DeleteProductsId) -> Deleted:
    """Delete a product that has no prices."""
    product = call.objects.get(kinds.PRODUCT, call.path["id"])
    if call.objects.query(kinds.PRICE, {"product": product["id"]}, limit=1):
        raise invalid("This product cannot be deleted because it has one or more user-created prices.")
    return call.objects.delete(product, "product.deleted")


def list_products(call: Call, params: operations.GetProducts) -> Page:
    """List products by ``active``, ``ids``, ``shippable`` and ``url``."""
    for cursor in ("starting_after", "ending_before"):
        if params.get("ids") and params.get(cursor):
            raise exclusive("ids", cursor)
    equal: dict[str, str | list[str]] = {
        name: str(params[name]).lower() for name in ("active", "shippable") if params.get(name) is not None
    }
    if params.get("url"):
        equal["url"] = params["url"]
    if params.get("ids"):
        equal["id"] = params["ids"]
    return list_page(call, "product", params, equal, url="/v1/products")


def _with_type(call: Call, product: MutableMapping[str, Any]) -> None:
    """Before 2025-03-31 products had a ``type``, and the attributes of SKUs."""
    stored = call.objects.find(kinds.PRODUCT, product["id"])
    product["type"] = "service" if stored is None else stored.get("_type", "service")
    product["attributes"] = [] if stored is None else stored.get("_attributes", [])
    if stored is not None and stored.get("_type") == "good":
        product["caption"] = stored.get("_caption")
        product["deactivate_on"] = stored.get("_deactivate_on", [])


def _with_features(call: Call, product: MutableMapping[str, Any]) -> None:
    """Before 2024-04-10 ``marketing_features`` were ``features``."""
    product["features"] = product.pop("marketing_features", [])


_REMOVED = (
    *removed_since("2024-04-10", "features"),
    *removed_since("2025-03-31", "attributes", "caption", "deactivate_on"),
)

PRODUCT = Resource(
    object="product",
    prefix="prod",
    permission=PERMISSION,
    live=records(),
    indexed=("active", "shippable", "url"),
    searchable={
        "active": "active",
        "description": "description",
        "name": "name",
        "shippable": "shippable",
        "url": "url",
        "metadata": "metadata",
    },
    expands={"tax_code": lambda call, product: expanded(product.get("tax_code"))},
    endpoints=(
        Endpoint("GET", "/v1/products", list_products),
        Endpoint("POST", "/v1/products", create, removed=(*_REMOVED, *removed_since("2025-03-31", "type"))),
        searching("product", "/v1/products/search"),
        retrieve("product", "/v1/products/{id}"),
        Endpoint("POST", "/v1/products/{id}", update, removed=_REMOVED),
        Endpoint("DELETE", "/v1/products/{id}", delete),
    ),
    changes=(Change("2025-03-31", _with_type), Change("2024-04-10", _with_features)),
    title="Products",
    columns=("name", "id", "default_price", "active", "created"),
    actions=(Action("Delete", "/v1/products/{id}", method="DELETE"),),
)
