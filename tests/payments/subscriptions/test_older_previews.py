"""The upcoming invoice of versions before 2025-03-31."""

from __future__ import annotations

from tests.payments.checkout.steps import price
from tests.payments.subscriptions.steps import clocked, plan, subscribe
from tests.support.api import Api

OLD = {"Stripe-Version": "2020-08-27"}


def test_a_preview_names_the_older_parameter_too(api: Api) -> None:
    customer = api.ok("post", "/v1/customers")["id"]
    items = [{"price": price(api, recurring={"interval": "month"})}]
    refused = api.get("/v1/invoices/upcoming", customer=customer, subscription_items=items, coupon="NONE", headers=OLD)
    assert (refused.status, refused.error["param"]) == (400, "coupon")


def test_the_lines_of_the_upcoming_invoice_are_a_list_of_pages(api: Api) -> None:
    _, who = clocked(api)
    for _ in range(2):
        subscription = subscribe(api, who, plan(api))["id"]
    asked = {"customer": who, "subscription": subscription, "headers": OLD}
    invoice = api.ok("GET", "/v1/invoices/upcoming", **asked)
    page = api.ok("GET", "/v1/invoices/upcoming/lines", limit=1, **asked)
    assert (page["object"], page["url"], page["has_more"]) == ("list", "/v1/invoices/upcoming/lines", False)
    assert [line["amount"] for line in page["data"]] == [line["amount"] for line in invoice["lines"]["data"]] == [1000]


def test_the_trial_of_a_plan_is_in_the_upcoming_invoice_if_that_is_asked_for(api: Api) -> None:
    customer = api.ok("post", "/v1/customers")["id"]
    product = api.ok("post", "/v1/products", name="Gold")["id"]
    given = {"amount": 900, "currency": "usd", "interval": "month", "trial_period_days": 7, "product": product}
    items = [{"price": api.ok("post", "/v1/plans", **given)["id"]}]
    asked = {"customer": customer, "subscription_items": items, "headers": OLD}
    path = "/v1/invoices/upcoming"
    assert api.ok("GET", path, **asked)["total"] == 900
    assert api.ok("GET", path, subscription_trial_from_plan=True, **asked)["total"] == 0
    for name, value in (("subscription_start_date", "1700000000"), ("subscription_resume_at", "now")):
        refused = api.get(path, **{name: value}, **asked)
        assert (refused.status, refused.error["param"]) == (400, name)
