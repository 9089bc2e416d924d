"""Storage as an async server uses it: the same promises on both engines."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from tests.support.edges import NOTES, add, kinds, orphan, settled, total, with_edge
from tollkey.db import Database, Duplicate, StorageError, Tx, migrate
from tollkey.db.bounds import Bounds
from tollkey.db.edge import GROUP_MAX, Edge, edge_for
from tollkey.db.engine import LockTimeout
from tollkey.db.postgres import Postgres


def test_a_write_answers_and_a_read_finds_it(database: Database) -> None:
    async def test(edge: Edge) -> None:
        assert await edge.write(add("a")) == "a"
        assert await edge.read(lambda tx: tx.execute("SELECT id FROM notes")) == [("a",)]

    with_edge(database, test)


def test_a_failed_member_fails_alone_with_its_own_exception(database: Database) -> None:
    def wrong(tx: Tx) -> None:
        add("half")(tx)
        raise KeyError("its own")

    async def test(edge: Edge) -> None:
        outcomes = await settled(edge.write(add("a"), "one"), edge.write(wrong, "one"), edge.write(add("b"), "one"))
        assert kinds(outcomes) == ["a", KeyError, "b"]
        again = await settled(edge.write(add("a")), edge.write(add("c")))
        assert kinds(again) == [Duplicate, "c"]
        assert await edge.read(lambda tx: tx.execute("SELECT id FROM notes ORDER BY id")) == [("a",), ("b",), ("c",)]

    with_edge(database, test)


def looks(tx: Tx) -> int:
    """Reads the rows that others have left to be written, so that they are written now."""
    return len(tx.read("totals", "SELECT name FROM totals", ()))


@pytest.mark.parametrize(
    ("guilty", "fault"),
    [(total("b", 1000), StorageError), (total("old", 1), Duplicate), (orphan, StorageError)],
    ids=["a check", "a row that exists", "a deferred reference"],
)
@pytest.mark.parametrize("innocent", [total("c", 3), looks], ids=["blind", "one that looks"])
def test_of_a_group_whose_commit_is_refused_only_the_one_at_fault_fails(
    database: Database, guilty: Callable[[Tx], object], fault: type[Exception], innocent: Callable[[Tx], object]
) -> None:
    heard: list[str] = []
    database.subscribe("channel", heard.append)

    def telling(tx: Tx) -> str:
        tx.notify("channel", "once")
        return total("a", 1)(tx)

    async def test(edge: Edge) -> None:
        await edge.write(total("old", 1))
        group = [edge.write(work, "one") for work in (telling, guilty, innocent, total("d", 4))]
        first, failed, *others = await settled(*group)
        assert (first, type(failed), *others) == ("a", fault, 2 if innocent is looks else "c", "d")
        names = await edge.read(lambda tx: tx.execute("SELECT name FROM totals ORDER BY name"))
        assert [name for (name,) in names] == ["a", *([] if innocent is looks else ["c"]), "d", "old"]

    with_edge(database, test)
    assert heard == ["once"]


def test_a_failure_of_its_own_is_told_apart_from_the_row_of_another(database: Database) -> None:
    """One that fails before the refused row, and one whose own flush is refused, get their own exceptions."""

    def wrong(tx: Tx) -> None:
        raise KeyError("its own")

    def too_many(tx: Tx) -> None:
        total("e", 1000)(tx)
        tx.flush()

    async def test(edge: Edge) -> None:
        works = (wrong, total("a", 1), total("b", 1000), too_many, total("c", 1))
        assert kinds(await settled(*(edge.write(work, "one") for work in works))) == [
            KeyError, "a", StorageError, StorageError, "c",
        ]  # fmt: skip

    with_edge(database, test)


@pytest.mark.parametrize("lock", ["one", None])
def test_a_caller_that_leaves_is_resumed_when_its_write_has_ended_and_leaves_nothing_before(
    database: Database, lock: str | None
) -> None:
    """Otherwise it would go on, and nobody would count it."""
    begun, going = threading.Event(), threading.Event()

    def slow(tx: Tx) -> str:
        begun.set()
        assert going.wait(20)
        return add("slow")(tx)

    async def test(edge: Edge) -> None:
        leaving = asyncio.create_task(edge.write(slow, lock, heavy=True))
        assert await asyncio.to_thread(begun.wait, 20)
        behind = asyncio.create_task(edge.write(add("behind"), "one", heavy=True))
        await asyncio.sleep(0)
        leaving.cancel()
        if lock is not None:
            behind.cancel()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not leaving.done()
        going.set()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert kinds(await settled(behind)) == ["behind" if lock is None else asyncio.CancelledError]
        names = await edge.read(lambda tx: tx.execute("SELECT id FROM notes ORDER BY id"))
        assert names == ([("behind",), ("slow",)] if lock is None else [("slow",)])

    with_edge(database, test)


def test_works_with_one_lock_follow_one_another(database: Database) -> None:
    def count(tx: Tx) -> int:
        [(number,)] = tx.execute("SELECT number FROM notes")
        tx.execute("UPDATE notes SET number = ?", (number + 1,))
        return int(number)

    async def test(edge: Edge) -> None:
        await edge.write(add("a"))
        numbers = await asyncio.gather(*(edge.write(count, lock="a") for _ in range(40)))
        assert sorted(numbers) == list(range(40))

    with_edge(database, test)


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_works_that_wait_for_one_lock_share_a_transaction_on_postgresql(database: Database) -> None:
    def numbered(tx: Tx) -> int:
        return int(tx.execute("SELECT pg_current_xact_id()::text")[0][0])

    async def test(edge: Edge) -> None:
        transactions = await asyncio.gather(*(edge.write(numbered, lock="one") for _ in range(9)))
        assert len(set(transactions)) == 1
        apart = await asyncio.gather(*(edge.write(numbered) for _ in range(9)))
        assert len(set(apart)) == 9

    with_edge(database, test)


def test_subscribers_have_been_told_when_the_answer_comes(database: Database) -> None:
    told: list[str] = []
    database.subscribe("channel", told.append)

    def work(tx: Tx) -> None:
        tx.notify("channel", "one")
        tx.on_commit(lambda: told.append("on commit"))

    async def test(edge: Edge) -> None:
        await edge.write(work)
        assert sorted(told) == ["on commit", "one"]

    with_edge(database, test)


def test_stopping_finishes_the_writes_that_wait(database: Database) -> None:
    migrate(database, [NOTES])

    async def run() -> list[str]:
        edge = edge_for(database)
        await edge.start()
        writes = [asyncio.create_task(edge.write(add(f"{n:02}"))) for n in range(30)]
        await asyncio.sleep(0)
        await edge.stop()
        return await asyncio.gather(*writes)

    assert asyncio.run(run()) == [f"{n:02}" for n in range(30)]


def test_a_stopped_edge_refuses_writes(database: Database) -> None:
    async def run() -> None:
        edge = edge_for(database)
        await edge.stop()
        with pytest.raises(StorageError):
            await edge.write(add("a"))

    asyncio.run(run())


def test_being_alive_is_reported_several_times_a_second(database: Database) -> None:
    async def test(edge: Edge) -> None:
        while len(beats) < 4:
            await asyncio.sleep(0.01)

    beats: list[float] = []
    with_edge(database, test, beats.append)
    assert beats[3] - beats[1] < 1.0


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_one_caller_s_slow_reads_leave_threads_to_the_others_on_postgresql(database: Database) -> None:
    going = threading.Event()

    def slow(tx: Tx) -> None:
        assert going.wait(20)

    async def run() -> int:
        edge = edge_for(database)
        await edge.start()
        hostile = [asyncio.create_task(edge.read(slow, caller="acct_1:0")) for _ in range(40)]
        await asyncio.sleep(0)
        try:
            return await asyncio.wait_for(
                edge.read(lambda tx: int(tx.execute("SELECT 7")[0][0]), caller="acct_2:0"), 10
            )
        finally:
            going.set()
            await asyncio.gather(*hostile)
            await edge.stop()

    assert asyncio.run(run()) == 7


def test_who_waits_behind_a_lock_that_was_not_granted_is_refused_with_those_before(postgres_url: str) -> None:
    holder, waiting = Postgres(postgres_url), Postgres(postgres_url, bounds=Bounds(lock=0.1, idle=0.05))

    async def run() -> list[type[object]]:
        edge = edge_for(waiting)
        told = await asyncio.gather(
            *(edge.write(lambda tx: None, lock="account") for _ in range(GROUP_MAX + 2)), return_exceptions=True
        )
        await edge.stop()
        return [type(one) for one in told]

    assert holder.write(lambda tx: asyncio.run(run()), lock="account") == [LockTimeout] * (GROUP_MAX + 2)
    holder.close()
