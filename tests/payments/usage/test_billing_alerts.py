"""A billing alert tells, once for each customer, that usage has reached a number."""

from __future__ import annotations

from tests.support.api import Api
from tests.support.openapi import assert_valid

PATH = "/v1/billing/alerts"


def metered(api: Api) -> str:
    found: str = api.ok(
        "POST", "/v1/billing/meters", display_name="Calls", event_name="calls", default_aggregation={"formula": "sum"}
    )["id"]
    return found


def alert(api: Api, meter: str, gte: int = 100, **more: object) -> str:
    threshold = {"gte": gte, "meter": meter, "recurrence": "one_time", **more}
    made = api.ok("POST", PATH, alert_type="usage_threshold", title="Much", usage_threshold=threshold)
    assert_valid("POST", PATH, 200, made, strict=True)
    found: str = made["id"]
    return found


def use(api: Api, customer: str, value: int) -> None:
    api.ok(
        "POST", "/v1/billing/meter_events", event_name="calls", payload={"stripe_customer_id": customer, "value": value}
    )
    api.advance(1)


def told(api: Api) -> list[tuple[str, str, float]]:
    events = [event["data"]["object"] for event in api.events("billing.alert.triggered")]
    return [(event["alert"]["id"], event["customer"], event["value"]) for event in events]


def test_an_alert_triggers_once_for_each_customer(api: Api) -> None:
    meter, first, second = metered(api), api.ok("POST", "/v1/customers")["id"], api.ok("POST", "/v1/customers")["id"]
    use(api, first, 99)
    id = alert(api, meter)
    use(api, first, 60)
    assert told(api) == []  # what was used before counts for nothing
    use(api, first, 60)
    use(api, first, 60)
    use(api, second, 100)
    assert told(api) == [(id, first, 120.0), (id, second, 100.0)]
    (event, _) = api.events("billing.alert.triggered")
    assert event["data"]["object"]["alert"]["usage_threshold"]["meter"] == meter


def test_an_alert_of_one_customer_leaves_others_alone(api: Api) -> None:
    meter, mine, other = metered(api), api.ok("POST", "/v1/customers")["id"], api.ok("POST", "/v1/customers")["id"]
    id = alert(api, meter, 10, filters=[{"type": "customer", "customer": mine}])
    use(api, other, 50)
    use(api, mine, 10)
    assert told(api) == [(id, mine, 10.0)]


def test_a_deactivated_alert_is_silent_and_an_activated_one_tells_again(api: Api) -> None:
    meter, customer = metered(api), api.ok("POST", "/v1/customers")["id"]
    id = alert(api, meter, 10)
    assert api.ok("POST", f"{PATH}/{id}/deactivate")["status"] == "inactive"
    use(api, customer, 10)
    assert told(api) == []
    assert api.ok("POST", f"{PATH}/{id}/activate")["status"] == "active"
    use(api, customer, 1)
    assert told(api) == [(id, customer, 11.0)]
    assert api.post(f"{PATH}/{id}/activate").status == 400


def test_an_archived_alert_is_gone_from_lists_and_reads(api: Api) -> None:
    meter = metered(api)
    id, other = alert(api, meter), alert(api, meter)
    assert api.ok("POST", f"{PATH}/{id}/archive")["status"] == "archived"
    listed = api.ok("GET", PATH, meter=meter)
    assert_valid("GET", PATH, 200, listed)
    assert [one["id"] for one in listed["data"]] == [other]
    assert api.get(f"{PATH}/{id}").status == 404
    assert api.ok("GET", f"{PATH}/{other}", expand=["usage_threshold.meter"])["usage_threshold"]["meter"]["id"] == meter


def test_a_wrong_threshold_is_refused_by_its_parameter(api: Api) -> None:
    meter = metered(api)
    for wrong, param in (
        ({"meter": "mtr_none", "gte": 1}, "usage_threshold[meter]"),
        ({"meter": meter, "gte": 0}, "usage_threshold[gte]"),
        ({"meter": meter, "gte": 1, "filters": [{"type": "customer"}]}, "usage_threshold[filters][0][customer]"),
    ):
        refused = api.post(
            PATH, alert_type="usage_threshold", title="x", usage_threshold={"recurrence": "one_time", **wrong}
        )
        assert (refused.status, refused.error["param"]) == (400, param)
