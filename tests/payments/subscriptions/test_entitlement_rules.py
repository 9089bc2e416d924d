"""Entitlements at work: what a customer may use follows from the features of the products they are subscribed to."""

from __future__ import annotations

from tests.payments.subscriptions.steps import advance, clocked, featured, ok, subscribe
from tests.support.api import Api

FEATURES = "/v1/entitlements/features"
SUMMARY = "entitlements.active_entitlement_summary.updated"


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
