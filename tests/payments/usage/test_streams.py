"""Meter events of the v2 API: each is checked at once, those of a stream later, and a report tells what was refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import NOW, Answer, Api

STREAM = "/v2/billing/meter_event_stream"
EVENTS = "/v2/billing/meter_events"
ADJUSTMENTS = "/v2/billing/meter_event_adjustments"


def metered(api: Api, formula: str = "sum") -> tuple[str, dict[str, Any]]:
    """A meter's id and an event that it counts."""
    made = {"display_name": "Calls", "event_name": "calls", "default_aggregation": {"formula": formula}}
    meter = api.ok("POST", "/v1/billing/meters", **made)["id"]
    customer = api.ok("POST", "/v1/customers")["id"]
    return meter, {"event_name": "calls", "payload": {"stripe_customer_id": customer, "value": "7"}}


def token(api: Api) -> str:
    text: str = api.ok("POST", "/v2/billing/meter_event_session")["authentication_token"]
    return text


def stream(api: Api, *events: dict[str, Any]) -> Answer:
    return api.post(STREAM, key=token(api), events=list(events))


def counted(api: Api, meter: str, customer: str) -> list[float]:
    at = api.now - api.now % 60
    times = {"start_time": at - 3600, "end_time": at + 3600}
    found = api.get(f"/v1/billing/meters/{meter}/event_summaries", customer=customer, **times)
    return [one["aggregated_value"] for one in found["data"]]


def test_a_stream_counts_the_events_that_are_valid(api: Api) -> None:
    meter, event = metered(api)
    assert (stream(api, event, {**event, "identifier": "a"}).status, counted_of(api, meter, event)) == (200, [14.0])


def counted_of(api: Api, meter: str, event: dict[str, Any]) -> list[float]:
    return counted(api, meter, event["payload"]["stripe_customer_id"])


def test_a_stream_counts_an_identifier_once(api: Api) -> None:
    meter, event = metered(api)
    again = {**event, "identifier": "one"}
    assert stream(api, again, again).status == 200
    assert stream(api, again).status == 200
    assert counted_of(api, meter, event) == [7.0]


def test_a_stream_counts_an_event_at_its_own_time(api: Api) -> None:
    meter, event = metered(api)
    assert stream(api, {**event, "timestamp": "2025-12-31T12:00:00Z"}).status == 200
    assert counted_of(api, meter, event) == []


def test_a_stream_takes_a_hundred_events_at_most(api: Api) -> None:
    _, event = metered(api)
    assert stream(api, *[event] * 100).status == 200
    refused = stream(api, *[event] * 101)
    assert (refused.status, refused.error["code"]) == (400, "invalid_fields")


@pytest.mark.parametrize("missing", ["event_name", "payload"])
def test_an_event_of_a_stream_needs_a_name_and_a_payload(api: Api, missing: str) -> None:
    _, event = metered(api)
    del event[missing]
    refused = stream(api, event)
    assert (refused.status, missing in refused.error["message"]) == (400, True)


PROBLEMS = {
    "no_meter": {"event_name": "nothing"},
    "meter_event_no_customer_defined": {"payload": {"value": "1"}},
    "meter_event_customer_not_found": {"payload": {"stripe_customer_id": "cus_no", "value": "1"}},
    "meter_event_invalid_value": {"payload": {"value": "many"}},
    "timestamp_too_far_in_past": {"timestamp": "2025-11-26T23:59:59Z"},
    "timestamp_in_future": {"timestamp": "2026-01-01T00:05:01Z"},
}


@pytest.mark.parametrize("reason", PROBLEMS)
def test_what_a_stream_refuses_is_told_in_a_report(api: Api, reason: str) -> None:
    meter, event = metered(api)
    change = PROBLEMS[reason]
    wrong = {**event, "identifier": "wrong", **change}
    if reason == "meter_event_invalid_value":
        wrong["payload"] = {**event["payload"], "value": "many"}
    assert stream(api, wrong, event).status == 200
    assert counted_of(api, meter, event) == [7.0]
    type = "v1.billing.meter.no_meter_found" if reason == "no_meter" else "v1.billing.meter.error_report_triggered"
    (report,) = api.events(type)
    (kind,) = report["data"]["object"]["reason"]["error_types"]
    assert (kind["code"], kind["error_count"]) == (reason, 1)
    assert kind["sample_errors"][0]["request"] == {"identifier": "wrong"}


def test_a_report_has_five_samples_of_a_reason(api: Api) -> None:
    _, event = metered(api)
    assert stream(api, *[{**event, "payload": {"value": "1"}}] * 7).status == 200
    (report,) = api.events("v1.billing.meter.error_report_triggered")
    reason = report["data"]["object"]["reason"]
    assert (reason["error_count"], len(reason["error_types"][0]["sample_errors"])) == (7, 5)


