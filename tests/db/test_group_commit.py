"""When a group of writes lets others run, and when it is committed, on SQLite."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.edges import CountingSQLite, add, on_disk, with_edge
from tollkey.db import sqlite_edge
from tollkey.db.edge import Edge
from tollkey.db.sqlite_edge import SQLiteEdge


def test_others_run_when_a_group_has_had_its_time_on_the_loop(
    counting: CountingSQLite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_edge, "BATCH_SECONDS", 0.0)
    ran: list[str] = []

    async def test(edge: Edge) -> None:
        writes = [asyncio.create_task(edge.write(lambda tx: ran.append("write"))) for _ in range(3)]
        await asyncio.sleep(0)  # they are queued
        for _ in range(3):
            await asyncio.sleep(0)
            ran.append(f"read {await edge.read(lambda tx: tx.execute('SELECT count(*) FROM notes'))}")
        await asyncio.gather(*writes)

    with_edge(counting, test)
    assert ran == ["write", "read [(0,)]", "write", "read [(0,)]", "write", "read [(0,)]"]
    assert counting.commits == 2, "the migration, and one group"


def test_a_group_of_a_certain_age_is_committed_although_callbacks_wait(
    counting: CountingSQLite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_edge, "BATCH_SECONDS", 0.0)
    monkeypatch.setattr(sqlite_edge, "GROUP_SECONDS", 0.0)

    async def test(edge: Edge) -> None:
        before = counting.commits
        await asyncio.gather(*(edge.write(lambda tx: None) for _ in range(3)))
        assert counting.commits - before == 3

    with_edge(counting, test)


def test_what_comes_while_the_disk_is_busy_becomes_one_group(
    counting: CountingSQLite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_edge, "GROUP_SECONDS", 20.0)

    async def test(edge: SQLiteEdge) -> None:
        before = counting.commits
        counting.disk.clear()
        writes = [asyncio.create_task(edge.write(add("0")))]
        while edge._syncing is None:
            await asyncio.sleep(0)
        for number in range(1, 6):  # one at a time, each after the one before has run
            writes.append(asyncio.create_task(edge.write(add(str(number)))))
            for _ in range(5):
                await asyncio.sleep(0)
            assert not edge._queue
        assert on_disk(counting.path) == ["0"], "committed, but the others are not"
        counting.disk.set()
        await asyncio.gather(*writes)
        assert counting.commits - before == 2

    with_edge(counting, test)


@pytest.mark.parametrize(("seconds", "waits"), [(20.0, True), (0.0, False)])
def test_a_group_waits_for_a_few_turns_of_the_loop_that_are_short(
    counting: CountingSQLite, monkeypatch: pytest.MonkeyPatch, seconds: float, waits: bool
) -> None:
    monkeypatch.setattr(sqlite_edge, "GROUP_SECONDS", 20.0)
    monkeypatch.setattr(sqlite_edge, "PATIENCE_SECONDS", seconds)

    async def test(edge: Edge) -> None:
        await asyncio.gather(*(edge.write(add(str(number))) for number in range(2)))
        before, turns = counting.commits, 0
        alone = asyncio.create_task(edge.write(add("alone")))
        while counting.commits == before:
            await asyncio.sleep(0)
            turns += 1
        await alone
        assert (turns > sqlite_edge.PATIENCE) == waits

    with_edge(counting, test)
