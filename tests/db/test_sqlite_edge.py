"""Writes on SQLite beside an event loop: group commit, the disk, other threads and processes, heavy writes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.edges import NOTES, CountingSQLite, add, kinds, on_disk, settled, with_edge
from tollkey.db import Duplicate, SQLite, StorageError, Tx, migrate, sqlite_edge
from tollkey.db.edge import Edge, edge_for
from tollkey.db.engine import OutcomeUnknown
from tollkey.db.sqlite_edge import SQLiteEdge


def test_writes_that_wait_together_share_a_commit(counting: CountingSQLite) -> None:
    async def test(edge: Edge) -> None:
        before = counting.commits
        await asyncio.gather(*(edge.write(add(f"{n:03}")) for n in range(100)))
        assert counting.commits - before <= 3  # one, but where the machine is slow
        assert len(on_disk(counting.path)) == 100

    with_edge(counting, test)


def test_a_database_that_is_closed_first_ends_the_polling_in_silence(
    counting: CountingSQLite, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_edge, "POLL_SECONDS", 0.001)
    polls: list[float] = []

    async def test() -> None:
        edge, before = edge_for(counting, polls.append), asyncio.all_tasks()
        await edge.start()
        while len(polls) < 3:
            await asyncio.sleep(0.001)
        await asyncio.to_thread(counting.close)
        while asyncio.all_tasks() != before:  # the polling goes on
            await asyncio.sleep(0.001)
        await edge.stop()

    asyncio.run(asyncio.wait_for(test(), 10))
    assert caplog.messages == []


def test_an_answer_comes_after_its_row_is_committed(counting: CountingSQLite) -> None:
    missing: list[str] = []

    async def test(edge: Edge) -> None:
        async def one(id: str) -> None:
            await edge.write(add(id))
            if id not in on_disk(counting.path):
                missing.append(id)

        await asyncio.gather(*(one(f"{n:03}") for n in range(50)))

    with_edge(counting, test)
    assert missing == []


def test_an_answer_waits_for_the_disk_and_the_next_group_does_not(counting: CountingSQLite) -> None:
    told: list[str] = []
    counting.subscribe("channel", told.append)

    def telling(tx: Tx) -> str:
        tx.notify("channel", "a")
        return add("a")(tx)

    async def test(edge: Edge) -> None:
        counting.disk = threading.Event()
        first = asyncio.create_task(edge.write(telling))
        while on_disk(counting.path) != ["a"]:
            await asyncio.sleep(0)
        second = asyncio.create_task(edge.write(add("b")))
        while await edge.read(lambda tx: tx.execute("SELECT count(*) FROM notes")) != [(2,)]:
            await asyncio.sleep(0)
        assert (first.done(), second.done(), told) == (False, False, [])
        counting.disk.set()
        assert await asyncio.gather(first, second) == ["a", "b"]
        assert told == ["a"]

    with_edge(counting, test)


def test_when_the_disk_fails_nobody_is_told_that_it_was_kept_and_nothing_more_is_taken(
    counting: CountingSQLite,
) -> None:
    async def test(edge: Edge) -> None:
        counting.fails = True
        assert kinds(await settled(edge.write(add("a")), edge.write(orphan_refused))) == [OutcomeUnknown, Duplicate]
        counting.fails = False
        (refused,) = await settled(edge.write(add("b")))
        assert isinstance(refused, StorageError)
        assert "the disk failed; restart" in str(refused)

    def orphan_refused(tx: Tx) -> None:
        raise Duplicate("its own fault")

    with_edge(counting, test)
    assert on_disk(counting.path) == ["a"]


def test_what_was_committed_while_the_disk_failed_is_not_called_kept_by_a_later_fsync(counting: CountingSQLite) -> None:
    """An fsync reports a failure once; the next one succeeds, behind a gap in the log."""

    async def test(edge: Edge) -> None:
        counting.disk, counting.fails = threading.Event(), True
        first = asyncio.create_task(edge.write(add("a")))
        while on_disk(counting.path) != ["a"]:
            await asyncio.sleep(0)
        second = asyncio.create_task(edge.write(add("b")))
        while on_disk(counting.path) != ["a", "b"]:
            await asyncio.sleep(0)
        first.add_done_callback(lambda _: setattr(counting, "fails", False))
        counting.disk.set()
        assert kinds(await settled(first, second)) == [OutcomeUnknown, OutcomeUnknown]

    with_edge(counting, test)
    with pytest.raises(StorageError, match="the disk failed; restart"):
        counting.write(add("c"))


def test_a_write_beside_the_edge_is_on_disk_too_when_it_returns(counting: CountingSQLite) -> None:
    migrate(counting, [NOTES])
    counting.fails = True
    with pytest.raises(OutcomeUnknown):
        counting.write(add("a"))


def test_works_run_in_the_order_they_were_asked_for(counting: CountingSQLite) -> None:
    ran: list[int] = []

    async def test(edge: Edge) -> None:
        await asyncio.gather(*(edge.write(lambda tx, n=n: ran.append(n)) for n in range(50)))  # type: ignore[misc]

    with_edge(counting, test)
    assert ran == list(range(50))


def test_a_transaction_undone_by_sqlite_itself_is_run_again_without_the_one_that_lost_it(
    counting: CountingSQLite,
) -> None:
    def lose(tx: Tx) -> None:
        tx.execute("INSERT OR ROLLBACK INTO notes (id) VALUES ('old')")  # as a full disk would do

    async def test(edge: Edge) -> None:
        await edge.write(add("old"))
        outcomes = await settled(edge.write(add("a")), edge.write(lose), edge.write(add("b")))
        assert kinds(outcomes) == ["a", StorageError, "b"]
        assert on_disk(counting.path) == ["a", "b", "old"]

    with_edge(counting, test)


def test_a_caller_that_left_before_its_turn_leaves_nothing(counting: CountingSQLite) -> None:
    async def test(edge: Edge) -> None:
        leaving = asyncio.create_task(edge.write(add("left")))
        staying = asyncio.create_task(edge.write(add("stayed")))
        await asyncio.sleep(0)
        leaving.cancel()
        await settled(leaving, staying)
        assert on_disk(counting.path) == ["stayed"]

    with_edge(counting, test)


def test_a_subscriber_that_fails_does_not_unmake_a_commit(counting: CountingSQLite) -> None:
    def fail(payload: str) -> None:
        raise KeyError(payload)

    counting.subscribe("channel", fail)

    def work(tx: Tx) -> None:
        add("a")(tx)
        tx.notify("channel", "x")

    async def test(edge: Edge) -> None:
        await edge.write(work)
        assert on_disk(counting.path) == ["a"]

    with_edge(counting, test)


def test_one_that_fails_after_a_commit_keeps_nothing_from_the_others(counting: CountingSQLite) -> None:
    told: list[str] = []

    def fail(payload: str = "") -> None:
        raise KeyError(payload)

    for hear in (fail, told.append):
        counting.subscribe("channel", hear)

    def work(tx: Tx) -> None:
        tx.on_commit(fail)
        tx.on_commit(lambda: told.append("on commit"))
        tx.notify("channel", "x")

    async def test(edge: Edge) -> None:
        await edge.write(work)

    with_edge(counting, test)
    assert told == ["on commit", "x"]


def test_threads_of_this_process_may_write_beside_the_edge(counting: CountingSQLite) -> None:
    async def test(edge: Edge) -> None:
        loop = asyncio.get_running_loop()
        beside = [loop.run_in_executor(None, counting.write, add(f"thread {n:02}")) for n in range(20)]
        await asyncio.gather(*beside, *(edge.write(add(f"edge {n:02}")) for n in range(20)))
        assert len(on_disk(counting.path)) == 40

    with_edge(counting, test)


def test_the_loop_goes_on_reading_while_another_process_holds_the_file(counting: CountingSQLite) -> None:
    held, release = threading.Event(), threading.Event()
    let_go: list[bool] = []

    def hold() -> None:
        other = SQLite(counting.path, "other")

        def work(tx: Tx) -> None:
            held.set()
            let_go.append(release.wait(2))

        other.write(work)
        other.close()

    async def test(edge: Edge) -> None:
        holder = threading.Thread(target=hold)
        holder.start()
        held.wait(10)
        write = asyncio.create_task(edge.write(add("a")))
        for _ in range(5):
            await asyncio.sleep(0)
            assert await edge.read(lambda tx: tx.execute("SELECT id FROM notes")) == []
        assert not write.done()
        release.set()
        assert await write == "a"
        holder.join()

    with_edge(counting, test)
    assert let_go == [True]


def test_a_group_that_cannot_begin_is_refused(tmp_path: Path) -> None:
    database = SQLite(tmp_path / "closed.db")

    async def run() -> list[Any]:
        edge = SQLiteEdge(database)
        database.close()
        outcomes = await settled(*(edge.write(add(f"{n}")) for n in range(3)))
        await edge.stop()
        return kinds(outcomes)

    assert asyncio.run(asyncio.wait_for(run(), 5)) == [StorageError] * 3


def test_announcements_of_another_process_on_the_file_are_heard(counting: CountingSQLite) -> None:
    async def test(edge: Edge) -> None:
        heard = asyncio.Event()
        counting.subscribe("channel", lambda payload: heard.set())
        other = SQLite(counting.path, "other")
        other.write(lambda tx: tx.notify("channel", "payload"))
        other.close()
        await asyncio.wait_for(heard.wait(), 1.0)

    with_edge(counting, test)


def test_being_alive_is_not_reported_while_announcements_cannot_be_read(counting: CountingSQLite) -> None:
    beats: list[float] = []

    async def test(edge: Edge) -> None:
        counting.write(lambda tx: tx.execute("ALTER TABLE bell RENAME COLUMN payload TO gone"))
        before = len(beats)
        await asyncio.sleep(0.5)
        assert len(beats) == before
        counting.write(lambda tx: tx.execute("ALTER TABLE bell RENAME COLUMN gone TO payload"))
        while len(beats) == before:
            await asyncio.sleep(0.01)

    with_edge(counting, test, beats.append)


def test_being_alive_counts_from_before_announcements_were_read(tmp_path: Path) -> None:
    """A process that is held up between reading and reporting must not vouch for the time it slept."""

    class Late(SQLite):
        read_at = 0.0

        def poll(self) -> None:
            Late.read_at = time.monotonic()
            super().poll()

    beats: list[tuple[float, float]] = []

    async def test(edge: Edge) -> None:
        while len(beats) < 2:
            await asyncio.sleep(0.01)

    with_edge(Late(tmp_path / "late.db"), test, lambda began: beats.append((began, Late.read_at)))
    assert all(began <= read_at for began, read_at in beats)


def test_a_heavy_write_leaves_the_loop_to_others_and_the_next_one_lets_them_go_first(tmp_path: Path) -> None:
    database = SQLite(tmp_path / "heavy.db")
    migrate(database, [NOTES])
    order: list[str] = []
    started, going = threading.Event(), threading.Event()

    def heavy(name: str) -> Callable[[Tx], None]:
        def work(tx: Tx) -> None:
            started.set()
            assert going.wait(20)
            order.append(name)
            tx.execute("INSERT INTO notes (id, number) VALUES (?, 1)", (name,))

        return work

    async def run() -> int:
        edge = edge_for(database)
        await edge.start()
        heavies = [asyncio.create_task(edge.write(heavy(name), heavy=True)) for name in ("first", "second")]
        while not started.is_set():
            await asyncio.sleep(0.001)
        light = asyncio.create_task(edge.write(lambda tx: order.append("light")))
        before = await edge.read(lambda tx: int(tx.execute("SELECT count(*) FROM notes")[0][0]))
        going.set()
        await asyncio.gather(light, *heavies)
        after = await edge.read(lambda tx: int(tx.execute("SELECT count(*) FROM notes")[0][0]))
        await edge.stop()
        assert before == 0
        return after

    assert asyncio.run(run()) == 2
    assert order == ["first", "light", "second"]


def test_a_heavy_write_that_fails_is_undone_alone(tmp_path: Path) -> None:
    database = SQLite(tmp_path / "heavy.db")
    migrate(database, [NOTES])

    def wrong(tx: Tx) -> None:
        tx.execute("INSERT INTO notes (id, number) VALUES ('wrong', 1)")
        raise ValueError("no")

    async def run() -> list[Any]:
        edge = edge_for(database)
        await edge.start()
        told = await asyncio.gather(
            edge.write(wrong, heavy=True),
            edge.write(lambda tx: tx.execute("INSERT INTO notes (id, number) VALUES ('right', 1)")),
            return_exceptions=True,
        )
        kept = await edge.read(lambda tx: tx.execute("SELECT id FROM notes"))
        await edge.stop()
        return [type(told[0]), kept]

    assert asyncio.run(run()) == [ValueError, [("right",)]]
