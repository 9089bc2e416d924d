"""Reads of PostgreSQL on the event loop: answered together, and never lost with the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import psycopg
import pytest

from tollkey.db import Scope, StorageError, Table
from tollkey.db.ahead import Question
from tollkey.db.edge import ThreadEdge
from tollkey.db.listening import cut_off
from tollkey.db.postgres import Postgres
from tollkey.db.postgres_line import Line

SCOPE = Scope("acct_1", False)
THINGS, OTHERS = Table("thing"), Table("other")
Answer = tuple[bytes | None, bool]


@pytest.fixture
def node(postgres_url: str) -> Iterator[Postgres]:
    opened = Postgres(postgres_url)
    for table in (THINGS, OTHERS):
        opened.write(lambda tx, table=table: tx.execute_script(table.create(tx.dialect)))
        for number in range(40):
            id, body = f"{table.name}_{number}", b"%d" % number
            opened.write(lambda tx, table=table, id=id, body=body: table.insert(tx, SCOPE, id, 1, body, None, []))
    yield opened
    opened.close()


def question(number: int | str, table: Table = THINGS) -> Question:
    return table.asks_body(SCOPE, f"{table.name}_{number}")


async def opened(line: Line) -> None:
    async with asyncio.timeout(10):
        while not line.ready:
            await asyncio.sleep(0.01)


async def ask(line: Line, *questions: Question) -> list[Answer]:
    """The answers to questions that are asked in one iteration of the loop, in the order in which they came."""
    answers: list[Answer] = []
    assert all([line.ask(each, lambda value, read: answers.append((value, read))) for each in questions])
    async with asyncio.timeout(10):
        while len(answers) < len(questions):
            await asyncio.sleep(0.001)
    return answers


@pytest.fixture
def run(node: Postgres) -> Callable[[Callable[[Line], Awaitable[Any]]], Any]:
    """Runs work with a line to the database."""

    def with_line(work: Callable[[Line], Awaitable[Any]]) -> Any:
        async def inner() -> Any:
            line = Line(node.open_line)
            await opened(line)
            try:
                return await work(line)
            finally:
                await line.close()

        return asyncio.run(inner())

    return with_line


Run = Callable[[Callable[[Line], Awaitable[Any]]], Any]


def test_questions_of_several_tables_are_answered_in_their_order(run: Run) -> None:
    numbers = [*range(40)] * 5
    asked = [question(number, THINGS if number % 3 else OTHERS) for number in numbers]
    assert run(lambda line: ask(line, *asked)) == [(b"%d" % number, True) for number in numbers]


def test_what_is_not_stored_is_told_from_what_could_not_be_read(run: Run) -> None:
    assert run(lambda line: ask(line, question("none"), question(1))) == [(None, True), (b"1", True)]


def test_what_was_committed_before_is_read(run: Run, node: Postgres) -> None:
    async def work(line: Line) -> list[Answer]:
        assert await ask(line, question(7)) == [(b"7", True)]
        await asyncio.to_thread(node.write, lambda tx: THINGS.rewrite(tx, SCOPE, "thing_7", b"new", None))
        return await ask(line, question(7))

    assert run(work) == [(b"new", True)]


def test_a_text_that_postgresql_cannot_have_is_not_asked_for(run: Run) -> None:
    async def work(line: Line) -> bool:
        return line.ask(question("\0"), lambda value, read: None)

    assert run(work) is False


def test_a_statement_that_fails_leaves_all_that_waits_unread_and_opens_a_new_line(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tollkey.db.postgres_line.REOPEN_SECONDS", 0.05)

    async def work(line: Line) -> list[Answer]:
        wrong = Question("none", "SELECT body FROM obj_none WHERE id = ?", ("a",))
        assert await ask(line, question(1), wrong, question(2)) == [(b"1", True), (None, False), (None, False)]
        assert not line.ready
        assert not line.ask(question(1), lambda value, read: None)
        await opened(line)
        return await ask(line, question(3))

    assert run(work) == [(b"3", True)]


def test_a_connection_that_is_cut_off_leaves_what_waits_unread(run: Run, node: Postgres) -> None:
    async def work(line: Line) -> list[Answer]:
        assert line._connection is not None
        asking = asyncio.ensure_future(ask(line, *[question(number) for number in range(40)]))
        await asyncio.sleep(0)
        cut_off(line._connection)
        return await asking

    assert {read for _, read in run(work)} <= {True, False}


def test_a_line_that_does_not_answer_is_given_up(run: Run, node: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tollkey.db.postgres_line.SLOW_SECONDS", 0.2)

    async def work(line: Line) -> list[Answer]:
        return await ask(line, Question("none", "SELECT pg_sleep(5)::text WHERE ? = 'a'", ("a",)), question(1))

    assert run(work) == [(None, False), (None, False)]


def test_the_line_is_tried_again_until_it_opens(node: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tollkey.db.postgres_line.REOPEN_SECONDS", 0.01)
    tried: list[int] = []

    def open() -> psycopg.Connection[tuple[Any, ...]] | None:
        tried.append(1)
        if len(tried) < 3:
            raise StorageError("no")
        return node.open_line()

    async def work() -> list[Answer]:
        line = Line(open)
        await opened(line)
        answers = await ask(line, question(1))
        await line.close()
        return answers

    assert asyncio.run(work()) == [(b"1", True)]


def test_an_edge_asks_on_its_line_while_the_database_is_there(node: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        edge = ThreadEdge(node)
        assert not edge.ask(question(1), lambda value, read: None)
        await edge.start()
        found: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(10):
            while not edge.ask(question(1), lambda value, read: found.set_result((value, read))):
                await asyncio.sleep(0.01)
            assert await found == (b"1", True)
        monkeypatch.setattr(Postgres, "away", "no answer")
        assert not edge.ask(question(1), lambda value, read: None)
        await edge.stop()

    asyncio.run(work())
