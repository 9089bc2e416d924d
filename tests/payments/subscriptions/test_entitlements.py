"""What customers may use follows from the features of the products they are subscribed to."""

from __future__ import annotations

from tests.payments.subscriptions.test_billing_lifecycles import advance, clocked, ok, subscribe
from tests.support.api import Answer, Api

FEATURES = "/v1/entitlements/features"
SUMMARY = "entitlements.active_entitlement_summary.updated"


def featured(api: Api, *keys: str) -> tuple[str, list[Answer]]:
    """A monthly price of a product with new features of these lookup keys."""
    product = ok(api, "POST", "/v1/products", name="Plan")["id"]
    features = [ok(api, "POST", FEATURES, name=key.title(), lookup_key=key) for key in keys]
    for feature in features:
        ok(
            api,
            "POST",
            f"/v1/products/{product}/features",
            "/v1/products/{product}/features",
            entitlement_feature=feature["id"],
        )
    price = ok(
        api, "POST", "/v1/prices", product=product, unit_amount=1_000, currency="usd", recurring={"interval": "month"}
    )
    return price["id"], features


def may_use(api: Api, who: str) -> list[str]:
    return sorted(
        one["lookup_key"] for one in ok(api, "GET", "/v1/entitlements/active_entitlements", customer=who)["data"]
    )


def test_a_subscription_entitles_and_its_end_takes_it_away(api: Api) -> None:
    _, who = clocked(api)
    price, features = featured(api, "chat", "mail")
    assert may_use(api, who) == []
    sub = subscribe(api, who, price)
    assert may_use(api, who) == ["chat", "mail"]
    one = api.get("/v1/entitlements/active_entitlements", customer=who, expand=["data.feature"])["data"][0]
    assert one["feature"]["id"] in [feature["id"] for feature in features]
    ok(api, "GET", f"/v1/entitlements/active_entitlements/{one['id']}", "/v1/entitlements/active_entitlements/{id}")
    told = api.events(SUMMARY)
    assert [len(event["data"]["object"]["entitlements"]["data"]) for event in told] == [2]
    api.delete(f"/v1/subscriptions/{sub['id']}")
    assert may_use(api, who) == []
    assert len(api.events(SUMMARY)) == 2


def test_an_unpaid_first_invoice_entitles_to_nothing(api: Api) -> None:
    who = api.ok("post", "/v1/customers")["id"]
    price, _ = featured(api, "chat")
    sub = subscribe(api, who, price, payment_behavior="default_incomplete")
    assert (sub["status"], may_use(api, who)) == ("incomplete", [])
    api.ok("post", f"/v1/invoices/{sub['latest_invoice']}/pay", paid_out_of_band=True)
    assert may_use(api, who) == ["chat"]


def test_a_new_feature_of_a_product_reaches_subscribers_with_their_renewal(api: Api) -> None:
    clock, who = clocked(api)
    price, _ = featured(api, "chat")
    sub = subscribe(api, who, price)
    product = sub["items"]["data"][0]["price"]["product"]
    late = ok(api, "POST", FEATURES, name="Calls", lookup_key="calls")
    link = api.ok("post", f"/v1/products/{product}/features", entitlement_feature=late["id"])
    assert may_use(api, who) == ["chat"]
    advance(api, clock, sub["items"]["data"][0]["current_period_end"] + 60)
    assert may_use(api, who) == ["calls", "chat"]
    gone = api.delete(f"/v1/products/{product}/features/{link['id']}")
    assert (gone.status, gone["deleted"]) == (200, True)
    assert may_use(api, who) == ["calls", "chat"]


def test_features_are_unique_by_key_and_can_be_archived(api: Api) -> None:
    price, (feature,) = featured(api, "chat")
    again = api.post(FEATURES, name="Chat", lookup_key="chat")
    assert (again.status, again.error["param"]) == (400, "lookup_key")
    archived = ok(api, "POST", f"{FEATURES}/{feature['id']}", FEATURES + "/{id}", active=False)
    assert archived["active"] is False
    assert api.get(FEATURES, archived=False)["data"] == []
    assert [one["id"] for one in api.get(FEATURES, archived=True)["data"]] == [feature["id"]]
    product = api.get(f"/v1/prices/{price}")["product"]
    listed = ok(api, "GET", f"/v1/products/{product}/features", "/v1/products/{product}/features")["data"]
    assert listed[0]["entitlement_feature"]["active"] is False
