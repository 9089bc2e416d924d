"""Test clocks: a time of their own for up to three customers and everything that is theirs. Test mode only."""

from __future__ import annotations

from tests.payments.subscriptions.steps import DAY, clocked, plan, subscribe
from tests.support.api import NOW, Api


def test_a_clock_that_advances_lets_nothing_of_it_be_changed(api: Api) -> None:
    clock, who = clocked(api)
    price = plan(api)
    api.ok("post", f"/v1/test_helpers/test_clocks/{clock}/advance", frozen_time=NOW + DAY)
    refused = api.post("/v1/subscriptions", customer=who, items=[{"price": price}])
    assert refused.status == 429
    assert refused.error["message"].startswith("Test clock advancement underway")
    api.advance(1)
    subscribe(api, who, price)
