"""Payment links and the customer portal."""

from __future__ import annotations

from tests.payments.test_checkout_sessions import fill, path_of, session
from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid

LINKS = "/v1/payment_links"


def price(api: Api, **more: object) -> str:
    product = api.ok("POST", "/v1/products", name="Shirt")
    return str(api.ok("POST", "/v1/prices", product=product["id"], unit_amount=1500, currency="usd", **more)["id"])


def visit(api: Api, link: Answer) -> str:
    path = link["url"].partition("8420")[2]
    assert b"Shirt" in api.send("GET", path, key=None).body
    return api.send("POST", path, key=None).headers["location"].partition("8420")[2]


def test_everybody_who_opens_a_link_gets_a_session_of_their_own(api: Api) -> None:
    link = api.ok("POST", LINKS, line_items=[{"price": price(api), "quantity": 1}], restrictions={"completed_sessions": {"limit": 1}})
    assert_valid("POST", LINKS, 200, link)
    first, second = visit(api, link), visit(api, link)
    assert first != second
    done = fill(api, first)
    assert b"Payment complete" in done.body
    assert api.ok("GET", "/v1/checkout/sessions", payment_link=link["id"], status="complete")["data"][0]["payment_status"] == "paid"
    after = api.ok("GET", f"{LINKS}/{link['id']}", expand=["line_items"])
    assert_valid("GET", LINKS + "/{payment_link}", 200, after)
    assert (after["active"], after["restrictions"]["completed_sessions"]["count"]) == (False, 1)
    assert api.send("POST", link["url"].partition("8420")[2], key=None).status == 404


def test_a_link_is_changed_and_listed(api: Api) -> None:
    link = api.ok("POST", LINKS, line_items=[{"price": price(api, recurring={"interval": "month"}), "quantity": 1}])
    changed = api.ok("POST", f"{LINKS}/{link['id']}", allow_promotion_codes=True)
    assert_valid("POST", LINKS + "/{payment_link}", 200, changed)
    assert changed["allow_promotion_codes"] is True
    assert_valid("GET", LINKS, 200, api.ok("GET", LINKS, active=True))
    assert_valid("GET", LINKS + "/{payment_link}/line_items", 200, api.ok("GET", f"{LINKS}/{link['id']}/line_items"))
    assert [event["type"] for event in api.events()][-2:] == ["payment_link.created", "payment_link.updated"]


def test_a_customer_cancels_a_subscription_and_changes_the_card_in_the_portal(api: Api) -> None:
    made = session(api, "subscription")
    fill(api, path_of(made))
    customer = api.get(f"/v1/checkout/sessions/{made['id']}")["customer"]
    portal = api.ok("POST", "/v1/billing_portal/sessions", customer=customer, return_url="https://shop.example/")
    assert_valid("POST", "/v1/billing_portal/sessions", 200, portal)
    path = path_of(portal)
    page = api.send("GET", path, key=None)
    assert b"Cancel subscription" in page.body
    assert b"T-shirt &lt;b&gt;" in page.body
    subscription = api.get("/v1/subscriptions")["data"][0]
    api.send("POST", path + "/cancel", key=None, body=f"subscription={subscription['id']}".encode())
    assert api.get(f"/v1/subscriptions/{subscription['id']}")["cancel_at_period_end"] is True
    api.send("POST", path + "/keep", key=None, body=f"subscription={subscription['id']}".encode())
    assert api.get(f"/v1/subscriptions/{subscription['id']}")["cancel_at_period_end"] is False
    added = api.send("POST", path + "/add", key=None).headers["location"].partition("8420")[2]
    assert fill(api, added, "5555555555554444").headers["location"] == portal["url"]
    method = next(one for one in api.get(f"/v1/customers/{customer}/payment_methods")["data"] if one["card"]["last4"] == "4444")
    api.send("POST", path + "/use", key=None, body=f"payment_method={method['id']}".encode())
    assert api.get(f"/v1/customers/{customer}")["invoice_settings"]["default_payment_method"] == method["id"]
    api.advance(3600)
    assert api.send("GET", path, key=None).status == 404


def test_portal_configurations_are_made_and_changed(api: Api) -> None:
    url = "/v1/billing_portal/configurations"
    features = {"subscription_cancel": {"enabled": True, "mode": "immediately"}}
    made = api.ok("POST", url, features=features, business_profile={"headline": "Hi"})
    assert_valid("POST", url, 200, made)
    assert made["features"]["subscription_cancel"]["mode"] == "immediately"
    changed = api.ok("POST", f"{url}/{made['id']}", metadata={"foo": "bar"}, active=False)
    assert_valid("POST", url + "/{configuration}", 200, changed)
    assert_valid("GET", url, 200, api.ok("GET", url, is_default=False))
    customer = api.ok("POST", "/v1/customers")
    assert api.post("/v1/billing_portal/sessions", customer=customer["id"], configuration=made["id"]).status == 400
