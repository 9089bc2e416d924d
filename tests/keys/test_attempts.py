"""What is refused is counted, in bounded space."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Clock
from tests.support.altered import altered
from tollkey.db import Database, Tx, migrate
from tollkey.keys import Denied, KeyService, Reason
from tollkey.keys.attempts import Attempts, RefusedAttempt, refused_attempts
from tollkey.keys.schema import MIGRATIONS

HOUR = 3600


@pytest.fixture
def flush(database: Database) -> Callable[[Attempts], list[RefusedAttempt]]:
    migrate(database, MIGRATIONS)

    def go(counts: Attempts) -> list[RefusedAttempt]:
        database.write(counts.flush)
        return database.read(lambda tx: refused_attempts(tx, 10_000))

    return go


def test_refused_keys_are_counted_by_address_and_reason(service: KeyService, clock: Clock) -> None:
    key, text = service.create(ip_allowlist=["192.0.2.0/24"])
    for _ in range(3):
        service.verify(altered(text), ip="198.51.100.1")
    service.verify(text, ip="198.51.100.1")
    service.verify(text, ip="192.0.2.1")
    service.revoke(key)
    clock.advance(5)
    service.verify(text, ip="192.0.2.1")
    service.verify(None, ip="192.0.2.1")
    service.flush()
    since = clock.now - clock.now % HOUR
    assert set(service.refusals()) == {
        RefusedAttempt(since, "key", "unknown", "198.51.100.1", "", 3, clock.now - 5),
        RefusedAttempt(since, "key", "ip_not_allowed", "198.51.100.1", key.id, 1, clock.now - 5),
        RefusedAttempt(since, "key", "revoked", "192.0.2.1", key.id, 1, clock.now),
    }


def test_nothing_of_what_was_presented_is_kept(service: KeyService) -> None:
    _, text = service.create()
    service.verify(altered(text), ip=f"198.51.100.1 {text}\0")
    service.flush()
    assert text[10:] not in repr(service.refusals())
    assert service.refusals()[0].attempts == 1


def test_another_accounts_key_counts_as_unknown(service: KeyService) -> None:
    _, bobs = service.create(account="bob")
    service.verify(bobs, account="alice", ip="::1")
    service.flush()
    assert [(a.reason, a.subject, a.address) for a in service.refusals()] == [("unknown", "", "::/64")]


def test_the_same_interval_adds_up_over_flushes_and_another_begins_anew(
    flush: Callable[[Attempts], list[RefusedAttempt]],
) -> None:
    counts = Attempts(HOUR)
    for now in (0, 10, HOUR + 1):
        counts.count("key", "unknown", "192.0.2.1", now)
        found = flush(counts)
        assert not counts.unwritten
    assert [(a.since, a.attempts, a.last_at) for a in found] == [(HOUR, 1, HOUR + 1), (0, 2, 10)]


def test_what_is_old_is_forgotten(flush: Callable[[Attempts], list[RefusedAttempt]]) -> None:
    counts = Attempts(HOUR, days=1)
    for now in (0, HOUR, 24 * HOUR + 1, 25 * HOUR):
        counts.count("key", "unknown", "192.0.2.1", now)
        found = flush(counts)
    assert [a.since for a in found] == [25 * HOUR, 24 * HOUR, HOUR]


def test_an_attacker_with_many_addresses_fills_nothing(flush: Callable[[Attempts], list[RefusedAttempt]]) -> None:
    counts = Attempts(HOUR, most=20)
    for index in range(5000):
        counts.count("key", "unknown", f"10.0.{index // 250}.{index % 250}", 1, f"mk_{index}")
        if index % 100 == 0:
            flush(counts)
    found = flush(counts)
    assert len(found) == 21
    assert (found[0].address, found[0].subject, found[0].attempts) == ("others", "", 4980)


def test_counts_that_cannot_be_written_stay_bounded_in_memory() -> None:
    counts = Attempts(1, most=10)
    for second in range(10_000):
        counts.count("key", "unknown", "192.0.2.1", second)
    assert len(counts._counts) <= 50


def test_an_ipv6_address_counts_as_its_network(flush: Callable[[Attempts], list[RefusedAttempt]]) -> None:
    counts = Attempts(HOUR)
    for address in ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "::ffff:192.0.2.1", "192.0.2.1", "not:an:address", None):
        counts.count("key", "unknown", address, 1)
    assert {a.address: a.attempts for a in flush(counts)} == {
        "2001:db8:1:2::/64": 2, "192.0.2.1": 2, "not:an:address": 1, "unknown": 1,
    }  # fmt: skip


def test_what_is_undone_is_counted_again(database: Database, flush: Callable[[Attempts], list[RefusedAttempt]]) -> None:
    counts = Attempts(HOUR)
    counts.count("key", "unknown", "192.0.2.1", 1)

    def work(tx: Tx) -> None:
        counts.flush(tx)
        raise RuntimeError("the disk")

    with pytest.raises(RuntimeError):
        database.write(work)
    assert [a.attempts for a in flush(counts)] == [1]


@pytest.mark.parametrize("text", ["x" * 600, b"x" * 600, "sk_live_" + "0" * 600])
def test_a_text_that_is_longer_than_any_key_is_an_attempt_too(tmp_path: Path, text: str | bytes) -> None:
    with KeyService.open(str(tmp_path / "keys.db"), flush_seconds=0) as service:
        service.verify(text, ip="192.0.2.1")
        service.verify_cached(text, "192.0.2.1")
        service.flush()
        assert [(a.reason, a.address, a.attempts) for a in service.refusals()] == [("unknown", "192.0.2.1", 2)]


@pytest.mark.parametrize("reason", [Reason.missing, Reason.unavailable])
def test_no_key_and_a_database_that_is_away_are_no_attempts(reason: Reason) -> None:
    counts = Attempts(HOUR)
    counts.count_denied(Denied(reason), "192.0.2.1", 1)
    assert not counts.unwritten


def test_it_can_be_turned_off(tmp_path: Path) -> None:
    with KeyService.open(str(tmp_path / "keys.db"), attempts=Attempts(0), flush_seconds=0) as service:
        service.verify("sk_live_nothing")
        service.flush()
        assert service.refusals() == []


def test_a_forked_child_counts_only_what_it_refuses_itself(flush: Callable[[Attempts], list[RefusedAttempt]]) -> None:
    counts = Attempts(HOUR)
    counts.count("key", "unknown", "192.0.2.1", 1)
    counts.after_fork_in_child()
    counts.count("key", "unknown", "192.0.2.1", 2)
    assert [one.attempts for one in flush(counts)] == [1]
