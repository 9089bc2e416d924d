"""Which customers have passed the threshold of a billing alert, and the event that says so, once for each."""

from __future__ import annotations

from tests.payments.subscriptions.steps import calls_meter
from tests.payments.usage.steps import alert
from tests.support.api import Api

PATH = "/v1/billing/alerts"


def use(api: Api, customer: str, value: int) -> None:
    api.ok(
        "POST", "/v1/billing/meter_events", event_name="calls", payload={"stripe_customer_id": customer, "value": value}
    )
    api.advance(1)


def told(api: Api) -> list[tuple[str, str, float]]:
    events = [event["data"]["object"] for event in api.events("billing.alert.triggered")]
    return [(event["alert"]["id"], event["customer"], event["value"]) for event in events]


def test_an_alert_triggers_once_for_each_customer(api: Api) -> None:
    meter, first, second = (
        calls_meter(api),
        api.ok("POST", "/v1/customers")["id"],
        api.ok("POST", "/v1/customers")["id"],
    )
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
    meter, mine, other = calls_meter(api), api.ok("POST", "/v1/customers")["id"], api.ok("POST", "/v1/customers")["id"]
    id = alert(api, meter, 10, filters=[{"type": "customer", "customer": mine}])
    use(api, other, 50)
    use(api, mine, 10)
    assert told(api) == [(id, mine, 10.0)]


def test_a_deactivated_alert_is_silent_and_an_activated_one_tells_again(api: Api) -> None:
    meter, customer = calls_meter(api), api.ok("POST", "/v1/customers")["id"]
    id = alert(api, meter, 10)
    assert api.ok("POST", f"{PATH}/{id}/deactivate")["status"] == "inactive"
    use(api, customer, 10)
    assert told(api) == []
    assert api.ok("POST", f"{PATH}/{id}/activate")["status"] == "active"
    use(api, customer, 1)
    assert told(api) == [(id, customer, 11.0)]
    assert api.post(f"{PATH}/{id}/activate").status == 400
