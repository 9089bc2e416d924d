"""When events are sent."""

from __future__ import annotations

from tests.support.api import Api


def test_events_of_a_test_clock_are_sent_when_they_happen_not_at_the_clock_s_time(api: Api) -> None:
    api.ok("POST", "/v1/webhook_endpoints", url="http://127.0.0.1:1/hook", enabled_events=["*"])
    clock = api.ok("POST", "/v1/test_helpers/test_clocks", frozen_time=api.now + 400 * 86_400)["id"]
    customer = api.ok("POST", "/v1/customers", test_clock=clock)["id"]
    assert api.ok("POST", "/v1/invoices", customer=customer)["created"] > api.now
    due = "SELECT DISTINCT created, next_attempt_at FROM outbox_deliveries WHERE account = ?"
    assert api.core.database.read(lambda tx: tx.execute(due, (api.account,))) == [(api.now, api.now)]
