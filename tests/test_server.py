"""Putting the parts together: the first account and its keys."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import pytest

from tests.support.receiver import Receiver, receiver
from tollkey.core import ensure_first_account, open_core, set_aside_damaged_logs
from tollkey.core import test_pair as pair_of
from tollkey.db import Scope, SQLite, StorageError
from tollkey.keys import audit
from tollkey.keys.actors import SYSTEM
from tollkey.keys.notices import Notices
from tollkey.server import build
from tollkey.settings import Settings
from tollkey.wire.messages import Request

__all__ = ["receiver"]


def test_starting_again_keeps_the_account_and_its_keys_and_reveals_nothing(tmp_path: Path) -> None:
    pairs = []
    for _ in range(2):
        core = open_core(Settings(data=str(tmp_path)))
        account = ensure_first_account(core).id
        pairs.append((account, *pair_of(core, account)))
        actions = {
            entry.action
            for entry in core.database.read(lambda tx, account=account: audit.entries(tx, Scope(account, False)))
        }  # type: ignore[misc]
        core.close()
    assert pairs[0] == pairs[1]
    assert actions == {"created"}


def test_a_deleted_default_test_key_is_made_anew_at_the_next_start(tmp_path: Path) -> None:
    core = open_core(Settings(data=str(tmp_path)))
    account = ensure_first_account(core).id
    publishable, secret = pair_of(core, account)
    scope = Scope(account, False)
    (key,) = core.database.read(lambda tx: core.authority.list(tx, scope, kind="secret"))
    core.database.write(lambda tx: core.authority.revoke(tx, scope, key.id, actor=SYSTEM, now=int(core.now())))
    again = pair_of(core, account)
    core.close()
    assert again[0] == publishable
    assert again[1] != secret


@pytest.mark.parametrize("rubbish", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4000])
def test_request_logs_that_are_damaged_are_set_aside_and_new_ones_begin(tmp_path: Path, rubbish: bytes) -> None:
    settings = Settings(data=str(tmp_path))
    assert set_aside_damaged_logs(settings) is None
    for number in (1, 2):
        (tmp_path / "requests.db").write_bytes(rubbish)
        aside = set_aside_damaged_logs(settings)
        assert aside == tmp_path / f"requests.db.damaged-{number}"
        assert aside.read_bytes() == rubbish
        assert not (tmp_path / "requests.db").exists()
    SQLite(tmp_path / "requests.db").close()
    assert set_aside_damaged_logs(settings) is None


def test_a_server_stops_whole_though_its_disk_has_failed(tmp_path: Path) -> None:
    class Failing(SQLite):
        fails = False

        def fsync(self, log: int) -> None:
            if self.fails:
                raise OSError("an I/O error")
            super().fsync(log)

    async def run() -> None:
        core = open_core(Settings(data=str(tmp_path)))
        publishable, _ = pair_of(core, ensure_first_account(core).id)
        core.database.close()
        database = core.database = Failing(tmp_path / "tollkey.db", attach=tmp_path / "requests.db")
        server = build(core)
        await server.start()
        request = Request(
            "GET", "/v1/customers", b"", {"authorization": f"Bearer {publishable}"}, b"", "127.0.0.1", True
        )
        await server.service.answer(request)
        assert core.verifier.unwritten
        database.fails = True
        await server.stop()
        assert server.http.is_closed
        with pytest.raises(StorageError):
            database.write(lambda tx: None)

    asyncio.run(run())


@pytest.mark.parametrize(("stop_seconds", "expected"), [(2, 1.0), (4, 2.0), (10, 3.0)])
def test_webhooks_in_flight_leave_time_to_write_what_is_buffered(
    tmp_path: Path, stop_seconds: int, expected: float
) -> None:
    """The process ends after ``stop_seconds``, whatever waits."""

    async def run() -> float:
        server = build(open_core(Settings(data=str(tmp_path), stop_seconds=stop_seconds)))
        await server.stop()
        return server.deliverer.limits.stop_seconds

    assert asyncio.run(run()) == expected


def announcing(folder: Path, url: str, more: str = "") -> Settings:
    (folder / "secret").write_text("a signing secret of the host's")
    table = f'[notices.webhooks.main]\nurl = "{url}"\nsecret_file = "{folder / "secret"}"\n{more}'
    (folder / "notices.toml").write_text(table)
    return Settings(data=str(folder), notices_file=str(folder / "notices.toml"))


def test_a_server_tells_of_its_keys_where_that_is_configured(tmp_path: Path, receiver: Receiver) -> None:
    core = open_core(announcing(tmp_path, receiver.url))
    scope = Scope(ensure_first_account(core).id, True)

    async def run() -> None:
        server = build(core)
        assert server.notices is not None
        await asyncio.to_thread(server.notices.step)
        await server.start()
        made = core.database.write(
            lambda tx: core.authority.create(tx, scope, "secret", actor=SYSTEM, now=int(core.now()), name="CI")
        )
        await asyncio.to_thread(server.notices.try_step)
        await server.stop()
        ((_, body),) = receiver.got
        assert json.loads(body)["data"]["object"]["id"] == made[0].id

    asyncio.run(run())


def test_a_notice_that_is_being_sent_while_the_server_stops_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending, released = threading.Event(), threading.Event()

    class Held:
        name = "held"

        def wants(self, type: str) -> bool:
            return True

        def send(self, notice: object) -> None:
            sending.set()
            assert released.wait(10)

    class Watched(Notices):
        def stop(self) -> None:
            super().stop()
            threading.Timer(0.2, released.set).start()  # a server that does not wait has closed the database by then

    async def run() -> None:
        core = open_core(Settings(data=str(tmp_path)))
        scope = Scope(ensure_first_account(core).id, True)
        server = build(core)
        server.notices = Watched(core, [Held()])
        server.notices.gather()
        core.database.write(
            lambda tx: core.authority.create(tx, scope, "secret", actor=SYSTEM, now=int(core.now()), name="CI")
        )
        await server.start()
        assert await asyncio.to_thread(sending.wait, 10)
        await server.stop()

    monkeypatch.setattr("tollkey.server._NOTICES_SECONDS", 0.0)
    asyncio.run(run())
    core = open_core(Settings(data=str(tmp_path)))
    sent = core.database.read(lambda tx: tx.execute("SELECT attempts, problem, next_attempt_at FROM key_notices"))
    core.close()
    assert [tuple(row) for row in sent] == [(1, "", None)]


def test_notices_that_cannot_be_sent_as_configured_stop_the_start_with_a_sentence(tmp_path: Path) -> None:
    missing = Settings(data=str(tmp_path), notices_file=str(tmp_path / "nowhere.toml"))
    more = announcing(tmp_path, "https://a.example", "[permissions.report]\n")
    for settings, said in ((missing, "nowhere.toml"), (more, "only the table [notices] has an effect here")):
        core = open_core(settings)
        with pytest.raises((OSError, ValueError)) as refused:
            build(core)
        assert said in str(refused.value)
        core.close()
