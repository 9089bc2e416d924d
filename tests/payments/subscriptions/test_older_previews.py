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
