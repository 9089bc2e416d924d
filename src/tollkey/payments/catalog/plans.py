"""Plans: the older view of a recurring price. Each plan is a view of the price with the same id.

active ──update──▶ active | inactive ──delete──▶ deleted   (subscriptions that have it keep it)
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from tollkey.payments.catalog import kinds
from tollkey.payments.catalog.prices import PERMISSION
from tollkey.payments.catalog.pricing import create_price, missing_plan, plan_of, recurring
from tollkey.payments.catalog.product_rules import check_descriptor, new_product
from tollkey.payments.catalog.repricing import refresh_items
from tollkey.payments.shared import fields
from tollkey.wire import Call, Endpoint, Page, Params, Resource, invalid
from tollkey.wire.errors import missing_param
from tollkey.wire.live import records
from tollkey.wire.objects import Deleted
from tollkey.wire.pages import list_page
from tollkey.wire.removed import removed_since
from tollkey.wire.versions import Change

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredPrice
    from tollkey.wire import api, operations


def _price(call: Call, id: str) -> StoredPrice:
    price = call.objects.find(kinds.PRICE, id)
    if price is None or not price["recurring"]:
        raise missing_plan(call, id)
    return price


def create(call: Call, params: operations.PostPlans) -> api.Plan:
    """Create a plan; its product is given by id or by data, or, in old versions, as the plan's ``name``."""
    product = params.get("product")
    if isinstance(product, dict) or (product is None and params.get("name")):
        product = new_product(
            call, product or {"name": params["name"], "statement_descriptor": params.get("statement_descriptor")}
        )["id"]
    elif product is None:
        raise missing_param("product")
    elif call.objects.find(kinds.PRODUCT, product) is None:
        raise call.objects.missing(kinds.PRODUCT, product, "product")
    if (
        params.get("amount") is None
        and params.get("amount_decimal") is None
        and params.get("billing_scheme") != "tiered"
    ):
        raise invalid(
            "Plans require an `amount` or `amount_decimal` parameter to be set.",
            "amount",
            "parameter_missing",
            retry=False,
        )
    price: Params = {
        **{
            name: params[name]
            for name in ("active", "billing_scheme", "currency", "id", "metadata", "nickname", "tiers", "tiers_mode")
            if name in params
        },
        "product": product,
        "unit_amount": params.get("amount"),
        "unit_amount_decimal": params.get("amount_decimal"),
        "transform_quantity": params.get("transform_usage"),
        "recurring": {
            name: params.get(name)
            for name in ("interval", "interval_count", "meter", "trial_period_days", "usage_type")
        },
        "_aggregate_usage": params.get("aggregate_usage"),
    }
    if params.get("nickname") is None and params.get("name"):
        price["nickname"] = params["name"]
    return plan_of(create_price(call, price, plan=True))


def show(call: Call, params: operations.GetPlansPlan) -> api.Plan:
    """Retrieve a plan."""
    return plan_of(_price(call, call.path["plan"]))


def update(call: Call, params: operations.PostPlansPlan) -> api.Plan:
    """Change a plan's name, product, trial or metadata."""
    price = _price(call, call.path["plan"])
    before = plan_of(price)
    if params.get("product"):
        call.objects.get(kinds.PRODUCT, params["product"], "product")
    fields.assign_with_metadata(price, params, ("active", "nickname", "product"))
    if "name" in params or "statement_descriptor" in params:
        _describe(call, price, params)
    if "trial_period_days" in params:
        terms = recurring(price)
        assert terms is not None, "only recurring prices are plans"
        terms["trial_period_days"] = params["trial_period_days"]
    plan = plan_of(price)
    now: Mapping[str, Any] = plan
    difference = {name: value for name, value in before.items() if now[name] != value}
    if difference:
        call.emit("plan.updated", plan, difference)
    call.objects.save(price, "price.updated")
    refresh_items(call, price)
    return plan


def _describe(call: Call, price: StoredPrice, params: operations.PostPlansPlan) -> None:
    """Change the name and the statement descriptor, which versions before 2018-02-05 set on a plan, of its product.

    Raises ApiError 400 for a descriptor that cannot be printed.
    """
    product = call.objects.get(kinds.PRODUCT, price["product"])
    check_descriptor(params, product.get("_type", "service"))
    fields.assign(product, params, ("name", "statement_descriptor"))
    if "name" in params and "nickname" not in params:
        price["nickname"] = params["name"]
    product["updated"] = call.now
    call.objects.save(product, "product.updated")


def delete(call: Call, params: operations.DeletePlansPlan) -> Deleted:
    """Delete a plan and its price."""
    price = _price(call, call.path["plan"])
    call.objects.delete(price)
    call.emit("plan.deleted", plan_of(price))
    call.emit("price.deleted", price)
    return {"id": price["id"], "object": "plan", "deleted": True}


def list_plans(call: Call, params: operations.GetPlans) -> Page:
    """List plans by ``active`` and ``product``."""
    equal = {"type": "recurring"}
    if params.get("active") is not None:
        equal["active"] = "true" if params["active"] else "false"
    if params.get("product"):
        equal["product"] = params["product"]
    page = list_page(call, "price", params, equal, url="/v1/plans")
    page.data = [plan_of(price) for price in page.data]
    return page


def _tiers(call: Call, plan: Mapping[str, Any]) -> list[api.PriceTier] | None:
    price = call.objects.find(kinds.PRICE, plan["id"])
    return None if price is None else price.get("_tiers")


def _aggregate(call: Call, plan: MutableMapping[str, Any]) -> None:
    """Before 2025-03-31 metered plans had ``aggregate_usage``."""
    stored = call.objects.find(kinds.PRICE, plan["id"])
    metered = plan.get("usage_type") == "metered" and not plan.get("meter")
    plan["aggregate_usage"] = (stored and stored.get("_aggregate_usage")) or ("sum" if metered else None)


def _named(call: Call, plan: MutableMapping[str, Any]) -> None:
    """Before 2018-02-05 a plan had a name and a statement descriptor, which its product has now; tiers were
    always included.
    """
    product = call.objects.find(kinds.PRODUCT, plan["product"]) if isinstance(plan.get("product"), str) else None
    plan["name"] = plan.get("nickname") or (product and product["name"])
    plan["statement_descriptor"] = product and product.get("statement_descriptor")
    plan["tiers"] = _tiers(call, plan)


_NAMES_REMOVED = removed_since("2018-02-05", "name", "statement_descriptor")

PLAN = Resource(
    object="plan",
    permission=PERMISSION,
    live=records(),
    path_param="plan",
    stored=False,
    expands={"tiers": _tiers},
    endpoints=(
        Endpoint("GET", "/v1/plans", list_plans),
        Endpoint(
            "POST", "/v1/plans", create, removed=(*_NAMES_REMOVED, *removed_since("2025-03-31", "aggregate_usage"))
        ),
        Endpoint("GET", "/v1/plans/{plan}", show),
        Endpoint("POST", "/v1/plans/{plan}", update, removed=_NAMES_REMOVED),
        Endpoint("DELETE", "/v1/plans/{plan}", delete),
    ),
    changes=(Change("2025-03-31", _aggregate), Change("2018-02-05", _named)),
    title="Plans",
    columns=("nickname", "id", "amount", "currency", "interval", "created"),
)
