"""Entitlements: features, the products that have them, and which of them a customer may use.

feature: active ──active=false──▶ archived   (what was given stays)
feature + product ──customer subscribes──▶ active entitlement ──subscription ends──▶ gone

A feature that is put on a product reaches customers who are subscribed already with their next renewal.
"""

from __future__ import annotations

from tollkey.keys import Permission
from tollkey.payments.catalog import products
from tollkey.payments.shared import fields
from tollkey.payments.subscriptions.entitlement_rules import ACTIVE, FEATURE, ON_PRODUCT
from tollkey.wire import (
    Call,
    Deleted,
    Endpoint,
    Json,
    Page,
    Params,
    Resource,
    blank,
    invalid,
    list_page,
    missing_object,
    records,
    retrieve,
)

PERMISSION = Permission("entitlement", "Entitlements", "Billing")
_FEATURES = "/v1/entitlements/features"


def create(call: Call, params: Params) -> Json:
    """Make a feature. Its ``lookup_key`` is unique in the account."""
    key = params["lookup_key"]
    known = call.objects.query(FEATURE, {"lookup_key": key}, limit=1)
    if known:
        raise invalid(
            f"A feature with the lookup key `{key}` already exists: {known[0]['id']}.",
            "lookup_key",
            "resource_already_exists",
        )
    feature = blank(
        FEATURE,
        id=call.ids.new("feat"),
        active=True,
        livemode=call.livemode,
        lookup_key=key,
        metadata=fields.new_metadata(params),
        name=params["name"],
    )
    return call.objects.insert(feature)


def update(call: Call, params: Params) -> Json:
    """Rename a feature, archive it, or bring it back."""
    feature = call.objects.get(FEATURE, call.path["id"])
    fields.merge_metadata(feature, params)
    for name in ("active", "name"):
        if params.get(name) is not None:
            feature[name] = params[name]
    for link in call.objects.query(ON_PRODUCT, {"_feature": feature["id"]}):
        link["entitlement_feature"] = call.objects.copy(feature)
        call.objects.save(link)
    return call.objects.save(feature)


def list_features(call: Call, params: Params) -> Page:
    """List features: those in use, or the archived ones; or the one with a lookup key."""
    equal: dict[str, str] = {"lookup_key": params["lookup_key"]} if params.get("lookup_key") else {}
    if params.get("archived") is not None:
        equal["active"] = "false" if params["archived"] else "true"
    return list_page(call, FEATURE, params, equal, url=_FEATURES)


def list_entitlements(call: Call, params: Params) -> Page:
    """List what a customer may use now."""
    customer = call.objects.get("customer", params["customer"], "customer")
    return list_page(call, ACTIVE, params, {"_customer": customer["id"]}, url="/v1/entitlements/active_entitlements")


def attach(call: Call, params: Params) -> Json:
    """Put a feature on a product."""
    product = call.objects.get("product", call.path["product"])
    feature = call.objects.get(FEATURE, params["entitlement_feature"], "entitlement_feature")
    if not feature["active"]:
        raise invalid("You cannot attach an archived feature to a product.", "entitlement_feature")
    if call.objects.query(ON_PRODUCT, {"_product": product["id"], "_feature": feature["id"]}, limit=1):
        raise invalid(
            "This feature is attached to the product already.", "entitlement_feature", "resource_already_exists"
        )
    link = blank(
        ON_PRODUCT, id=call.ids.new("prodft"), entitlement_feature=call.objects.copy(feature), livemode=call.livemode
    )
    link["_product"], link["_feature"] = product["id"], feature["id"]
    return call.objects.insert(link)


def _link(call: Call) -> Json:
    link = call.objects.get(ON_PRODUCT, call.path["id"])
    if link["_product"] != call.path["product"]:
        raise missing_object("product_feature", link["id"], "id", in_path=True)
    return link


def show_link(call: Call, params: Params) -> Json:
    """Retrieve a feature of a product."""
    return _link(call)


def detach(call: Call, params: Params) -> Deleted:
    """Take a feature off a product; customers keep it until their next renewal."""
    return call.objects.delete(_link(call))


def list_links(call: Call, params: Params) -> Page:
    """List the features of a product."""
    product = call.objects.get("product", call.path["product"])["id"]
    return list_page(call, ON_PRODUCT, params, {"_product": product}, url=f"/v1/products/{product}/features")


ENTITLEMENT_FEATURE = Resource(
    object=FEATURE,
    prefix="feat",
    permission=PERMISSION,
    live=records(),
    indexed=("lookup_key", "active"),
    endpoints=(
        Endpoint("GET", _FEATURES, list_features),
        Endpoint("POST", _FEATURES, create),
        retrieve(FEATURE, _FEATURES + "/{id}"),
        Endpoint("POST", _FEATURES + "/{id}", update),
    ),
    title="Features",
    columns=("name", "id", "lookup_key", "active"),
)
ACTIVE_ENTITLEMENT = Resource(
    object=ACTIVE,
    prefix="ent",
    permission=PERMISSION,
    live=records(),
    indexed=("_customer",),
    endpoints=(
        Endpoint("GET", "/v1/entitlements/active_entitlements", list_entitlements),
        retrieve(ACTIVE, "/v1/entitlements/active_entitlements/{id}"),
    ),
    title="Active entitlements",
    columns=("lookup_key", "id", "feature"),
)
PRODUCT_FEATURE = Resource(
    object=ON_PRODUCT,
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
