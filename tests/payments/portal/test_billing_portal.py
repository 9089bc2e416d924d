"""The customer portal: what customers see and change without a key."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from tests.payments.checkout.test_checkout_sessions import fill, path_of, session
from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid

MONTH_END = b"01 Feb 2026"


def opened(api: Api, **rules: Any) -> tuple[str, str]:
    """A portal in which cancelling follows these rules: its path, and the id of the one subscription there."""
    made = session(api, "subscription")
    fill(api, path_of(made))
    customer = api.get(f"/v1/checkout/sessions/{made['id']}")["customer"]
    features = {"subscription_cancel": {"enabled": True, **rules}}
    configuration = api.ok("POST", "/v1/billing_portal/configurations", features=features)["id"]
    portal = api.ok("POST", "/v1/billing_portal/sessions", customer=customer, configuration=configuration)
    return path_of(portal), str(api.get("/v1/subscriptions")["data"][0]["id"])


def linked(page: Answer, text: str) -> str:
    """Where the link of that text leads."""
    found = re.search(f'href="([^"]*)">{text}</a>', page.body.decode())
    assert found, page.body
    return unescape(found[1])


def look(api: Api, address: str) -> Answer:
    path, _, query = address.partition("?")
    return api.send("GET", path, key=None, query=query)


def confirm(api: Api, address: str, **fields: str) -> Answer:
    """Open the question and answer yes, as its form does."""
    page = look(api, address)
    form = re.search(
        r'<form method="post" action="([^"]+)"><input type="hidden" name="subscription" value="([^"]+)">',
        page.body.decode(),
    )
    assert form, page.body
    body = "&".join([f"subscription={form[2]}", *(f"{name}={value}" for name, value in fields.items())])
    return api.send("POST", form[1], key=None, body=body.encode())


def test_cancelling_asks_first_and_says_what_will_happen_and_when(api: Api) -> None:
    path, subscription = opened(api)
    page = look(api, linked(look(api, path), "Cancel subscription"))
    assert page.status == 200
    assert MONTH_END in page.body
    assert b"T-shirt &lt;b&gt;" in page.body
    assert b"<script" not in page.body
    assert linked(page, "Keep it") == path
    assert api.get(f"/v1/subscriptions/{subscription}")["cancel_at_period_end"] is False  # looking cancels nothing
    assert confirm(api, f"{path}/cancel?subscription={subscription}").headers["location"] == path
    assert api.get(f"/v1/subscriptions/{subscription}")["cancel_at_period_end"] is True
    assert b"01 Feb 2026" in look(api, path).body


def test_a_portal_that_cancels_at_once_says_so(api: Api) -> None:
    path, subscription = opened(api, mode="immediately")
    question = f"{path}/cancel?subscription={subscription}"
    page = look(api, question)
    assert b"It ends now" in page.body
    assert b"is not refunded" in page.body
    assert MONTH_END not in page.body
    confirm(api, question)
    assert api.get(f"/v1/subscriptions/{subscription}")["status"] == "canceled"
    assert look(api, question).status == 400
    assert api.send("POST", f"{path}/cancel", key=None, body=f"subscription={subscription}".encode()).status == 400


def test_a_portal_that_credits_the_time_left_does_what_it_says(api: Api) -> None:
    path, subscription = opened(api, mode="immediately", proration_behavior="create_prorations")
    api.advance(10 * 60)
    question = f"{path}/cancel?subscription={subscription}"
    assert b"is credited" in look(api, question).body
    confirm(api, question)
    credited = api.get("/v1/invoiceitems")["data"]
    assert [one["amount"] < 0 for one in credited] == [True]


def test_the_reason_that_a_customer_gives_is_kept(api: Api) -> None:
    path, subscription = opened(api, cancellation_reason={"enabled": True, "options": ["unused", "other"]})
    question = f"{path}/cancel?subscription={subscription}"
    page = look(api, question).body
    assert b'<label for="feedback">' in page
    assert re.findall(rb'<option value="(\w*)">', page) == [b"", b"unused", b"other"]
    confirm(api, question, feedback="unused")
    details = api.get(f"/v1/subscriptions/{subscription}")["cancellation_details"]
    assert (details["feedback"], details["reason"]) == ("unused", "cancellation_requested")


def test_a_reason_that_is_not_offered_is_not_kept(api: Api) -> None:
    path, subscription = opened(api)
    confirm(api, f"{path}/cancel?subscription={subscription}", feedback="low_quality")
    assert api.get(f"/v1/subscriptions/{subscription}")["cancellation_details"]["feedback"] is None


def test_nobody_is_asked_where_cancelling_is_not_offered(api: Api) -> None:
    path, subscription = opened(api, enabled=False)
    assert b"Cancel subscription" not in look(api, path).body
    assert look(api, f"{path}/cancel?subscription={subscription}").status == 400


def test_somebody_else_s_subscription_is_not_shown(api: Api) -> None:
    path, _ = opened(api)
    _, theirs = opened(api)
    assert look(api, f"{path}/cancel?subscription={theirs}").status == 400


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
    asked = linked(page, "Cancel subscription")
    assert asked == f"{path}/cancel?subscription={subscription['id']}"
    confirm(api, asked)
    assert api.get(f"/v1/subscriptions/{subscription['id']}")["cancel_at_period_end"] is True
    api.send("POST", path + "/keep", key=None, body=f"subscription={subscription['id']}".encode())
    assert api.get(f"/v1/subscriptions/{subscription['id']}")["cancel_at_period_end"] is False
    added = api.send("POST", path + "/add", key=None).headers["location"].partition("8420")[2]
    assert fill(api, added, "5555555555554444").headers["location"] == portal["url"]
    method = next(
        one for one in api.get(f"/v1/customers/{customer}/payment_methods")["data"] if one["card"]["last4"] == "4444"
    )
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
