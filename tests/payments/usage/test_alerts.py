"""Billing alerts: an event when a customer's usage of a meter reaches a number, once for each customer."""

from __future__ import annotations

from tests.payments.subscriptions.steps import calls_meter
from tests.payments.usage.steps import alert
from tests.support.api import Api
from tests.support.openapi import assert_valid

PATH = "/v1/billing/alerts"


def test_an_archived_alert_is_gone_from_lists_and_reads(api: Api) -> None:
    meter = calls_meter(api)
    id, other = alert(api, meter), alert(api, meter)
    assert api.ok("POST", f"{PATH}/{id}/archive")["status"] == "archived"
    listed = api.ok("GET", PATH, meter=meter)
    assert_valid("GET", PATH, 200, listed)
    assert [one["id"] for one in listed["data"]] == [other]
    assert api.get(f"{PATH}/{id}").status == 404
    assert api.ok("GET", f"{PATH}/{other}", expand=["usage_threshold.meter"])["usage_threshold"]["meter"]["id"] == meter


def test_a_wrong_threshold_is_refused_by_its_parameter(api: Api) -> None:
    meter = calls_meter(api)
    for wrong, param in (
        ({"meter": "mtr_none", "gte": 1}, "usage_threshold[meter]"),
        ({"meter": meter, "gte": 0}, "usage_threshold[gte]"),
        ({"meter": meter, "gte": -1}, "usage_threshold[gte]"),
        ({"meter": meter, "gte": 1, "filters": [{"type": "customer"}]}, "usage_threshold[filters][0][customer]"),
        (
            {"meter": meter, "gte": 1, "filters": [{"type": "customer", "customer": "x"}] * 2},
            "usage_threshold[filters]",
        ),
    ):
        refused = api.post(
            PATH, alert_type="usage_threshold", title="x", usage_threshold={"recurrence": "one_time", **wrong}
        )
        assert (refused.status, refused.error["param"]) == (400, param)
