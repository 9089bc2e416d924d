"""Quotes: what something would cost, for a customer to accept."""

from __future__ import annotations

from tests.payments.subscriptions.steps import clocked, current, ok, plan
from tests.support.api import Api


def test_an_accepted_quote_becomes_a_subscription(api: Api) -> None:
    _, who = clocked(api)
    quote = ok(api, "POST", "/v1/quotes", customer=who, line_items=[{"price": plan(api), "quantity": 2}])
    assert quote["computed"]["recurring"]["amount_total"] == 2000
    ok(api, "POST", f"/v1/quotes/{quote['id']}/finalize", "/v1/quotes/{quote}/finalize")
    accepted = ok(api, "POST", f"/v1/quotes/{quote['id']}/accept", "/v1/quotes/{quote}/accept")
    assert accepted["status"] == "accepted"
    assert current(api, accepted["subscription"])["quantity"] == 2
