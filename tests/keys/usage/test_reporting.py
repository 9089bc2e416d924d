from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.conftest import NOW
from tollkey.keys import KeyService
from tollkey.keys.usage import UsageQuery, UsageRow, as_csv, as_json

DAY = 86400


@pytest.fixture
def used(service: KeyService) -> KeyService:
    """Two accounts, whose keys were used on two days."""
    counter = service.verifier.usage
    for account in ("alice", "bob"):
        for livemode in (True, False):
            key, _ = service.create(account=account, livemode=livemode)
            counter.count(key, NOW, "GET /a")
            counter.count(key, NOW + DAY + 7200, "POST /b", cost=2)
    service.flush()
    return service


def test_without_a_dimension_a_report_is_one_total(used: KeyService) -> None:
    assert used.usage_report(()) == [UsageRow(8, 12)]
    assert used.usage_report((), account="nobody") == []


def test_a_report_is_narrowed_by_each_of_its_filters(used: KeyService) -> None:
    alices = used.usage_report(("key",), account="alice", livemode=True)
    assert [row.requests for row in alices] == [2]
    assert used.usage_report(("account", "mode"), key=alices[0].key) == [UsageRow(2, 3, account="alice", livemode=True)]
    assert used.usage_report(("route",), route="POST /b") == [UsageRow(4, 8, route="POST /b")]
    assert used.usage_report((), outcome="revoked") == []


def test_a_report_counts_from_since_to_before_until(used: KeyService) -> None:
    second = datetime.fromtimestamp(NOW + DAY, UTC)
    assert [row.at for row in used.usage_report(("day",), since=second)] == [NOW + DAY]
    assert [row.at for row in used.usage_report(("day",), until=second)] == [NOW]
    assert [row.at for row in used.usage_report(("day",), since=NOW + 5)] == [NOW, NOW + DAY]
    assert used.usage_report((), since=NOW + DAY + 3600, until=NOW + DAY + 7200) == []
    assert used.usage_report((), since=NOW + DAY + 7200) == [UsageRow(4, 8)]


def test_rows_are_ordered_by_time_and_can_be_read_in_pages(used: KeyService) -> None:
    rows = used.usage_report(("account", "day"))
    assert [(row.at, row.account) for row in rows] == [
        (NOW, "alice"), (NOW, "bob"), (NOW + DAY, "alice"), (NOW + DAY, "bob"),
    ]  # fmt: skip
    assert used.usage_report(("account", "day"), limit=3) == rows[:3]
    assert used.usage_report(("account", "day"), limit=3, offset=3) == rows[3:]


@pytest.mark.parametrize(
    "wrong",
    [
        {"by": ("keys",)}, {"by": ("key", "key")}, {"by": ("hour", "day")}, {"limit": 0}, {"offset": -1},
        {"since": -1}, {"since": datetime(2026, 1, 1)},
    ],
)  # fmt: skip
def test_a_report_that_makes_no_sense_is_refused(used: KeyService, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        used.usage_report(**wrong)


def test_json_and_csv_show_the_dimensions_and_their_numbers() -> None:
    by = ("account", "mode", "day")
    rows = [
        UsageRow(2, 3, account="alice", livemode=True, at=NOW),
        UsageRow(1, 1, account="=1+1", livemode=False, at=0),
    ]
    assert as_json(rows[0], by) == {"account": "alice", "mode": "live", "day": NOW, "requests": 2, "cost": 3}
    assert as_csv(rows, by).splitlines() == [
        "account,mode,day,requests,cost",
        "alice,live,2026-01-01,2,3",
        "'=1+1,test,1970-01-01,1,1",  # no spreadsheet reads it as a formula
    ]
    assert as_csv([UsageRow(1, 1, at=NOW)], ("hour",)).splitlines()[1] == "2026-01-01T00:00:00Z,1,1"


def test_a_query_chooses_the_longest_rows_that_fit() -> None:
    assert UsageQuery((), since=NOW).step == DAY
    assert UsageQuery((), since=NOW + 3600).step == 3600
    assert UsageQuery(("minute",)).step == 60