# -- one event


def test_an_event_is_counted_and_answered_with_its_time(api: Api) -> None:
    meter, event = metered(api)
    made = api.ok("POST", EVENTS, **event, identifier="one")
    times = ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z")
    assert (made["object"], made["created"], made["timestamp"]) == ("v2.billing.meter_event", *times)
    assert (made["identifier"], made["payload"]) == ("one", event["payload"])
    assert counted_of(api, meter, event) == [7.0]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"event_name": "nothing"}, "no_meter"),
        ({"payload": {"value": "1"}}, "payload_no_customer_defined"),
        ({"payload": {"stripe_customer_id": "cus_1"}}, "payload_no_value_defined"),
        ({"payload": {"stripe_customer_id": "cus_1", "value": "many"}}, "payload_invalid_value"),
        ({"payload": {"stripe_customer_id": "cus_1", "value": "Infinity"}}, "payload_invalid_value"),
        ({"timestamp": "2025-11-26T23:59:59Z"}, "timestamp_too_far_in_past"),
        ({"timestamp": "2026-01-01T00:05:01Z"}, "timestamp_in_future"),
        ({"timestamp": NOW}, "invalid_fields"),
        ({"timestamp": "yesterday"}, "invalid_fields"),
    ],
)
def test_an_event_that_no_meter_can_read_is_refused(api: Api, change: dict[str, Any], code: str) -> None:
    meter, event = metered(api)
    refused = api.post(EVENTS, **{**event, **change})
    assert (refused.status, refused.error["code"]) == (400, code)
    assert counted_of(api, meter, event) == []


@pytest.mark.parametrize("at", ["2025-11-27T00:00:00Z", "2026-01-01T00:05:00Z", "2025-12-31T19:00:00.5-05:00"])
def test_an_event_may_be_35_days_old_or_5_minutes_early(api: Api, at: str) -> None:
    _, event = metered(api)
    api.ok("POST", EVENTS, **event, timestamp=at)


def test_a_meter_that_counts_events_needs_no_value(api: Api) -> None:
    meter, event = metered(api, "count")
    del event["payload"]["value"]
    api.ok("POST", EVENTS, **event)
    assert counted_of(api, meter, event) == [1.0]


def test_an_event_of_a_deactivated_meter_is_refused(api: Api) -> None:
    meter, event = metered(api)
    api.ok("POST", f"/v1/billing/meters/{meter}/deactivate")
    assert api.post(EVENTS, **event).error["code"] == "archived_meter"


def test_an_identifier_is_used_once(api: Api) -> None:
    _, event = metered(api)
    api.ok("POST", EVENTS, **event, identifier="one")
    assert api.post(EVENTS, **event, identifier="one").error["code"] == "duplicate_meter_event"


def test_an_unknown_customer_is_told_in_a_report(api: Api) -> None:
    _, event = metered(api)
    api.ok("POST", EVENTS, **{**event, "payload": {"stripe_customer_id": "cus_no", "value": "1"}})
    (report,) = api.events("v1.billing.meter.error_report_triggered")
    assert report["data"]["object"]["reason"]["error_types"][0]["code"] == "meter_event_customer_not_found"


# -- adjustments


def test_an_event_is_cancelled_by_its_identifier(api: Api) -> None:
    meter, event = metered(api)
    api.ok("POST", EVENTS, **event, identifier="one")
    made = api.ok("POST", ADJUSTMENTS, event_name="calls", type="cancel", cancel={"identifier": "one"})
    assert (made["object"], made["status"]) == ("v2.billing.meter_event_adjustment", "complete")
    assert counted_of(api, meter, event) == []


def test_an_event_that_is_not_there_cannot_be_cancelled(api: Api) -> None:
    metered(api)
    refused = api.post(ADJUSTMENTS, event_name="calls", type="cancel", cancel={"identifier": "none"})
    assert (refused.status, refused.error["code"]) == (400, "invalid_cancel_configuration")


def test_an_event_is_cancelled_within_a_day_of_its_receipt(api: Api) -> None:
    _, event = metered(api)
    cancel = {"event_name": "calls", "type": "cancel", "cancel": {"identifier": "one"}}
    api.ok("POST", EVENTS, **event, identifier="one", timestamp="2025-12-25T00:00:00Z")
    api.world.clock[0] += 86_401
    for path, code in ((ADJUSTMENTS, "invalid_cancel_configuration"), ("/v1/billing/meter_event_adjustments", None)):
        refused = api.post(path, **cancel)
        assert (refused.status, refused.error.get("code")) == (400, code)
    api.world.clock[0] -= 1
    assert api.post(ADJUSTMENTS, **cancel).status == 200
