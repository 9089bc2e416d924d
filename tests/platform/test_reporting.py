"""Report runs: what their parameters select, and which a report does not have."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from tests.support.api import NOW, Api

RUNS = "/v1/reporting/report_runs"
ITEMIZED = "balance_change_from_activity.itemized.1"


def report(api: Api, kind: str, **parameters: Any) -> list[dict[str, str]]:
    """The rows of a report."""
    run = api.ok("POST", RUNS, report_type=kind, parameters=parameters)["id"]
    api.advance(10)
    file = api.get(f"{RUNS}/{run}")["result"]["id"]
    text = api.send("GET", f"/v1/files/{file}/contents").body.decode()
    return list(csv.DictReader(text.splitlines()))


def test_a_time_zone_is_that_of_the_columns_that_are_not_in_utc(api: Api) -> None:
    api.ok("POST", "/v1/charges", amount=1000, currency="usd", source="tok_visa")
    (row,) = report(api, ITEMIZED, interval_start=NOW - 10, interval_end=NOW + 10, timezone="Asia/Tokyo")
    assert (row["created_utc"], row["created"]) == ("2026-01-01 00:00:00", "2026-01-01 09:00:00")
    (plain,) = report(api, ITEMIZED, interval_start=NOW - 10, interval_end=NOW + 10)
    assert plain["created"] == plain["created_utc"]


def test_a_category_selects_the_rows_of_an_itemized_report(api: Api) -> None:
    charge = api.ok("POST", "/v1/charges", amount=1000, currency="usd", source="tok_visa")["id"]
    api.ok("POST", "/v1/refunds", charge=charge)
    api.advance(10)
    within = {"interval_start": NOW - 10, "interval_end": NOW + 100}
    rows = report(api, ITEMIZED, reporting_category="refund", **within)
    assert [row["reporting_category"] for row in rows] == ["refund"]
    assert len(report(api, ITEMIZED, **within)) == 2


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (ITEMIZED, "payout", "po_1"),
        (ITEMIZED, "connected_account", "acct_1"),
        ("balance.summary.1", "reporting_category", "charge"),
    ],
)
def test_a_parameter_that_a_report_does_not_have_is_refused_by_name(api: Api, kind: str, name: str, value: str) -> None:
    refused = api.post(RUNS, report_type=kind, parameters={name: value})
    assert (refused.status, refused.error["param"]) == (400, f"parameters[{name}]")
