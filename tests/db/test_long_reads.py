"""Reads that look at much: given up on the event loop, and done where they hold up nobody."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tollkey.db import SQLite, Tx
from tollkey.db.edge import Edge, edge_for
from tollkey.db.engine import Busy, ReadTooLong
from tollkey.db.read_limits import MAX_QUEUED, TURN_SECONDS, LongReads
from tollkey.db.sqlite import BRIEF_ROWS

COUNTING = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT {} FROM n"


def run_on(edge: Edge, *reads: str) -> list[bool]:
    """For each statement, whether the read that ran it to its end did so on the loop's thread."""

    async def run() -> list[bool]:
        mine = threading.get_ident()
        found = []
        for sql in reads:

            def work(tx: Tx, sql: str = sql) -> bool:
                tx.execute(sql)
                return threading.get_ident() == mine

            found.append(await edge.read(work))
        await edge.stop()
        return found

    return asyncio.run(run())


def test_a_brief_read_runs_on_the_loop_and_a_long_one_does_not(tmp_path: Path) -> None:
    brief = COUNTING.format(100, "i")
    many_steps, many_rows = COUNTING.format(200_000, "count(i)"), COUNTING.format(BRIEF_ROWS + 1, "i")
    assert run_on(edge_for(SQLite(tmp_path / "x.db")), brief, many_steps, brief, many_rows, brief) == [
        True,
        False,
        True,
        False,
        True,
    ]


def test_many_small_statements_are_long_together(tmp_path: Path) -> None:
    database = SQLite(tmp_path / "x.db")

    def work(tx: Tx) -> None:
        for _ in range(BRIEF_ROWS + 1):
            tx.execute("SELECT 1 WHERE 0")

    with pytest.raises(ReadTooLong):
        database.read(work, brief=True)
    assert database.read(work) is None
    assert database.read(lambda tx: tx.execute("SELECT 1"), brief=True) == [(1,)]
    database.close()


def test_the_steps_are_counted_only_for_brief_reads(tmp_path: Path) -> None:
    database = SQLite(tmp_path / "x.db")
    with pytest.raises(ReadTooLong):
        database.read(lambda tx: tx.execute(COUNTING.format(200_000, "count(i)")), brief=True)
    assert database.read(lambda tx: tx.execute(COUNTING.format(200_000, "count(i)"))) == [(200_000,)]
    database.close()


def test_a_statement_that_is_run_again_and_again_stays_brief(tmp_path: Path) -> None:
    """SQLite counts the steps of a prepared statement on and on."""
    database = SQLite(tmp_path / "x.db")
    for _ in range(3_000):
        assert database.read(lambda tx: tx.execute(COUNTING.format(20, "count(i)")), brief=True) == [(20,)]
    with pytest.raises(ReadTooLong):
        database.read(lambda tx: tx.execute(COUNTING.format(200_000, "count(i)")), brief=True)
    assert database.read(lambda tx: tx.execute(COUNTING.format(20, "count(i)")), brief=True) == [(20,)]
    database.close()


def test_one_caller_s_long_reads_take_turns_and_too_many_are_refused() -> None:
    async def run() -> None:
        reads = LongReads()
        most = running = 0
        gate, lock = threading.Event(), threading.Lock()

        def work() -> str:
            nonlocal most, running
            with lock:
                running += 1
                most = max(most, running)
            gate.wait(30)
            with lock:
                running -= 1
            return "mine"

        mine = [asyncio.create_task(reads.run(work, "one")) for _ in range(MAX_QUEUED)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await reads.run(work, "one")
        assert await reads.run(lambda: "other", "another") == "other"  # while the first of the others runs
        gate.set()
        assert await asyncio.gather(*mine) == ["mine"] * MAX_QUEUED
        assert most == 1
        assert await reads.run(lambda: "again", "one") == "again"
        reads.stop()

    asyncio.run(run())


def turns_of(edge: Edge, callers: Sequence[str]) -> list[int]:
    """In which iteration of the loop the read of each caller ran, all asked for at once; each takes a turn's time."""

    async def run() -> list[int]:
        loop, turn = asyncio.get_running_loop(), 0

        def count() -> None:
            nonlocal turn
            turn += 1
            loop.call_soon(count)

        def work(tx: Tx) -> int:
            began = time.monotonic()
            while time.monotonic() - began < TURN_SECONDS:
                pass
            return turn

        count()
        found = await asyncio.gather(*(edge.read(work, caller=one, kind=str(n)) for n, one in enumerate(callers)))
        await edge.stop()
        return found

    return asyncio.run(run())


def test_reads_of_one_caller_that_take_a_turn_together_leave_the_next_turn_to_others(tmp_path: Path) -> None:
    first, *later, other = turns_of(edge_for(SQLite(tmp_path / "x.db")), ["a", "a", "a", "a", "b"])
    assert other == first
    assert len({first, *later}) == 4


def test_a_caller_whose_turn_is_over_is_not_answered_at_once(tmp_path: Path) -> None:
    edge = edge_for(SQLite(tmp_path / "x.db"))

    async def run() -> list[bool]:
        found = [edge.waits("a", "/v1/customers")]
        edge.read_at_once(lambda tx: time.sleep(TURN_SECONDS), caller="a", kind="/v1/prices")
        found += [edge.waits("a", "/v1/customers"), edge.waits("b", "/v1/customers")]
        await asyncio.sleep(0)
        found.append(edge.waits("a", "/v1/customers"))
        await edge.stop()
        return found

    assert asyncio.run(run()) == [False, True, False, False]
