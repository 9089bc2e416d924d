"""Deriving a customer's entitlements from the features of the products in their subscriptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from tollkey.payments.subscriptions import kinds
from tollkey.wire import Call, new_object
from tollkey.wire.pages import nested_list

if TYPE_CHECKING:
    from tollkey.payments.subscriptions.stored import StoredEntitlement
    from tollkey.wire import api

SUMMARY: Final = "entitlements.active_entitlement_summary"
#: The states in which a subscription gives access.
_ENTITLING = ["active", "trialing", "past_due"]
#: The largest number of features of one customer, and of entitlements in one event.
_MOST = 100
_MOST_IN_EVENT = 10


def refresh(call: Call, customer: str) -> None:
    """Create and delete entitlements so that they match the customer's subscriptions; emit an event for a change.

    customer: an id. Called when a subscription begins, changes, renews or ends. Costs one query if no product has
        features.
    """
    if "product_feature" in call.setup.tables.of and call.objects.query_read_only("product_feature", {}, limit=1):
        _derive(call, customer)


def _derive(call: Call, customer: str) -> None:
    """Create missing entitlements, delete those without a feature, and emit the summary if something changed."""
    features = _features(call, customer)
    there = {one["feature"]: one for one in call.objects.query(kinds.ENTITLEMENT, {"_customer": customer}, limit=_MOST)}
    for id, gone in there.items():
        if id not in features:
            call.objects.delete(gone)
    for id, feature in features.items():
        if id not in there:
            made = new_object(
                kinds.ENTITLEMENT,
                id=call.ids.new("ent"),
                feature=id,
                livemode=call.livemode,
                lookup_key=feature["lookup_key"],
            )
            made["_customer"] = customer
            call.objects.insert(made)
    if there.keys() != features.keys():
        _emit_summary(call, customer, list(there.values()))


def _features(call: Call, customer: str) -> dict[str, api.EntitlementsFeature]:
    """Return the features that a customer is entitled to, by id."""
    found: dict[str, api.EntitlementsFeature] = {}
    for subscription in call.objects.query(
        kinds.SUBSCRIPTION, {"customer": customer, "status": _ENTITLING}, limit=_MOST
    ):
        for item in subscription["items"]["data"]:
            for link in call.objects.query(kinds.PRODUCT_FEATURE, {"_product": item["price"]["product"]}, limit=_MOST):
                feature = call.objects.find(kinds.FEATURE, link["_feature"])
                if feature is not None:
                    found[feature["id"]] = feature
    return found


def _emit_summary(call: Call, customer: str, before: list[StoredEntitlement]) -> None:
    """Emit the event with the entitlements before and after."""

    def listed(entitlements: list[StoredEntitlement]) -> Mapping[str, Any]:
        shown = [call.objects.copy(one) for one in entitlements[:_MOST_IN_EVENT]]
        made: Mapping[str, Any] = nested_list(shown, f"/v1/customer/{customer}/entitlements")
        return {**made, "has_more": len(entitlements) > _MOST_IN_EVENT}

    now = call.objects.query(kinds.ENTITLEMENT, {"_customer": customer}, limit=_MOST)
    summary = {"object": SUMMARY, "customer": customer, "entitlements": listed(now), "livemode": call.livemode}
    call.emit("entitlements.active_entitlement_summary.updated", summary, {"entitlements": listed(before)})
