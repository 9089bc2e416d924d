"""Events of the v2 API: the thin form of what happened, listed by object, type and time, page by page."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from tests.support.api import Answer, Api
from tollkey.platform import _thin

PATH = "/v2/core/events"


def follow(api: Api, url: str) -> Answer:
    path, _, query = url.partition("?")
    return api.send("GET", path, query=query)


def test_events_are_listed_by_object_and_type(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    api.ok("POST", f"/v1/customers/{customer}", name="Jenny")
    api.ok("POST", "/v1/customers")
    types = [one["type"] for one in api.get(PATH, object_id=customer)["data"]]
    assert types == ["v1.customer.updated", "v1.customer.created"]
    (one,) = api.get(PATH, object_id=customer, types=["v1.customer.created"])["data"]
    assert (one["object"], one["created"]) == ("v2.core.event", "2026-01-01T00:00:00.000Z")
    assert api.get(PATH, object_id=customer, types=["v1.product.created"])["data"] == []
    assert api.get(PATH, object_id="mtr_123")["data"] == []
    assert api.get(PATH, types=["v1.customer.created"] * 21).status == 400


def test_events_are_listed_by_time_and_for_thirty_days(api: Api) -> None:
    api.ok("POST", "/v1/customers")
    api.world.clock[0] += 60
    for bound, count in (("gt", 0), ("gte", 1), ("lt", 0), ("lte", 1)):
        found = api.get(PATH, created={bound: "2026-01-01T00:00:00Z"})
        assert len(found["data"]) == count, bound
    api.world.clock[0] += 30 * 86_400 - 60
    assert len(api.get(PATH)["data"]) == 1
    api.world.clock[0] += 1
    assert api.get(PATH)["data"] == []
    assert api.get(PATH, created={"gt": 0}).error["code"] == "invalid_fields"


def test_pages_lead_to_one_another_and_stay_while_events_come(api: Api) -> None:
    made = [api.ok("POST", "/v1/customers")["id"] for _ in range(5)]
    first = api.get(PATH, limit=2, types=["v1.customer.created"])
    assert first["previous_page_url"] is None
    api.ok("POST", "/v1/customers")
    second = follow(api, first["next_page_url"])
    third = follow(api, second["next_page_url"])
    assert third["next_page_url"] is None
    seen = [one["related_object"]["id"] for page in (first, second, third) for one in page["data"]]
    assert seen == made[::-1]
    assert "types[0]=v1.customer.created" in unquote(first["next_page_url"])
    assert follow(api, third["previous_page_url"])["data"] == second["data"]
    assert follow(api, second["previous_page_url"])["data"] == first["data"]


@pytest.mark.parametrize("token", ["x", "W10", "WzAsICJldnRfMSJd", "WzEsIDFd"])
def test_a_page_that_was_never_given_out_is_refused(api: Api, token: str) -> None:
    assert api.get(PATH, page=token).error["code"] == "invalid_fields"


@pytest.mark.parametrize("id", ["evt_1", "evt_test_65nothing", "evt_65x"])
def test_an_unknown_event_is_not_found(api: Api, id: str) -> None:
    refused = api.get(f"{PATH}/{id}")
    assert (refused.status, refused.error["code"]) == (404, "not_found")


def test_an_event_is_of_its_mode_and_account(api: Api) -> None:
    api.ok("POST", "/v1/customers")
    (event,) = api.get(PATH)["data"]
    path = f"{PATH}/{event['id']}"
    assert api.get(path).status == 200
    assert api.get(path, key=api.live_sk).status == 404
    assert api.another().get(path).status == 404
    assert api.get(path, key=api.pk).status == 403
    assert api.get(path, key=api.restricted("event_read")).status == 200
    assert api.get(path, key=api.restricted("customer_read")).status == 403


def test_a_report_of_refused_meter_events_has_its_data(api: Api) -> None:
    token = api.ok("POST", "/v2/billing/meter_event_session")["authentication_token"]
    sent = {"event_name": "nothing", "payload": {"value": "1"}, "identifier": "a"}
    api.post("/v2/billing/meter_event_stream", key=token, events=[sent])
    (event,) = api.get(PATH, types=["v1.billing.meter.no_meter_found"])["data"]
    assert event["data"]["reason"]["error_types"][0]["code"] == "no_meter"
    assert (event["data"]["validation_end"], event["related_object"]) == ("2026-01-01T00:00:00.000Z", None)


def test_every_thin_type_but_v2_s_own_stands_for_a_snapshot_type() -> None:
    types = _thin.thin_types()
    assert {"v1.customer.created", "v1.billing.meter.error_report_triggered"} < types
    assert not [type for type in types - _thin.NATIVE if _thin.thin_type(_thin.snapshot_type(type)) != type]
    assert _thin.thin_type("file_link.created") is None


def test_an_event_of_what_an_account_has_once_names_it_without_an_id(api: Api) -> None:
    api.ok("POST", "/v1/tax/settings", defaults={"tax_behavior": "exclusive"})
    (event,) = [one for one in api.get("/v2/core/events")["data"] if one["type"] == "v1.tax.settings.updated"]
    assert event["related_object"] == {"type": "tax.settings", "url": "/v1/tax/settings"}
