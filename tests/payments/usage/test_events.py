"""Meter events are summed up by customer, from the first second of a time to the last."""

from __future__ import annotations

import pytest

from tests.support.api import NOW, Api

START = NOW - 3_600


def summed(api: Api, formula: str, *values: str) -> float:
    """What a meter with that formula makes of values that come a minute apart from START on."""
    customer = api.ok("POST", "/v1/customers")["id"]
    given = {"display_name": "Calls", "event_name": f"calls_{formula}", "default_aggregation": {"formula": formula}}
    meter = api.ok("POST", "/v1/billing/meters", **given)
    for place, value in enumerate(values):
        payload = {"stripe_customer_id": customer, "value": value}
        sent = {"event_name": meter["event_name"], "timestamp": START + 60 * place, "payload": payload}
        api.ok("POST", "/v1/billing/meter_events", **sent)
    times = {"start_time": START, "end_time": START + 120}
    found = api.get(f"/v1/billing/meters/{meter['id']}/event_summaries", customer=customer, **times)["data"]
    return float(found[0]["aggregated_value"]) if found else 0.0


@pytest.mark.parametrize(("formula", "value"), [("sum", 3.5), ("count", 2.0), ("last", 2.5)])
def test_a_formula_counts_what_lies_within_the_time_and_not_the_second_at_its_end(
    api: Api, formula: str, value: float
) -> None:
    assert summed(api, formula, "1", "2.5", "40") == value


def test_nothing_sent_is_nothing_used(api: Api) -> None:
    assert summed(api, "last") == 0


def test_a_canceled_event_does_not_count(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    meter = api.ok(
        "POST", "/v1/billing/meters", display_name="Calls", event_name="calls", default_aggregation={"formula": "sum"}
    )
    for identifier in ("a", "b"):
        payload = {"stripe_customer_id": customer, "value": "5"}
        sent = {"event_name": "calls", "identifier": identifier, "timestamp": START, "payload": payload}
        api.ok("POST", "/v1/billing/meter_events", **sent)
    cancel = {"event_name": "calls", "type": "cancel", "cancel": {"identifier": "a"}}
    api.ok("POST", "/v1/billing/meter_event_adjustments", **cancel)
    times = {"start_time": START, "end_time": START + 60}
    found = api.get(f"/v1/billing/meters/{meter['id']}/event_summaries", customer=customer, **times)["data"]
    assert found[0]["aggregated_value"] == 5
