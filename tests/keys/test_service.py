from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.conftest import Clock
from tests.support.altered import altered
from tollkey.db import Ids, SQLite
from tollkey.keys import Denied, Key, KeyRefused, KeyService, Permission, Reason, generate, mask_unknown

PERMISSIONS = [Permission("report", "Reports")]


def reason(answer: Key | Denied) -> Reason:
    assert isinstance(answer, Denied)
    return answer.reason


def test_one_line_opens_a_key_authority_with_the_hosts_own_permissions(service: KeyService) -> None:
    key, text = service.create("Worker", permissions=["report_write"], account="alice")
    answer = service.verify(text, ip="192.0.2.1", endpoint="GET /reports")
    assert answer == key
    assert key.allows("report_read")
    assert service.get(key.id, account="alice") == key
    assert service.list(account="alice") == (key,)


def test_a_key_that_was_verified_before_needs_no_database(service: KeyService) -> None:
    key, text = service.create()
    assert service.verify_cached(text) is None
    service.verify(text)
    assert service.verify_cached(text) == key


def test_another_accounts_key_an_unknown_key_and_a_wrong_secret_read_the_same(service: KeyService) -> None:
    _, alices = service.create(account="alice")
    _, bobs = service.create(account="bob")
    expired, text = service.create(account="bob")
    service.revoke(expired)
    service.verify(bobs)
    for given in (bobs, text, altered(alices, -7)):
        assert service.verify(given, account="alice") == Denied(Reason.unknown, mask_unknown(given))
    assert isinstance(service.verify(alices, account="alice"), Key)


def test_refusing_them_takes_the_same_work(service: KeyService) -> None:
    """Counted in calls, so that it does not depend on the machine; ``bench/verify.py`` compares the times."""
    _, bobs = service.create(account="bob")
    ids = Ids.seeded(1)
    given = {"unknown": generate("restricted", True, "eve", ids), "wrong": generate("restricted", True, "alice", ids), "bob's": bobs}

    def calls(text: str) -> int:
        count = 0

        def hear(frame: object, event: str, argument: object) -> None:
            nonlocal count
            count += event in ("call", "c_call")

        sys.setprofile(hear)
        try:
            service.verify(text, account="alice")
        finally:
            sys.setprofile(None)
        return count

    for text in given.values():
        service.verify(text, account="alice")  # statements are prepared, Bob's key is in memory
    counted = {kind: calls(text) for kind, text in given.items()}
    assert max(counted.values()) <= 1.1 * min(counted.values()), counted


def test_the_verbs_of_a_key(service: KeyService) -> None:
    key, text = service.create("Old name", livemode=False, kind="secret")
    key = service.update(key, name="New name")
    assert service.reveal(key)[1] == text
    old, new, new_text = service.roll(key, 0)
    assert reason(service.verify(text)) is Reason.expired
    assert service.verify(new_text or "") == new
    service.revoke(new)
    assert reason(service.verify(new_text or "")) is Reason.revoked
    with pytest.raises(KeyRefused):
        service.revoke(old)
    assert [line.action for line in service.audit(livemode=False)] == ["revoked", "created", "rolled", "revealed", "updated", "created"]


def test_last_used_is_written_by_a_flush_and_at_the_end(database_url: str, tmp_path: Path, clock: Clock) -> None:
    arguments = {"keyring": str(tmp_path / "keyring"), "clock": clock, "flush_seconds": 0}
    with KeyService.open(database_url, PERMISSIONS, **arguments) as service:  # type: ignore[arg-type]
        key, text = service.create()
        service.verify(text, ip="192.0.2.1", endpoint="GET /reports")
    with KeyService.open(database_url, PERMISSIONS, **arguments) as service:  # type: ignore[arg-type]
        usage = service.usages()[key.id]
        assert (usage.last_used_at, usage.ip, usage.endpoint, usage.uses) == (clock.now, "192.0.2.1", "GET /reports", 1)
        assert service.verify(text) == key, "keys outlive the process"


def test_a_second_process_on_the_same_file_revokes_within_the_lease(tmp_path: Path) -> None:
    path = str(tmp_path / "keys.db")
    with KeyService.open(path, PERMISSIONS) as server, KeyService.open(path, PERMISSIONS) as tool:
        key, text = server.create()
        assert server.verify(text) == key
        tool.revoke(key)
        server.verifier.lease._until = 0.0  # the lease runs out
        assert reason(server.verify(text)) is Reason.revoked


def test_a_database_that_fails_gives_unavailable_and_no_exception(tmp_path: Path) -> None:
    service = KeyService.open(str(tmp_path / "keys.db"), PERMISSIONS, flush_seconds=0)
    _, text = service.create()
    _, other = service.create()
    assert isinstance(service.database, SQLite)
    service.verify(text)
    service.database.write(lambda tx: tx.execute("ALTER TABLE api_keys RENAME TO lost"))
    service.database.write(lambda tx: tx.execute("DROP TABLE bell"))
    assert reason(service.verify(other)) is Reason.unavailable
    service.verifier.lease._until = 0.0
    assert reason(service.verify(text)) is Reason.unavailable
    service.close()
    service.close()


def test_postgres_needs_to_be_told_where_the_keyring_is() -> None:
    with pytest.raises(ValueError, match="keyring"):
        KeyService.open("postgresql://nowhere/x")
