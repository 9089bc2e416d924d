"""Meters count the events of their name while they are active; what cannot be counted is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import NOW, Api

DAY = 86_400


def meter(api: Api) -> str:
    made = {"display_name": "Calls", "event_name": "calls", "default_aggregation": {"formula": "sum"}}
    found: str = api.ok("POST", "/v1/billing/meters", **made)["id"]
    return found


def test_one_active_meter_counts_a_name(api: Api) -> None:
    first = meter(api)
    again = {"display_name": "More", "event_name": "calls", "default_aggregation": {"formula": "sum"}}
    refused = api.post("/v1/billing/meters", **again)
    assert (refused.error["param"], refused.error["code"]) == ("event_name", "resource_already_exists")
    api.ok("POST", f"/v1/billing/meters/{first}/deactivate")
    assert api.post("/v1/billing/meters", **again).status == 200


def test_a_meter_is_switched_off_once_and_refuses_events_until_it_is_on_again(api: Api) -> None:
    id, customer = meter(api), api.ok("POST", "/v1/customers")["id"]
    event = {"event_name": "calls", "payload": {"stripe_customer_id": customer, "value": "1"}}
    off = api.ok("POST", f"/v1/billing/meters/{id}/deactivate")
    assert (off["status"], off["status_transitions"]["deactivated_at"]) == ("inactive", api.now)
    assert api.post(f"/v1/billing/meters/{id}/deactivate").status == 400
    assert api.post("/v1/billing/meter_events", **event).error["param"] == "event_name"
    api.ok("POST", f"/v1/billing/meters/{id}/reactivate")
    assert api.post("/v1/billing/meter_events", **event).status == 200


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"payload": {"value": "1"}}, "payload[stripe_customer_id]"),
        ({"payload": {"stripe_customer_id": "cus_no", "value": "1"}}, "payload[stripe_customer_id]"),
        ({"payload": {"stripe_customer_id": "", "value": "1"}}, "payload[stripe_customer_id]"),
        ({"timestamp": NOW - 35 * DAY - 1}, "timestamp"),
        ({"timestamp": NOW + 301}, "timestamp"),
    ],
)
def test_an_event_that_cannot_be_counted_is_refused_by_its_parameter(
    api: Api, change: dict[str, Any], param: str
) -> None:
    meter(api)
    customer = api.ok("POST", "/v1/customers")["id"]
    event = {"event_name": "calls", "payload": {"stripe_customer_id": customer, "value": "1"}}
    refused = api.post("/v1/billing/meter_events", **{**event, **change})
    assert (refused.status, refused.error["param"]) == (400, param)
    for at in (NOW - 35 * DAY, NOW + 300):
        assert api.post("/v1/billing/meter_events", **event, timestamp=at).status == 200


def test_a_value_is_a_number(api: Api) -> None:
    meter(api)
    customer = api.ok("POST", "/v1/customers")["id"]
    sent = {"event_name": "calls", "payload": {"stripe_customer_id": customer, "value": "many"}}
    assert api.post("/v1/billing/meter_events", **sent).error["param"] == "payload[value]"


def test_summaries_by_the_hour_begin_with_the_hour_and_come_newest_first(api: Api) -> None:
    id, customer = meter(api), api.ok("POST", "/v1/customers")["id"]
    path = f"/v1/billing/meters/{id}/event_summaries"
    hours = {"customer": customer, "value_grouping_window": "hour"}
    assert api.get(path, start_time=NOW - 7_201, end_time=NOW, **hours).error["param"] == "start_time"
    found = api.get(path, start_time=NOW - 7_200, end_time=NOW, **hours)["data"]
    assert [one["start_time"] for one in found] == [NOW - 3_600, NOW - 7_200]
    assert api.get(path, start_time=NOW, end_time=NOW, customer=customer).error["param"] == "start_time"


def test_a_meter_that_counts_no_more_has_no_new_price(api: Api) -> None:
    meter = api.ok(
        "POST", "/v1/billing/meters", display_name="Calls", event_name="calls", default_aggregation={"formula": "sum"}
    )["id"]
    price = {
        "currency": "usd", "unit_amount": 5, "product_data": {"name": "Calls"},
        "recurring": {"interval": "month", "usage_type": "metered", "meter": meter},
    }  # fmt: skip
    assert api.post("/v1/prices", **price).status == 200
    api.ok("POST", f"/v1/billing/meters/{meter}/deactivate")
    refused = api.post("/v1/prices", **price)
    assert (refused.status, refused.error["param"]) == (400, "recurring[meter]")


def test_summaries_by_the_day_begin_and_end_with_the_day(api: Api) -> None:
    id, customer = meter(api), api.ok("POST", "/v1/customers")["id"]
    path = f"/v1/billing/meters/{id}/event_summaries"
    days = {"customer": customer, "value_grouping_window": "day"}
    assert NOW % DAY == 0
    assert api.get(path, start_time=NOW - 2 * DAY + 3_600, end_time=NOW, **days).error["param"] == "start_time"
    assert api.get(path, start_time=NOW - 2 * DAY, end_time=NOW - 3_600, **days).error["param"] == "end_time"
    found = api.get(path, start_time=NOW - 2 * DAY, end_time=NOW, **days)["data"]
    assert [one["start_time"] for one in found] == [NOW - DAY, NOW - 2 * DAY]


def test_a_customer_is_named_by_its_id_and_an_event_is_cancelled_by_itself(api: Api) -> None:
    made = {"display_name": "Calls", "event_name": "calls", "default_aggregation": {"formula": "sum"}}
    mapped = {"event_payload_key": "who", "type": "by_email"}
    refused = api.post("/v1/billing/meters", **made, customer_mapping=mapped)
    assert (refused.status, refused.error["param"]) == (400, "customer_mapping[type]")
    refused = api.post("/v1/billing/meter_event_adjustments", event_name="calls", type="cancel_period")
    assert (refused.status, refused.error["param"]) == (400, "type")
