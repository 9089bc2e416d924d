"""Features that products have: unique by key, archived when no longer sold."""

from __future__ import annotations

from tests.payments.subscriptions.steps import featured, ok
from tests.support.api import Api

FEATURES = "/v1/entitlements/features"


def test_features_are_unique_by_key_and_can_be_archived(api: Api) -> None:
    price, (feature,) = featured(api, "chat")
    again = api.post(FEATURES, name="Chat", lookup_key="chat")
    assert (again.status, again.error["param"]) == (400, "lookup_key")
    archived = ok(api, "POST", f"{FEATURES}/{feature['id']}", FEATURES + "/{id}", active=False)
    assert archived["active"] is False
    assert api.get(FEATURES, archived=False)["data"] == api.get(FEATURES)["data"] == []
    assert [one["id"] for one in api.get(FEATURES, archived=True)["data"]] == [feature["id"]]
    product = api.get(f"/v1/prices/{price}")["product"]
    listed = ok(api, "GET", f"/v1/products/{product}/features", "/v1/products/{product}/features")["data"]
    assert listed[0]["entitlement_feature"]["active"] is False


def test_an_archived_feature_is_put_on_no_product(api: Api) -> None:
    feature = ok(api, "POST", FEATURES, name="Chat", lookup_key="chat")["id"]
    product = api.ok("post", "/v1/products", name="Plan")["id"]
    api.ok("post", f"{FEATURES}/{feature}", active=False)
    refused = api.post(f"/v1/products/{product}/features", entitlement_feature=feature)
    assert (refused.status, refused.error["param"]) == (400, "entitlement_feature")


def test_a_lookup_key_has_at_most_80_characters(api: Api) -> None:
    ok(api, "POST", FEATURES, name="Chat", lookup_key="k" * 80)
    refused = api.post(FEATURES, name="Chat", lookup_key="k" * 81)
    assert (refused.status, refused.error["param"]) == (400, "lookup_key")
