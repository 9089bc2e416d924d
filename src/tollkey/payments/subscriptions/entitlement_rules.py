"""Deriving entitlements: what a customer may use follows from the features of the products they are subscribed to."""

from __future__ import annotations

from typing import Final

from tollkey.wire import Call, Json, blank, sublist

ACTIVE = "entitlements.active_entitlement"
FEATURE = "entitlements.feature"
ON_PRODUCT = "product_feature"
SUMMARY: Final = "entitlements.active_entitlement_summary"
#: In which states a subscription gives access.
_GIVING = ["active", "trialing", "past_due"]
#: Most features of one customer, and entitlements told in one event.
_MOST = 100
_TOLD = 10


def refresh(call: Call, customer: str) -> None:
    """Give a customer the entitlements that their subscriptions stand for, and take the others; tells of it when there
    is a change.

    Called when a subscription begins, changes, renews or ends. Costs one query where no product has features.
    """
    if ON_PRODUCT not in call.setup.tables.of or not call.objects.query(ON_PRODUCT, limit=1):
        return
    features = _features(call, customer)
    there = {one["feature"]: one for one in call.objects.query(ACTIVE, {"_customer": customer}, limit=_MOST)}
    if there.keys() == features.keys():
        return
    for id, gone in there.items():
        if id not in features:
            call.objects.delete(gone)
    for id, feature in features.items():
        if id not in there:
            made = blank(
                ACTIVE, id=call.ids.new("ent"), feature=id, livemode=call.livemode, lookup_key=feature["lookup_key"]
            )
            made["_customer"] = customer
            call.objects.insert(made)
    _emit_summary(call, customer, list(there.values()))


def _features(call: Call, customer: str) -> dict[str, Json]:
    """The features that a customer is entitled to, by id."""
    found: dict[str, Json] = {}
    for subscription in call.objects.query("subscription", {"customer": customer, "status": _GIVING}, limit=_MOST):
        for item in subscription["items"]["data"]:
            for link in call.objects.query(ON_PRODUCT, {"_product": item["price"]["product"]}, limit=_MOST):
                feature = call.objects.find(FEATURE, link["_feature"])
                if feature is not None:
                    found[feature["id"]] = feature
    return found


def _emit_summary(call: Call, customer: str, before: list[Json]) -> None:
    def listed(entitlements: list[Json]) -> Json:
        shown = [call.objects.copy(one) for one in entitlements[:_TOLD]]
        made = sublist(shown, f"/v1/customer/{customer}/entitlements")
        made["has_more"] = len(entitlements) > _TOLD
        return made

    now = call.objects.query(ACTIVE, {"_customer": customer}, limit=_MOST)
    summary = {"object": SUMMARY, "customer": customer, "entitlements": listed(now), "livemode": call.livemode}
    call.emit("entitlements.active_entitlement_summary.updated", summary, {"entitlements": listed(before)})
