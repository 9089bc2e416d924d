"""The customer portal: a page on which customers see and change their subscriptions, cards and invoices."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from tests.payments.checkout.steps import fill, path_of, session
from tests.payments.portal.steps import Portal, confirm, linked, look, opened
from tests.payments.subscriptions.steps import DAY
from tests.support.api import NOW, Api
from tests.support.openapi import assert_valid


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


def test_the_page_links_the_terms_and_the_privacy_policy_of_the_merchant(api: Api) -> None:
    portal = Portal(api)
    path = portal.open()
    assert "Privacy policy" not in portal.look(path)
    terms, privacy = "https://shop.example/terms?a=1&b=2", "https://shop.example/privacy"
    profile = {"terms_of_service_url": terms, "privacy_policy_url": privacy}
    api.ok("POST", f"/v1/billing_portal/configurations/{portal.configuration}", business_profile=profile)
    page = portal.look(path)
    assert '<a href="https://shop.example/terms?a=1&amp;b=2" rel="noreferrer">Terms of service</a>' in page
    assert f'<a href="{privacy}" rel="noreferrer">Privacy policy</a>' in page


def test_a_cancel_flow_may_offer_a_coupon_to_stay(api: Api) -> None:
    portal = Portal(api)
    coupon = api.ok("POST", "/v1/coupons", percent_off=25, duration="repeating", duration_in_months=3)["id"]
    cancel = {
        "subscription": portal.sub["id"],
        "retention": {"type": "coupon_offer", "coupon_offer": {"coupon": coupon}},
    }
    done = {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": "Good choice"}}
    path = portal.open(
        flow_data={"type": "subscription_cancel", "subscription_cancel": cancel, "after_completion": done}
    )
    assert "pay 25% less for 3 months" in portal.look(path)
    assert portal.send(path + "/stay").headers["location"] == f"{path}/done"
    assert "Good choice" in portal.look(path + "/done")
    assert len(portal.now()["discounts"]) == 1
    again = portal.open(
        flow_data={"type": "subscription_cancel", "subscription_cancel": {"subscription": portal.sub["id"]}}
    )
    assert "Cancel your subscription?" in portal.look(again)
    portal.send(again + "/cancel", subscription=portal.sub["id"])
    assert portal.now()["cancel_at_period_end"] is True


def test_a_payment_method_flow_makes_the_new_card_the_default(api: Api) -> None:
    portal = Portal(api)
    after = {"type": "redirect", "redirect": {"return_url": "https://shop.example/thanks"}}
    path = portal.open(flow_data={"type": "payment_method_update", "after_completion": after})
    assert "Add a card" in portal.look(path)
    card = portal.send(path + "/add").headers["location"].partition("8420")[2]
    assert fill(api, card, "5555555555554444").headers["location"] == "https://shop.example/thanks"
    default = api.get(f"/v1/customers/{portal.who}")["invoice_settings"]["default_payment_method"]
    assert api.get(f"/v1/payment_methods/{default}")["card"]["brand"] == "mastercard"
    assert api.events("checkout.session.completed") == []


def test_a_login_page_is_refused_as_no_e_mails_are_sent(api: Api) -> None:
    url, features = "/v1/billing_portal/configurations", {"invoice_history": {"enabled": True}}
    made = api.ok("POST", url, features=features, login_page={"enabled": False})
    assert made["login_page"] == {"enabled": False, "url": None}
    for path, more in ((url, {"features": features}), (f"{url}/{made['id']}", {})):
        refused = api.post(path, login_page={"enabled": True}, **more)
        assert (refused.status, refused.error["param"]) == (400, "login_page[enabled]")


def test_no_page_does_what_the_configuration_does_not_offer(api: Api) -> None:
    """Whoever holds the link can send any of its forms, also those that the portal does not show."""
    made = session(api, "subscription")
    fill(api, path_of(made))
    subscription = api.get("/v1/subscriptions")["data"][0]
    customer = subscription["customer"]
    method = api.ok("POST", "/v1/payment_methods/pm_card_mastercard/attach", customer=customer)["id"]
    api.ok("POST", f"/v1/subscriptions/{subscription['id']}", cancel_at_period_end=True)
    features = {"invoice_history": {"enabled": True}}
    configuration = api.ok("POST", "/v1/billing_portal/configurations", features=features)["id"]
    path = path_of(api.ok("POST", "/v1/billing_portal/sessions", customer=customer, configuration=configuration))
    assert b"Keep subscription" not in look(api, path).body
    before = [api.get(f"/v1/customers/{customer}").body, api.get(f"/v1/subscriptions/{subscription['id']}").body]
    values = {"subscription": subscription["id"], "payment_method": method}
    asked = 0
    for resource in api.core.catalogue.resources:
        for endpoint in resource.endpoints:
            place = endpoint.path.removeprefix("/portal/{token}")
            if place in (endpoint.path, "", "/done"):
                continue
            sent = {name: values[name] for name in endpoint.params.fields if name in values}
            form = urlencode(sent)
            answer = api.send(
                endpoint.method,
                path + place,
                key=None,
                **({"query": form} if endpoint.method == "GET" else {"body": form.encode()}),
            )
            assert answer.status == 400, endpoint.path
            asked += 1
    assert asked >= 11
    assert before == [
        api.get(f"/v1/customers/{customer}").body,
        api.get(f"/v1/subscriptions/{subscription['id']}").body,
    ]


@pytest.mark.parametrize(("days", "kept"), [(100, 100), (10, 10)])
def test_an_end_that_the_merchant_set_outlives_what_the_customer_takes_back(api: Api, days: int, kept: int) -> None:
    path, id = opened(api, mode="at_period_end")
    until = NOW + days * DAY
    api.ok("POST", f"/v1/subscriptions/{id}", cancel_at=until)
    period = api.get(f"/v1/subscriptions/{id}")["items"]["data"][0]["current_period_end"]
    confirm(api, f"{path}/cancel?subscription={id}")
    canceled = api.get(f"/v1/subscriptions/{id}")
    assert canceled["cancel_at"] == min(until, period)  # a customer ends nothing later than the merchant does
    for _ in range(2):
        api.send("POST", f"{path}/keep", key=None, body=f"subscription={id}".encode())
        back = api.get(f"/v1/subscriptions/{id}")
        assert (back["cancel_at"], back["cancel_at_period_end"]) == (NOW + kept * DAY, False)


def test_an_end_that_the_merchant_took_back_meanwhile_does_not_return(api: Api) -> None:
    path, id = opened(api, mode="at_period_end")
    api.ok("POST", f"/v1/subscriptions/{id}", cancel_at=NOW + 100 * DAY)
    confirm(api, f"{path}/cancel?subscription={id}")
    api.ok("POST", f"/v1/subscriptions/{id}", cancel_at_period_end=False)
    confirm(api, f"{path}/cancel?subscription={id}")
    api.send("POST", f"{path}/keep", key=None, body=f"subscription={id}".encode())
    assert api.get(f"/v1/subscriptions/{id}")["cancel_at"] is None
