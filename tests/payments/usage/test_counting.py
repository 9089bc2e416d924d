"""When a meter event happens: in the time of its customer's test clock, whichever way it is sent."""

from __future__ import annotations

import pytest

from tests.support.api import Api

EVENTS = "/v2/billing/meter_events"
STREAM = "/v2/billing/meter_event_stream"


def test_an_event_of_a_customer_with_a_clock_happens_in_the_clock_s_time(api: Api) -> None:
    made = {"display_name": "Calls", "event_name": "calls", "default_aggregation": {"formula": "sum"}}
    meter = api.ok("POST", "/v1/billing/meters", **made)["id"]
    at = 1_772_323_200  # 2026-03-01, two months ahead
    clock = api.ok("POST", "/v1/test_helpers/test_clocks", frozen_time=at)["id"]
    customer = api.ok("POST", "/v1/customers", test_clock=clock)["id"]
    event = {"event_name": "calls", "payload": {"stripe_customer_id": customer, "value": "7"}}
    assert api.ok("POST", EVENTS, **event)["timestamp"] == "2026-03-01T00:00:00.000Z"
    assert api.ok("POST", "/v1/billing/meter_events", **event)["timestamp"] == at
    token = api.ok("POST", "/v2/billing/meter_event_session")["authentication_token"]
    assert api.post(STREAM, key=token, events=[event]).status == 200
    assert api.post(EVENTS, **event, timestamp="2026-01-01T00:00:00Z").error["code"] == "timestamp_too_far_in_past"
    times = {"start_time": at, "end_time": at + 3600}
    (found,) = api.get(f"/v1/billing/meters/{meter}/event_summaries", customer=customer, **times)["data"]
    assert found["aggregated_value"] == 21.0


@pytest.mark.parametrize(
    "value",
    ["1234567890123456", "1e15", "9" * 40, "0.1234567890123456", "1e-16", "-1e999", "1e99999999", "1e-99999999"],
)
def test_a_value_of_more_than_fifteen_digits_is_refused(api: Api, value: str) -> None:
    """It could not be billed, and the customer's renewal would fail for it."""
    api.ok("POST", "/v1/billing/meters", display_name="m", event_name="e", default_aggregation={"formula": "sum"})
    who = api.ok("POST", "/v1/customers")["id"]
    payload = {"stripe_customer_id": who, "value": value}
    refused = api.post("/v1/billing/meter_events", event_name="e", payload=payload)
    text = f"The value in the event payload can have at most 15 digits. Received {value}."
    assert refused.refusal == (400, None, "payload[value]", text)
    for good in ("999999999999999", "0.00000000000001", "1e14", "-5", "0"):
        assert api.post("/v1/billing/meter_events", event_name="e", payload={**payload, "value": good}).status == 200


@pytest.mark.parametrize("value", ["1_000", "\uff11\uff12", "\u0661", "1,5", "0x10", "five"])
def test_a_value_is_a_number_as_other_programs_write_it(api: Api, value: str) -> None:
    """Python reads some of these as numbers; a reporter that wrote them meant something else, or made a mistake."""
    api.ok("POST", "/v1/billing/meters", display_name="m", event_name="e", default_aggregation={"formula": "sum"})
    who = api.ok("POST", "/v1/customers")["id"]
    payload = {"stripe_customer_id": who, "value": value}
    refused = api.post("/v1/billing/meter_events", event_name="e", payload=payload)
    assert refused.refusal == (400, None, "payload[value]", "The payload's `value` must be a number.")
