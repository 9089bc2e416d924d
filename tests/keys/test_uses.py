"""Keys for a number of requests."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import Clock
from tests.keys.conftest import refused
from tollkey.db import StorageError
from tollkey.keys import Denied, Key, KeyService, Permission, Reason
from tollkey.keys.actors import SYSTEM
from tollkey.keys.once import one_request


def test_a_single_use_key_is_accepted_once(service: KeyService, clock: Clock) -> None:
    key, text = service.create(max_uses=1)
    assert (key.max_uses, key.uses_left) == (1, 1)
    assert service.check(text)
    assert service.check(text).reason is Reason.expired
    answer = service.verify(text)
    assert isinstance(answer, Denied)
    assert answer.reason is Reason.expired
    found = service.get(key.id)
    assert found is not None
    assert (found.uses_left, found.status(clock.now)) == (0, "expired")
    assert service.list(active=True) == ()


def test_every_form_of_checking_takes_a_use(service: KeyService) -> None:
    _, text = service.create(max_uses=4)
    assert service.verify_cached(text) is None
    assert isinstance(service.verify(text), Key)
    assert service.verify_cached(text) is None, "a key that counts its uses is never remembered"
    assert service.check(text)
    assert asyncio.run(service.acheck(text))
    assert service.account("main").check(text)
    assert not asyncio.run(service.acheck(text))


def test_a_refused_request_and_one_that_only_looks_take_no_use(service: KeyService) -> None:
    _, text = service.create(max_uses=1, permissions=["report_read"], ip_allowlist=["192.0.2.1"])
    assert service.check(text, "report_write", ip="192.0.2.1").reason is Reason.forbidden
    assert service.check(text, "report_read", ip="192.0.2.2").reason is Reason.ip_not_allowed
    assert service.check(text, "report_read", ip="192.0.2.1", cost=0)
    assert service.check(text, "report_read", ip="192.0.2.1")
    assert not service.check(text, "report_read", ip="192.0.2.1", cost=0)


def test_a_key_that_counts_its_uses_cannot_get_more_of_them(service: KeyService) -> None:
    key, text = service.create(max_uses=3, permissions=["report_read"])
    holder = service.check(text).key
    assert holder is not None
    for uses in (None, 3):
        with refused("api_key_grant_exceeded"):
            service.create(max_uses=uses, granter=holder)
    assert service.create(max_uses=2, granter=holder).key.uses_left == 2
    doing = {"actor": SYSTEM, "now": holder.created, "granter": holder}
    with refused("api_key_grant_exceeded"):
        service.database.write(lambda tx: service.authority.roll(tx, key.scope, key.id, 0, **doing))  # type: ignore[arg-type]
    service.database.write(lambda tx: service.authority.revoke(tx, key.scope, key.id, **doing))  # type: ignore[arg-type]
    assert not service.check(text)


def test_a_gate_and_its_handler_take_one_use_together(service: KeyService) -> None:
    _, text = service.create(max_uses=1)
    with one_request():
        assert service.check(text)
        assert service.verify(text)
        assert service.check(text)
    assert not service.check(text)


def test_two_processes_never_accept_more_than_the_number(
    database_url: str, tmp_path: Path, service: KeyService
) -> None:
    _, text = service.create(max_uses=5)
    permissions = [Permission("report", "Reports"), Permission("user", "Users")]
    with KeyService.open(
        database_url, permissions, keyring=str(tmp_path / "keyring"), flush_seconds=0
    ) as other, ThreadPoolExecutor(4) as pool:  # fmt: skip
        answers = list(pool.map(lambda one: bool(one.check(text)), [service, other] * 8))
    assert sum(answers) == 5


def test_a_database_that_cannot_count_refuses(service: KeyService, monkeypatch: pytest.MonkeyPatch) -> None:
    _, text = service.create(max_uses=1)

    def fail(*_: object, **__: object) -> None:
        raise StorageError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(service.database, "write", fail)
        assert service.check(text).reason is Reason.unavailable
    assert service.check(text)


def test_a_successor_has_all_uses_again(service: KeyService) -> None:
    made = service.create(max_uses=2)
    service.check(made.secret)
    rolled = service.roll(made.key)
    assert (rolled.key.max_uses, rolled.key.uses_left) == (2, 2)


@pytest.mark.parametrize(("uses", "kind"), [(0, "restricted"), (-1, "secret"), (2**53, "secret"), (1, "publishable")])
def test_a_number_of_uses_that_cannot_be_is_refused(service: KeyService, uses: int, kind: str) -> None:
    with refused("max_uses_invalid"):
        service.create(max_uses=uses, kind=kind)  # type: ignore[call-overload,unused-ignore,arg-type]


def test_no_token_is_derived_from_a_key_that_counts_its_uses(service: KeyService) -> None:
    made = service.create(max_uses=1, permissions=["report_read"])
    with refused("api_key_counts_uses"):
        service.issue_token(made.key, audience="reports")
