"""Creating a product, for its own endpoint and for prices with ``product_data``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.db import Duplicate
from tollkey.payments.catalog import kinds, tax_code_table
from tollkey.payments.shared import fields
from tollkey.wire import Call, invalid, new_object
from tollkey.wire.errors import missing_object
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredProduct

PRODUCT_FIELDS = (
    "active",
    "description",
    "images",
    "marketing_features",
    "name",
    "package_dimensions",
    "shippable",
    "statement_descriptor",
    "tax_code",
    "tax_details",
    "unit_label",
    "url",
)


def with_features(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parameters with ``marketing_features`` for the ``features`` of versions before 2024-04-10."""
    return {**params, "marketing_features": params["features"]} if "features" in params else params


def with_tax(params: Mapping[str, Any], product: StoredProduct | None = None) -> Mapping[str, Any]:
    """Return the parameters with one tax code in ``tax_code`` and ``tax_details``, both ways that name it.

    product: that is changed. Raises ApiError resource_missing (400) for a code that does not exist, and for a
    performance location: tax locations are not built.
    """
    details = params.get("tax_details")
    tax_code_table.check(params.get("tax_code"))
    if details:
        tax_code_table.check(details.get("tax_code"), "tax_details[tax_code]")
        if details.get("performance_location"):
            raise missing_object(
                "tax location",
                details["performance_location"],
                "tax_details[performance_location]",
                in_path=False,
            )
        before = value_at(product, "tax_details.tax_code")
        code = details.get("tax_code", params.get("tax_code", before)) or None
        return {**params, "tax_code": code, "tax_details": {"performance_location": None, "tax_code": code}}
    if "tax_code" in params and product is not None and product.get("tax_details"):
        return {**params, "tax_details": {"performance_location": None, "tax_code": params["tax_code"] or None}}
    return params


#: Signs that banks do not print on statements.
_NOT_PRINTED = set("<>\\\"'")


def check_descriptor(params: Mapping[str, Any], type: str) -> None:
    """Raise ApiError 400 for a statement descriptor that cannot be printed.

    type: ``service``, or ``good``, which older versions had and which has no descriptor.
    """
    text = params.get("statement_descriptor")
    if not text:
        return
    if type == "good":
        raise invalid("`statement_descriptor` can only be set on products of type `service`.", "statement_descriptor")
    if _NOT_PRINTED & set(text):
        raise invalid(
            "The statement descriptor must not contain any of the following characters: <, >, \\, \", '.",
            "statement_descriptor",
        )
    if not any(sign.isalpha() for sign in text):
        raise invalid("The statement descriptor must contain at least one letter.", "statement_descriptor")


def new_product(call: Call, params: Mapping[str, Any]) -> StoredProduct:
    """Store a product, with its event. Raises ApiError ``resource_already_exists`` for an id in use."""
    if params.get("type") not in (None, "good", "service"):
        raise invalid("Invalid type: must be one of good or service", "type")
    check_descriptor(params, params.get("type") or "service")
    product = new_object(
        kinds.PRODUCT,
        id=params.get("id") or call.ids.new("prod"),
        active=True,
        created=call.now,
        updated=call.now,
        livemode=call.livemode,
    )
    fields.assign_with_metadata(product, with_tax(with_features(params)), PRODUCT_FIELDS)
    product["images"] = product["images"] or []
    product["marketing_features"] = product["marketing_features"] or []
    product["metadata"] = fields.new_metadata(params)
    product["_type"] = params.get("type") or "service"
    product["_attributes"] = []
    describe_good(product, params)
    try:
        return call.objects.insert(product, "product.created", chosen_id=True)
    except Duplicate:
        raise invalid("Product already exists.", "id", "resource_already_exists") from None


def describe_good(product: StoredProduct, params: Mapping[str, Any]) -> None:
    """Set what versions before 2025-03-31 say of goods: attributes of SKUs, a caption, where they are not sold."""
    if params.get("attributes") is not None:
        product["_attributes"] = params["attributes"]
    if "caption" in params:
        product["_caption"] = params["caption"]
    if "deactivate_on" in params:
        product["_deactivate_on"] = params["deactivate_on"] or []
