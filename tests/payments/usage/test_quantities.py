"""How much a metered subscription item was used in a period: from usage records, or from a billing meter's events."""

from __future__ import annotations

from tests.payments.subscriptions.steps import advance, clocked, metered_plan, ok, subscribe
from tests.support.api import Api


def test_a_meter_bills_what_its_events_add_up_to(api: Api) -> None:
    clock, who = clocked(api)
    price = metered_plan(api)
    sub = subscribe(api, who, price)
    for value, identifier in ((30, "a"), (12, "b")):
        ok(
            api,
            "POST",
            "/v1/billing/meter_events",
            event_name="calls",
            payload={"stripe_customer_id": who, "value": value},
            identifier=identifier,
        )
    again = api.post(
        "/v1/billing/meter_events", event_name="calls", payload={"stripe_customer_id": who, "value": 1}, identifier="a"
    )
    assert again.status == 400
    end = sub["items"]["data"][0]["current_period_end"]
    advance(api, clock, end + 10)
    assert api.get("/v1/invoices", subscription=sub["id"])["data"][0]["total"] == 42 * 5
