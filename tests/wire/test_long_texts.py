"""What stands in an index may be as long as the API says, on both databases: PostgreSQL bounds a row of an index."""

from __future__ import annotations

import pytest

from tests.support.api import Answer, Api
from tests.support.long_texts import long_text
from tests.support.recipes import CannotMake, Maker
from tollkey.wire import Endpoint, Resource
from tollkey.wire.params import Object, Text, Unset
from tollkey.wire.versions import LATEST

LONGEST = 5_000  # characters of most texts of the API


def _indexed_texts(resource: Resource, endpoint: Endpoint) -> list[str]:
    """The parameters of an endpoint that hold a text of that length or any, and are stored in an index."""
    schema = endpoint.schema_for(LATEST[:10])
    if endpoint.method != "POST" or not isinstance(schema, Object):
        return []
    found = []
    for name, node in schema.fields.items():
        inner = node.inner if isinstance(node, Unset) else node
        if isinstance(inner, Text) and (inner.longest or LONGEST) >= LONGEST and name in (*resource.indexed, "id"):
            found.append(name)
    return found


@pytest.fixture(params=["sqlite_world", "postgres_world"])
def api(request: pytest.FixtureRequest) -> Api:
    return Api(request.getfixturevalue(request.param))


def test_no_indexed_text_is_too_long_for_a_database(api: Api) -> None:
    maker, statuses = Maker(api), dict[tuple[str, str], int]()
    for resource in api.core.catalogue.resources:
        for endpoint in resource.endpoints:
            for name in _indexed_texts(resource, endpoint):
                try:
                    plan = maker.plan(endpoint, resource)
                except (CannotMake, KeyError):
                    continue
                text = long_text(LONGEST - 19)
                value = f"https://example.com{text}" if name == "url" else text
                sent = api.for_endpoint(endpoint).post(plan.path, **{**plan.params, name: value})
                statuses[endpoint.path, name] = sent.status
    assert {what: status for what, status in statuses.items() if status not in (200, 400, 404)} == {}
    for path in ("/v1/charges", "/v1/transfers"):
        assert statuses[path, "transfer_group"] == 200


def test_a_list_is_filtered_by_a_long_text(api: Api) -> None:
    group = long_text(LONGEST)
    sent = {"amount": 2000, "currency": "usd", "source": "tok_visa"}
    made = [api.ok("POST", "/v1/charges", **sent, transfer_group=one)["id"] for one in (group, group[:-1])]
    assert [one["id"] for one in api.get("/v1/charges", transfer_group=group)["data"]] == made[:1]


def test_an_id_that_is_too_long_for_an_index_is_refused_by_name(api: Api) -> None:
    def product(id: str) -> Answer:
        return api.post("/v1/products", name="Book", id=id)

    assert product(long_text(601)).refusal[2:] == (
        "id",
        f"Invalid string: {long_text(601)[:10]}...{long_text(601)[-10:]}; must be at most 600 characters",
    )
    assert product(long_text(600)).status == 200
    assert product(long_text(600)).refusal[1] == "resource_already_exists"


def test_a_meter_event_of_a_long_identifier_is_counted_once_and_cancelled(api: Api) -> None:
    name = Maker(api).make("billing.meter")["event_name"]
    customer, identifier = api.ok("POST", "/v1/customers")["id"], long_text(LONGEST)
    event = {"event_name": name, "identifier": identifier, "payload": {"stripe_customer_id": customer, "value": "1"}}
    assert api.post("/v2/billing/meter_events", **event)["identifier"] == identifier
    assert api.post("/v2/billing/meter_events", **event).error["code"] == "duplicate_meter_event"
    other = {**event, "identifier": identifier[:-1]}
    assert api.post("/v2/billing/meter_events", **other).status == 200
    cancelled = {"type": "cancel", "event_name": name, "cancel": {"identifier": identifier}}
    assert api.post("/v2/billing/meter_event_adjustments", **cancelled)["status"] == "complete"
