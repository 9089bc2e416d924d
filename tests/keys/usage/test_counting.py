from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import NOW, Clock
from tollkey.db import Tx
from tollkey.keys import KeyService, Reason
from tollkey.keys.config import ConfigError
from tollkey.keys.usage import OTHER, SLOTS_AT_ONCE, UsageCounter, UsageRow


def test_requests_are_counted_by_route_outcome_minute_hour_and_day(service: KeyService, clock: Clock) -> None:
    key, _ = service.create(account="alice")
    counter = service.verifier.usage
    counter.count(key, NOW + 59, "GET /reports/*", cost=3)
    counter.count(key, NOW + 60, "GET /reports/*")
    counter.count(key, NOW + 3600, "GET /reports/*", Reason.rate_limited.value)
    service.flush()
    of = {"key": key.id, "route": "GET /reports/*"}
    assert service.usage_report(("key", "route", "day")) == [UsageRow(3, 5, at=NOW, **of)]
    assert service.usage_report(("hour", "outcome")) == [
        UsageRow(2, 4, at=NOW, outcome="accepted"),
        UsageRow(1, 1, at=NOW + 3600, outcome="rate_limited"),
    ]
    assert [(row.at, row.requests) for row in service.usage_report(("minute",))] == [
        (NOW, 1), (NOW + 60, 1), (NOW + 3600, 1),
    ]  # fmt: skip


def test_verifying_a_key_counts_it_accepted_or_refused(service: KeyService) -> None:
    key, text = service.create(account="alice")
    service.verify(text, endpoint="GET /reports/7")
    service.revoke(key)
    service.verify(text)
    service.flush()
    assert service.usage_report(("key", "outcome", "route")) == [
        UsageRow(1, 1, key=key.id, outcome="accepted", route=OTHER),
        UsageRow(1, 1, key=key.id, outcome="revoked", route=OTHER),
    ]


def test_two_nodes_add_to_each_other(service: KeyService) -> None:
    key, _ = service.create()
    nodes = [UsageCounter(), UsageCounter()]
    for node in nodes:
        for _ in range(3):
            node.count(key, NOW, "GET /")
        service.database.write(node.flush)
        service.database.write(node.flush)  # again: nothing is left to write
    assert [row.requests for row in service.usage_report(("day",))] == [6]


def test_what_a_rolled_back_write_did_not_keep_is_written_by_the_next(service: KeyService) -> None:
    key, _ = service.create()
    counter = service.verifier.usage
    counter.count(key, NOW, "GET /")

    def fails(tx: Tx) -> None:
        counter.flush(tx)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        service.database.write(fails)
    assert counter.unwritten
    counter.count(key, NOW, "GET /")
    service.flush()
    assert not counter.unwritten
    assert [row.requests for row in service.usage_report(("minute",))] == [2]


def test_minutes_are_deleted_by_retention_and_roll_ups_stay(service: KeyService) -> None:
    key, _ = service.create()
    counter = UsageCounter(raw_days=1)
    for day in (0, 2):
        counter.count(key, NOW + day * 86400, "GET /")
        service.database.write(counter.flush)
    assert [row.at for row in service.usage_report(("minute",))] == [NOW + 2 * 86400]
    assert [row.at for row in service.usage_report(("hour",))] == [NOW, NOW + 2 * 86400]


def test_too_many_routes_are_counted_as_other_and_secrets_in_them_are_masked(service: KeyService) -> None:
    key, text = service.create()
    counter = UsageCounter(most_routes=2)
    for route in (f"GET /{text}", "GET /b", "GET /c", "GET /d", "GET /b"):
        counter.count(key, NOW, route)
    service.database.write(counter.flush)
    found = {row.route: row.requests for row in service.usage_report(("route",))}
    assert found["GET /b"] == 2
    assert found[OTHER] == 2
    assert len(found) == 3
    assert not any(text in str(route) for route in found)


def test_memory_is_bounded_while_the_database_is_away(service: KeyService, caplog: pytest.LogCaptureFixture) -> None:
    key, _ = service.create()
    counter = UsageCounter(most=2)
    for minute in range(60 * 10):
        counter.count(key, NOW + 60 * minute, "GET /")
    service.database.write(counter.flush)
    counted = sum(row.requests for row in service.usage_report(("day",)))
    assert counted == 6 * 60  # two minutes by themselves, then whole hours until eight slots are full
    assert f"{600 - counted} requests were not counted" in caplog.text


def test_a_flush_writes_in_batches(service: KeyService) -> None:
    key, _ = service.create()
    counter = service.verifier.usage
    for number in range(SLOTS_AT_ONCE + 1):
        counter.count(key, NOW + 60 * number, "GET /")
    assert service.database.write(counter.flush) == SLOTS_AT_ONCE
    assert service.database.write(counter.flush) == 1
    assert service.database.write(counter.flush) == 0


def test_the_configuration_says_how_long_minutes_are_kept(tmp_path: Path, clock: Clock) -> None:
    declared = tmp_path / "tollkey.toml"
    declared.write_text("[usage]\nraw_days = 1\n")
    with KeyService.open(str(tmp_path / "keys.db"), config=declared, clock=clock, flush_seconds=0) as keys:
        key = keys.create().key
        for day in (0, 2):
            keys.verifier.usage.count(key, NOW + day * 86400, "GET /")
            keys.flush()
        assert [row.at for row in keys.usage_report(("minute",))] == [NOW + 2 * 86400]
    declared.write_text("[usage]\nraw_days = -1\n")
    with pytest.raises(ConfigError, match="raw_days"):
        KeyService.open(str(tmp_path / "keys.db"), config=declared)


def test_a_negative_retention_is_refused() -> None:
    with pytest.raises(ValueError, match="raw_days"):
        UsageCounter(raw_days=-1)
