"""What the tables of objects do for requests that run in one transaction."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from tests.support.long_texts import long_text
from tollkey.db import Database, Scope, Table, Tx
from tollkey.db.edge import edge_for

SCOPE = Scope("acct_1", False)
THINGS = Table("thing", ("colour",))


@pytest.fixture
def things(database: Database) -> Database:
    database.write(lambda tx: tx.execute_script(THINGS.create(tx.dialect)))
    return database


def add(tx: Tx, id: str) -> None:
    THINGS.insert(tx, SCOPE, id, 1, b"{}", None, ["red"])


def reds(tx: Tx) -> list[str]:
    """The ids of the red things, remembered in the transaction."""
    return THINGS.cached(tx, SCOPE, "red", lambda: [row.id for row in THINGS.page(tx, SCOPE, 10, {"colour": "red"})])


def test_a_repeated_question_is_answered_from_memory_until_the_table_is_written(things: Database) -> None:
    def write(tx: Tx) -> list[list[str]]:
        add(tx, "a")
        first = reds(tx)
        seen = [first] if reds(tx) is first else []
        add(tx, "b")
        seen.append(reds(tx))
        THINGS.update(tx, SCOPE, "b", 1, b"{}", None, ["blue"])
        seen.append(reds(tx))
        THINGS.delete(tx, SCOPE, "a")
        return [*seen, reds(tx)]

    assert things.write(write) == [["a"], ["b", "a"], ["a"], []]


def test_what_was_read_before_a_rollback_is_read_again(things: Database) -> None:
    def write(tx: Tx) -> list[list[str]]:
        with suppress(KeyError), tx.savepoint():
            add(tx, "a")
            seen = [reds(tx)]
            raise KeyError("undone")
        return [*seen, reds(tx)]

    assert things.write(write) == [["a"], []]


@pytest.mark.parametrize("characters", [600, 601, 100_000])
def test_a_text_of_any_length_is_indexed_and_found(things: Database, characters: int) -> None:
    text, other = long_text(characters), "x"
    for id, colour in (("a", text), ("b", text[:-1] + other), ("c", other)):
        values = THINGS.values({"colour": colour})
        things.write(lambda tx, id=id, values=values: THINGS.insert(tx, SCOPE, id, 1, b"{}", None, values))

    def found(*colours: str) -> list[str]:
        return things.read(lambda tx: [row.id for row in THINGS.page(tx, SCOPE, 10, {"colour": colours})])

    assert found(text) == ["a"]
    assert found(text, other) == ["c", "a"]
    assert things.read(lambda tx: THINGS.count(tx, SCOPE, {"colour": text})) == 1


def test_the_next_transaction_reads_for_itself(things: Database) -> None:
    assert things.write(reds) == []
    things.write(lambda tx: add(tx, "a"))
    assert things.write(reds) == ["a"]


def test_requests_that_run_in_one_group_share_the_answer(things: Database) -> None:
    async def write_twice() -> list[list[str]]:
        edge = edge_for(things)
        await edge.start()
        try:
            return await asyncio.gather(edge.write(reds, lock="a"), edge.write(reds, lock="a"))
        finally:
            await edge.stop()

    first, second = asyncio.run(write_twice())
    assert first is second
