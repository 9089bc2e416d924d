"""Entitlements: features, the products that have them, and which of them a customer may use.

feature: active ──active=false──▶ archived   (existing entitlements remain)
feature + product ──customer subscribes──▶ active entitlement ──subscription ends──▶ deleted

A feature that is attached to a product reaches existing subscribers with their next renewal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.keys import Permission
from tollkey.payments.catalog import products
from tollkey.payments.shared import fields
from tollkey.payments.subscriptions import kinds
from tollkey.wire import Call, Endpoint, Page, Resource, invalid, new_object
from tollkey.wire.errors import missing_object
from tollkey.wire.live import records
from tollkey.wire.objects import Deleted
from tollkey.wire.pages import list_page, retrieve

if TYPE_CHECKING:
    from tollkey.payments.subscriptions.stored import StoredProductFeature
    from tollkey.wire import api, operations

PERMISSION = Permission("entitlement", "Entitlements", "Billing")
_FEATURES = "/v1/entitlements/features"


def create(call: Call, params: operations.PostEntitlementsFeatures) -> api.EntitlementsFeature:
    """Create a feature. Raises ApiError 400 if its ``lookup_key`` exists in the account."""
    key = params["lookup_key"]
    known = call.objects.query(kinds.FEATURE, {"lookup_key": key}, limit=1)
    if known:
        raise invalid(
            f"A feature with the lookup key `{key}` already exists: {known[0]['id']}.",
            "lookup_key",
            "resource_already_exists",
        )
    feature = new_object(
        kinds.FEATURE,
        id=call.ids.new("feat"),
        active=True,
        livemode=call.livemode,
        lookup_key=key,
        metadata=fields.new_metadata(params),
        name=params["name"],
    )
    return call.objects.insert(feature)


def update(call: Call, params: operations.PostEntitlementsFeaturesId) -> api.EntitlementsFeature:
    """Rename a feature, archive it, or reactivate it."""
    feature = call.objects.get(kinds.FEATURE, call.path["id"])
    fields.merge_metadata(feature, params)
    fields.assign(feature, params, [name for name in ("active", "name") if params.get(name) is not None])
    for link in call.objects.query(kinds.PRODUCT_FEATURE, {"_feature": feature["id"]}):
        link["entitlement_feature"] = call.objects.copy(feature)
        call.objects.save(link)
    return call.objects.save(feature)


def list_features(call: Call, params: operations.GetEntitlementsFeatures) -> Page:
    """List features: the active or the archived ones, or the one with a lookup key."""
    equal: dict[str, str] = {"lookup_key": params["lookup_key"]} if params.get("lookup_key") else {}
    equal["active"] = "false" if params.get("archived") else "true"
    return list_page(call, kinds.FEATURE, params, equal, url=_FEATURES)


def list_entitlements(call: Call, params: operations.GetEntitlementsActiveEntitlements) -> Page:
    """List the active entitlements of a customer."""
    customer = call.objects.get(kinds.CUSTOMER, params["customer"], "customer")
    return list_page(
        call, kinds.ENTITLEMENT, params, {"_customer": customer["id"]}, url="/v1/entitlements/active_entitlements"
    )


def attach(call: Call, params: operations.PostProductsProductFeatures) -> StoredProductFeature:
    """Attach a feature to a product. Raises ApiError 400 if it is archived or attached already."""
    product = call.objects.get(kinds.PRODUCT, call.path["product"])
    feature = call.objects.get(kinds.FEATURE, params["entitlement_feature"], "entitlement_feature")
    if not feature["active"]:
        raise invalid("You cannot attach an archived feature to a product.", "entitlement_feature")
    if call.objects.query(kinds.PRODUCT_FEATURE, {"_product": product["id"], "_feature": feature["id"]}, limit=1):
        raise invalid(
            "This feature is attached to the product already.", "entitlement_feature", "resource_already_exists"
        )
    link = new_object(
        kinds.PRODUCT_FEATURE,
        id=call.ids.new("prodft"),
        entitlement_feature=call.objects.copy(feature),
        livemode=call.livemode,
    )
    link["_product"], link["_feature"] = product["id"], feature["id"]
    return call.objects.insert(link)


def _link(call: Call) -> StoredProductFeature:
    """Return the product feature in the path. Raises ApiError 404 if it belongs to another product."""
    link = call.objects.get(kinds.PRODUCT_FEATURE, call.path["id"])
    if link["_product"] != call.path["product"]:
        raise missing_object("product_feature", link["id"], "id", in_path=True)
    return link


def show_link(call: Call, params: operations.GetProductsProductFeaturesId) -> StoredProductFeature:
    """Retrieve a feature of a product."""
    return _link(call)


def detach(call: Call, params: operations.DeleteProductsProductFeaturesId) -> Deleted:
    """Detach a feature from a product; customers keep it until their next renewal."""
    return call.objects.delete(_link(call))


def list_links(call: Call, params: operations.GetProductsProductFeatures) -> Page:
    """List the features of a product."""
    product = call.objects.get(kinds.PRODUCT, call.path["product"])["id"]
    return list_page(call, kinds.PRODUCT_FEATURE, params, {"_product": product}, url=f"/v1/products/{product}/features")


ENTITLEMENT_FEATURE = Resource(
    object="entitlements.feature",
    prefix="feat",
    permission=PERMISSION,
    live=records(),
    indexed=("lookup_key", "active"),
    endpoints=(
        Endpoint("GET", _FEATURES, list_features),
        Endpoint("POST", _FEATURES, create),
        retrieve("entitlements.feature", _FEATURES + "/{id}"),
        Endpoint("POST", _FEATURES + "/{id}", update),
    ),
    title="Features",
    columns=("name", "id", "lookup_key", "active"),
)
ACTIVE_ENTITLEMENT = Resource(
    object="entitlements.active_entitlement",
    prefix="ent",
    permission=PERMISSION,
    live=records(),
    indexed=("_customer",),
    endpoints=(
        Endpoint("GET", "/v1/entitlements/active_entitlements", list_entitlements),
        retrieve("entitlements.active_entitlement", "/v1/entitlements/active_entitlements/{id}"),
    ),
    title="Active entitlements",
    columns=("lookup_key", "id", "feature"),
)
PRODUCT_FEATURE = Resource(
    object="product_feature",
    prefix="prodft",
    permission=products.PERMISSION,
    live=records(),
    indexed=("_product", "_feature"),
    endpoints=(
        Endpoint("GET", "/v1/products/{product}/features", list_links),
        Endpoint("POST", "/v1/products/{product}/features", attach),
        Endpoint("GET", "/v1/products/{product}/features/{id}", show_link),
        Endpoint("DELETE", "/v1/products/{product}/features/{id}", detach),
    ),
    title="Product features",
)
