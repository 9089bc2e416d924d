"""Writing what was counted, without holding other writes up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tollkey.db import SQLite, StorageError, Tx
from tollkey.db.engine import OutcomeUnknown
from tollkey.keys import KeyService, Permission
from tollkey.keys.config import Config, Limit, Rate
from tollkey.keys.flushing import Batch, Flusher
from tollkey.keys.usage import SLOTS_AT_ONCE
from tollkey.keys.verifier import FLUSH_MOST


def test_a_flush_of_many_keys_waits_for_the_disk_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with KeyService.open(str(tmp_path / "keys.db"), flush_seconds=0) as service:
        assert isinstance(service.database, SQLite)
        key, _ = service.create()
        used = [replace(key, id=f"mk_{number:04}") for number in range(2 * FLUSH_MOST)]
        for one in used:
            service.verifier.record_use(one, 1, "192.0.2.1", "GET /", route="GET /")
        waited: list[int] = []
        monkeypatch.setattr(service.database, "fsync", waited.append)
        assert service.flush() == len(used)
        assert len(waited) == 1
        assert service.flush() == 0
        assert len(waited) == 1, "nothing was counted since"
        (stored,) = service.database.read(lambda tx: tx.execute("SELECT count(*), sum(uses) FROM key_usage"))
        assert stored == (len(used), len(used))


def test_a_flush_writes_all_addresses_of_a_few_keys(tmp_path: Path) -> None:
    with KeyService.open(str(tmp_path / "keys.db"), flush_seconds=0) as service:
        keys = [service.create().key for _ in range(2)]
        for number in range(FLUSH_MOST + 1):
            for key in keys:
                service.verifier.record_use(key, 1, f"192.0.{number // 256}.{number % 256}")
        assert service.flush() == len(keys)
        assert not service.verifier.addresses.unwritten
        (stored,) = service.database.read(lambda tx: tx.execute("SELECT count(*) FROM key_addresses"))
        assert stored == (2 * (FLUSH_MOST + 1),)


def test_last_uses_do_not_wait_for_counts_that_take_long(tmp_path: Path) -> None:
    with KeyService.open(str(tmp_path / "keys.db"), flush_seconds=0) as service:
        key, _ = service.create()
        verifier, seen = service.verifier, []
        for number in range(5 * SLOTS_AT_ONCE):
            verifier.usage.count(key, 1, f"GET /{number}")

        def a_second_later() -> float:
            stored = service.usage(key) is not None and not verifier.unwritten
            seen.append((stored, verifier.usage.unwritten))
            if len(seen) == 4:  # while counts are written
                verifier.record_use(key, 1)
            return float(len(seen))

        flusher = Flusher(service.database, verifier, service.attempts, 0, monotonic=a_second_later)
        flusher.flush()
        assert (True, True) in seen, "the use is stored while counts are left"
        assert not verifier.usage.unwritten


def test_a_batch_that_took_long_makes_the_next_ones_smaller_and_quick_ones_larger_again() -> None:
    batch, sizes = Batch(40), []
    for seconds in (0.001, 0.01, 0.01, 0.01, 0.01, 0.004, 0.001, 0.001, 0.001, 0.001):
        batch.took(seconds)
        sizes.append(batch.size)
    assert sizes == [40, 20, 10, 5, 5, 5, 10, 20, 40, 40]


def test_a_part_that_cannot_be_written_keeps_no_other_in_memory(tmp_path: Path) -> None:
    with KeyService.open(str(tmp_path / "keys.db"), flush_seconds=0) as service:
        made = service.create()
        refusal = "CREATE TRIGGER refused BEFORE INSERT ON key_usage BEGIN SELECT RAISE(ABORT, 'damaged'); END"
        service.database.write(lambda tx: tx.execute(refusal))
        assert service.verify(made.secret, ip="192.0.2.1")
        with pytest.raises(StorageError, match="damaged"):
            service.flush()
        assert not service.verifier.usage.unwritten
        assert not service.verifier.addresses.unwritten
        service.database.write(lambda tx: tx.execute("DROP TRIGGER refused"))
        assert service.flush() == 1
        assert service.usages()[made.key.id].uses == 1


@pytest.mark.parametrize("what", ["last uses", "counts", "refused attempts", "limits"])
def test_what_may_have_been_written_is_not_written_twice(postgres_url: str, tmp_path: Path, what: str) -> None:
    """The session ends at the commit: rather a batch that is lost than one that a customer pays twice."""
    limits = (Limit("much", Rate(1e6), burst=10**6),)
    config = Config(permissions=(Permission("report", "Reports"),), limits=limits)
    ring = str(tmp_path / "keyring")
    with KeyService.open(postgres_url, config=config, keyring=ring, flush_seconds=0) as service:
        text = service.create(permissions=["report_read"]).secret
        assert service.check(text, "report_read", ip="192.0.2.1")
        service.check(text[:-1], ip="192.0.2.1")
        service.attempts.count("key", "unknown", "192.0.2.1", 1)
        service.verifier.count_noted()
        limiter = service._flusher._limiter
        assert limiter is not None
        writes: dict[str, Callable[[Tx], object]] = {
            "last uses": service.verifier.flush,
            "counts": service.verifier.usage.flush,
            "refused attempts": service.attempts.flush,
            "limits": lambda tx: limiter.exchange(tx, 1.0),
        }
        waiting: dict[str, Callable[[], bool]] = {
            "last uses": lambda: bool(service.verifier._uses),
            "counts": lambda: service.verifier.usage.unwritten,
            "refused attempts": lambda: service.attempts.unwritten,
            "limits": lambda: limiter.unwritten,
        }
        assert waiting[what]()

        def write_and_lose_the_session(tx: Tx) -> None:
            writes[what](tx)
            [(pid,)] = tx.execute("SELECT pg_backend_pid()")
            with psycopg.connect(postgres_url, autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(%s, 2000)", (pid,))

        with pytest.raises(OutcomeUnknown):
            service.database.write(write_and_lose_the_session)
        assert not waiting[what]()
