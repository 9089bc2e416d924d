"""Prices: what a product costs, once or again and again. The amount of a price cannot change.

active ──update──▶ active | inactive   (a price cannot be deleted)
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from tollkey.keys import Permission
from tollkey.payments.catalog import kinds
from tollkey.payments.catalog.pricing import (
    all_currencies,
    check_amounts,
    check_currencies,
    create_price,
    currency_option,
    free_lookup_key,
    names_amount,
)
from tollkey.payments.catalog.product_rules import new_product
from tollkey.payments.catalog.repricing import refresh_items
from tollkey.payments.shared import fields
from tollkey.wire import Call, Endpoint, Page, Resource, invalid
from tollkey.wire.errors import exclusive
from tollkey.wire.live import records
from tollkey.wire.pages import list_page, retrieve
from tollkey.wire.removed import removed_since
from tollkey.wire.search import searching
from tollkey.wire.versions import Change

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredPrice
    from tollkey.wire import api, operations

PERMISSION = Permission("plan", "Prices", "Billing")


def create(call: Call, params: operations.PostPrices) -> StoredPrice:
    """Create a price for a product, or for a new product described by ``product_data``."""
    if params.get("product") and params.get("product_data"):
        raise exclusive("product", "product_data", param="product")
    if not params.get("product") and not params.get("product_data"):
        raise invalid("You must specify either `product` or `product_data` when creating a price.")
    if params.get("product_data"):
        product = new_product(call, params["product_data"])["id"]
    else:
        product = call.objects.get(kinds.PRODUCT, params["product"], "product")["id"]
    recurring = params.get("recurring")
    aggregate_usage = recurring.get("aggregate_usage") if recurring else None
    return create_price(call, {**params, "product": product, "_aggregate_usage": aggregate_usage})


def update(call: Call, params: operations.PostPricesPrice) -> StoredPrice:
    """Change a price. Its amount cannot be changed."""
    price = call.objects.get(kinds.PRICE, call.path["price"])
    key = params.get("lookup_key")
    if key is not None and key != price["lookup_key"]:
        free_lookup_key(call, key, bool(params.get("transfer_lookup_key")))
    behavior = params.get("tax_behavior")
    if behavior is not None and price["tax_behavior"] not in ("unspecified", behavior):
        raise invalid("You cannot change the `tax_behavior` of a price once it has been set.", "tax_behavior")
    fields.assign_with_metadata(price, params, ("active", "lookup_key", "nickname", "tax_behavior"))
    if params.get("active") is False:
        _check_not_default(call, price)
    given = params.get("currency_options")
    if given is not None:
        check_currencies(given)
        _check_further(price, given)
        options = price.setdefault("_currency_options", {})
        check_amounts(given, options)
        for code, option in given.items():
            _change_option(options, code, option)
    call.objects.save(price, "price.updated")
    refresh_items(call, price)
    return price


def _change_option(options: dict[str, api.CurrencyOption], code: str, given: Mapping[str, Any]) -> None:
    """Set the option of one currency; of a known one, what is not given stays.

    Raises ApiError 400 for another ``tax_behavior`` than the one that was set.
    """
    made, old = currency_option(given), options.get(code.lower())
    if old is not None:
        behavior = given.get("tax_behavior")
        if behavior is not None and old["tax_behavior"] not in ("unspecified", behavior):
            raise invalid(
                "You cannot change the `tax_behavior` of a price once it has been set.",
                f"currency_options[{code}][tax_behavior]",
            )
        made["tax_behavior"] = behavior or old["tax_behavior"]
        if not names_amount(given):
            made = {**old, "tax_behavior": made["tax_behavior"]}
    options[code.lower()] = made


def _check_not_default(call: Call, price: StoredPrice) -> None:
    product = call.objects.find(kinds.PRODUCT, price["product"])
    if product is not None and product["default_price"] == price["id"]:
        raise invalid("This price cannot be archived because it is the default price of its product.", "active")


def _check_further(price: StoredPrice, given: Mapping[str, Any]) -> None:
    """Refuse the price's own currency among the further ones."""
    for code in given:
        if code.lower() == price["currency"]:
            raise invalid(
                "You are specifying an update to a currency option that matches the top-level currency for this"
                " price. Please remove this currency option and update the top-level params instead.",
                f"currency_options[{code}]",
            )


def list_prices(call: Call, params: operations.GetPrices) -> Page:
    """List prices by ``active``, ``currency``, ``lookup_keys``, ``product``, ``type`` and ``recurring``."""
    equal: dict[str, str | list[str]] = {
        name: params[name] for name in ("currency", "product", "type") if params.get(name)
    }
    if params.get("active") is not None:
        equal["active"] = "true" if params["active"] else "false"
    if params.get("lookup_keys"):
        equal["lookup_key"] = params["lookup_keys"]
    recurring = {name: value for name, value in (params.get("recurring") or {}).items() if value is not None}

    def fits(price: StoredPrice) -> bool:
        return price["recurring"] is not None and all(
            price["recurring"].get(name) == value for name, value in recurring.items()
        )

    return list_page(call, "price", params, equal, url="/v1/prices", keep=fits if recurring else None)


def _aggregate(call: Call, price: MutableMapping[str, Any]) -> None:
    """Before 2025-03-31 metered prices had ``aggregate_usage``."""
    if price.get("recurring"):
        stored = call.objects.find(kinds.PRICE, price["id"])
        metered = price["recurring"].get("usage_type") == "metered"
        price["recurring"]["aggregate_usage"] = (stored and stored.get("_aggregate_usage")) or (
            "sum" if metered and not price["recurring"].get("meter") else None
        )


PRICE = Resource(
    object="price",
    prefix="price",
    permission=PERMISSION,
    live=records(),
    path_param="price",
    indexed=("active", "currency", "lookup_key", "product", "type"),
    searchable={
        "active": "active",
        "currency": "currency",
        "lookup_key": "lookup_key",
        "product": "product",
        "type": "type",
        "metadata": "metadata",
    },
    expands={
        "tiers": lambda call, price: price.get("_tiers"),
        "currency_options": lambda call, price: all_currencies(price),
    },
    endpoints=(
        Endpoint("GET", "/v1/prices", list_prices),
        Endpoint("POST", "/v1/prices", create, removed=removed_since("2025-03-31", "recurring.aggregate_usage")),
        searching("price", "/v1/prices/search"),
        retrieve("price", "/v1/prices/{price}"),
        Endpoint("POST", "/v1/prices/{price}", update),
    ),
    changes=(Change("2025-03-31", _aggregate),),
    title="Prices",
    columns=("nickname", "id", "product", "unit_amount", "currency", "type", "active", "created"),
)
