"""What is done in the background: one part that fails keeps no other from being done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.support.api import NOW, Api, World, open_node
from tollkey.db import Scope, StorageError, Tx
from tollkey.db.engine import Unreachable
from tollkey.outbox import Destination, enqueue
from tollkey.platform.background import Kept, delete_expired, each_of

DAY = 86_400


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A server of its own, whose tables can be damaged."""
    with asyncio.Runner() as runner:
        opened = open_node("", tmp_path, runner, [NOW])
        yield opened
        runner.run(opened.server.edge.stop())
        opened.core.close()


def refuse(world: World, what: str, table: str) -> None:
    """Let the database refuse every change of that kind to a table, as a damaged one does."""
    refusal = f"CREATE TRIGGER refused BEFORE {what} ON {table} BEGIN SELECT RAISE(ABORT, 'damaged'); END"
    world.core.database.write(lambda tx: tx.execute(refusal))


def count(world: World, table: str) -> int:
    return int(world.core.database.read(lambda tx: tx.execute(f"SELECT count(*) FROM {table}"))[0][0])


def test_what_cannot_be_deleted_does_not_keep_the_rest_for_ever(world: World) -> None:
    api, old = Api(world), NOW - 40 * DAY

    def fill(tx: Tx) -> None:
        owner = (api.account, 0)
        event = "INSERT INTO obj_event (account, livemode, id, created, body) VALUES (?, ?, 'evt_1', ?, ?)"
        tx.execute(event, (*owner, old, b"{}"))
        answer = "INSERT INTO idempotency VALUES (?, ?, 'key', '/v1/customers', ?, 'req_1', 200, '', ?, ?)"
        tx.execute(answer, (*owner, b"", b"{}", old))
        enqueue(tx, Scope(api.account, False), "evt_1", "a.b", b"{}", [Destination("we_1", "http://x/", ("s",))], old)
        tx.execute("UPDATE outbox_deliveries SET state = 'failed', next_attempt_at = NULL")

    world.core.database.write(fill)
    refuse(world, "DELETE", "idempotency")
    with pytest.raises(ExceptionGroup) as failed:
        world.runner.run(delete_expired(world.server.edge, world.core.logs, NOW, Kept()))
    assert [type(one) for one in failed.value.exceptions] == [StorageError]
    left = {table: count(world, table) for table in ("idempotency", "obj_event", "outbox_deliveries")}
    assert left == {"idempotency": 1, "obj_event": 0, "outbox_deliveries": 0}


def test_last_uses_that_cannot_be_written_do_not_keep_the_logs_in_memory(world: World) -> None:
    api = Api(world)
    refuse(world, "INSERT", "key_usage")
    api.ok("GET", "/v1/customers")
    with pytest.raises(ExceptionGroup):
        world.runner.run(world.server._write_buffers())
    assert (world.server.log.waiting, world.core.verifier.usage.unwritten) == (0, False)
    assert world.core.verifier.unwritten  # for when the database takes them again


def test_nothing_more_is_tried_while_the_database_is_away() -> None:
    tried: list[str] = []

    def step(name: str, error: Exception | None = None) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            tried.append(name)
            if error is not None:
                raise error

        return run

    with pytest.raises(Unreachable):
        asyncio.run(each_of(step("first", ValueError()), step("second", Unreachable("away")), step("third")))
    assert tried == ["first", "second"]
