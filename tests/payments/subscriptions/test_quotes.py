"""Quotes: what something would cost, for a customer to accept."""

from __future__ import annotations

import pytest

from tests.payments.subscriptions.steps import DAY, clocked, current, ok, plan
from tests.support.api import Api


def test_an_accepted_quote_becomes_a_subscription(api: Api) -> None:
    _, who = clocked(api)
    quote = ok(api, "POST", "/v1/quotes", customer=who, line_items=[{"price": plan(api), "quantity": 2}])
    assert quote["computed"]["recurring"]["amount_total"] == 2000
    ok(api, "POST", f"/v1/quotes/{quote['id']}/finalize", "/v1/quotes/{quote}/finalize")
    accepted = ok(api, "POST", f"/v1/quotes/{quote['id']}/accept", "/v1/quotes/{quote}/accept")
    assert accepted["status"] == "accepted"
    assert current(api, accepted["subscription"])["quantity"] == 2


def test_a_quote_is_finalized_with_a_customer_and_lines(api: Api) -> None:
    _, who = clocked(api)
    lines = [{"price": plan(api)}]
    nobody = ok(api, "POST", "/v1/quotes", line_items=lines)["id"]
    nothing = ok(api, "POST", "/v1/quotes", customer=who)["id"]
    assert api.post(f"/v1/quotes/{nobody}/finalize").error["param"] == "customer"
    assert api.post(f"/v1/quotes/{nothing}/finalize").error["param"] == "line_items"
    ok(api, "POST", f"/v1/quotes/{nobody}", "/v1/quotes/{quote}", customer=who)
    assert api.ok("POST", f"/v1/quotes/{nobody}/finalize")["status"] == "open"


def test_a_quote_that_nobody_accepts_in_time_is_canceled(api: Api) -> None:
    who = api.ok("POST", "/v1/customers")["id"]
    quote = api.ok("POST", "/v1/quotes", customer=who, line_items=[{"price": plan(api)}], expires_at=api.now + DAY)
    path = f"/v1/quotes/{quote['id']}"
    api.ok("POST", f"{path}/finalize")
    api.advance(DAY - 1)
    assert api.get(path)["status"] == "open"
    api.advance(1)
    assert api.get(path)["status"] == "canceled"


@pytest.mark.parametrize("action", ["finalize", "accept", "cancel"])
def test_a_canceled_quote_stays_canceled(api: Api, action: str) -> None:
    quote = api.ok("POST", "/v1/quotes", line_items=[{"price": plan(api)}])
    path = f"/v1/quotes/{quote['id']}"
    api.ok("POST", f"{path}/cancel")
    refused = api.post(f"{path}/{action}")
    assert (refused.status, "because it is canceled" in refused.error["message"]) == (400, True)


def test_only_a_draft_is_changed_but_for_its_metadata(api: Api) -> None:
    _, who = clocked(api)
    path = f"/v1/quotes/{ok(api, 'POST', '/v1/quotes', customer=who, line_items=[{'price': plan(api)}])['id']}"
    assert api.post(f"{path}/accept").status == 400
    api.ok("POST", f"{path}/finalize")
    assert api.post(path, description="Changed").status == 400
    assert api.ok("POST", path, metadata={"a": "1"})["metadata"] == {"a": "1"}
