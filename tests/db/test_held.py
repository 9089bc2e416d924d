"""Held writes: what a transaction has not sent yet is seen, undone and refused as if it had been."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tollkey.db import Database, Duplicate, Migration, Scope, StorageError, Table, Tx, migrate
from tollkey.db.held import Batch, Held, Values, Write, inserting

SUMS = Migration("sums", ("CREATE TABLE sums (name TEXT PRIMARY KEY, total {int} NOT NULL CHECK (total < 1000))",))
SCOPE = Scope("acct_1", False)
THINGS = Table("thing", ("colour",))


def _add(held: Write, values: Values, row: Values) -> tuple[Write, Values]:
    return held, (values[0], int(str(values[1])) + int(str(row[1])))


UPSERT = "ON CONFLICT (name) DO UPDATE SET total = sums.total + excluded.total"
SUM = inserting("sums", ("name", "total"), "ti", UPSERT, keys=1, merge=_add)
NAME = inserting("sums", ("name", "total"), "ti")


@pytest.fixture
def held(database: Database) -> Callable[[Callable[[Tx], Any]], Any]:
    """Runs a callback in a transaction of a database with both tables."""
    migrate(database, [SUMS])
    database.write(lambda tx: tx.execute_script(THINGS.create(tx.dialect)))
    return database.write


Run = Callable[[Callable[[Tx], Any]], Any]


def thing(tx: Tx, id: str, colour: str | None = None) -> None:
    THINGS.insert(tx, SCOPE, id, 1, b"{}", None, [colour])


def ids(tx: Tx) -> list[str]:
    return [id for (id,) in tx.execute("SELECT id FROM obj_thing ORDER BY seq")]


def sums(tx: Tx) -> dict[str, int]:
    return dict(tx.execute("SELECT name, total FROM sums"))


def test_a_statement_sees_what_is_held(held: Run) -> None:
    def work(tx: Tx) -> list[str]:
        thing(tx, "a")
        thing(tx, "b")
        return ids(tx)

    assert held(work) == ["a", "b"]
    assert held(ids) == ["a", "b"]


def test_rows_are_stored_in_the_order_in_which_they_were_held(held: Run) -> None:
    def work(tx: Tx) -> None:
        for number in range(300):
            thing(tx, f"{number % 7}{number}")
            tx.hold(SUM, ("x", 1))

    held(work)
    assert held(ids) == [f"{number % 7}{number}" for number in range(300)]
    assert held(sums) == {"x": 300}


def test_an_object_that_is_changed_before_it_was_sent_is_stored_once_in_its_place(held: Run) -> None:
    def work(tx: Tx) -> None:
        thing(tx, "a", "red")
        thing(tx, "b", None)
        THINGS.update(tx, SCOPE, "a", 5, b'{"two": 2}', b"{}", ["blue"])
        THINGS.rewrite(tx, SCOPE, "b", b'{"three": 3}', None)

    held(work)
    rows = held(lambda tx: tx.execute("SELECT seq, id, created, body, private, ix_colour FROM obj_thing ORDER BY seq"))
    first, second = ([bytes(cell) if isinstance(cell, memoryview) else cell for cell in row] for row in rows)
    assert first == [1, "a", 5, b'{"two": 2}', b"{}", "blue"]
    assert second == [2, "b", 1, b'{"three": 3}', None, None]


def test_changes_of_a_stored_object_become_one(held: Run) -> None:
    held(lambda tx: thing(tx, "a", "red"))

    def work(tx: Tx) -> None:
        THINGS.rewrite(tx, SCOPE, "a", b"1", b"p")
        THINGS.update(tx, SCOPE, "a", 7, b"2", b"q", ["blue"])
        THINGS.rewrite(tx, SCOPE, "a", b"3", b"r")

    held(work)
    record = held(lambda tx: THINGS.page(tx, SCOPE, 10, {"colour": "blue"}))[0]
    assert (record.created, bytes(record.body), bytes(record.private)) == (7, b"3", b"r")


def test_a_savepoint_that_is_rolled_back_takes_only_its_own_rows_with_it(held: Run) -> None:
    def work(tx: Tx) -> None:
        thing(tx, "before")
        with suppress(KeyError), tx.savepoint():
            thing(tx, "within")
            with tx.savepoint():
                thing(tx, "deeper")
            raise KeyError
        thing(tx, "after")

    held(work)
    assert held(ids) == ["before", "after"]


def test_a_savepoint_that_was_sent_is_rolled_back_with_what_was_held_since(held: Run) -> None:
    def work(tx: Tx) -> None:
        thing(tx, "before")
        with suppress(KeyError), tx.savepoint():
            thing(tx, "sent")
            assert ids(tx) == ["before", "sent"]
            thing(tx, "held")
            with tx.savepoint():
                thing(tx, "held too")
            raise KeyError
        assert ids(tx) == ["before"]
        with tx.savepoint():
            thing(tx, "kept")
            assert ids(tx) == ["before", "kept"]
        thing(tx, "after")

    held(work)
    assert held(ids) == ["before", "kept", "after"]


def test_an_inner_rollback_leaves_what_the_outer_savepoint_holds(held: Run) -> None:
    def work(tx: Tx) -> None:
        with tx.savepoint():
            with suppress(KeyError), tx.savepoint():  # it shares the outer one, since nothing lies between
                thing(tx, "inner")
                ids(tx)
                raise KeyError
            thing(tx, "outer")

    held(work)
    assert held(ids) == ["outer"]


def test_a_look_up_by_id_finds_what_is_held_and_what_is_stored(held: Run) -> None:
    held(lambda tx: thing(tx, "stored"))

    def work(tx: Tx) -> list[bool]:
        thing(tx, "new")
        return [THINGS.get(tx, SCOPE, id) is not None for id in ("stored", "new", "nobody")]

    assert held(work) == [True, True, False]


def test_a_row_that_is_refused_fails_the_transaction(held: Run) -> None:
    held(lambda tx: thing(tx, "a"))

    def work(tx: Tx) -> None:
        thing(tx, "b")
        thing(tx, "a")

    with pytest.raises(Duplicate):
        held(work)
    assert held(ids) == ["a"]


def test_an_id_that_is_held_twice_is_refused(held: Run) -> None:
    def work(tx: Tx) -> None:
        thing(tx, "a")
        thing(tx, "a")

    with pytest.raises(Duplicate):
        held(work)
    assert held(ids) == []


def test_a_refused_row_is_undone_with_the_savepoint_that_it_belongs_to(held: Run) -> None:
    held(lambda tx: thing(tx, "a"))

    def work(tx: Tx) -> None:
        thing(tx, "b")
        with suppress(Duplicate), tx.savepoint():
            thing(tx, "a")
            tx.hold(SUM, ("lost", 1))
            tx.flush()
        thing(tx, "c")

    held(work)
    assert held(ids) == ["a", "b", "c"]
    assert held(sums) == {}


def test_a_refused_row_from_before_a_savepoint_is_not_forgotten_with_it(held: Run) -> None:
    """Otherwise the caller that wrote it would be told that it is stored."""
    held(lambda tx: thing(tx, "a"))

    def work(tx: Tx) -> None:
        with tx.savepoint():
            thing(tx, "a")
        with suppress(Exception), tx.savepoint():
            thing(tx, "c")
            ids(tx)
        thing(tx, "d")

    with pytest.raises(StorageError):
        held(work)
    assert held(ids) == ["a"]


def test_a_refused_row_from_before_a_savepoint_ends_the_transaction_with_a_storage_error(held: Run) -> None:
    """The savepoint was never begun, so that the database has nothing to roll back to."""
    held(lambda tx: thing(tx, "a"))
    seen: list[Exception] = []

    def work(tx: Tx) -> None:
        thing(tx, "a")
        try:
            with tx.savepoint():
                ids(tx)
        except Exception as error:
            seen.append(error)
            raise

    with pytest.raises(StorageError):
        held(work)
    assert held(lambda tx: tx.dialect) == "sqlite" or isinstance(seen[0], Duplicate)  # SQLite ends the whole group
    assert held(ids) == ["a"]


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_an_integer_that_no_database_can_take_is_refused_before_it_is_held(held: Run, number: int) -> None:
    """When it was sent, it would fail the requests of others in the same transaction."""

    def work(tx: Tx) -> None:
        thing(tx, "of another")
        with suppress(OverflowError), tx.savepoint():
            tx.hold(SUM, ("a", number))

    held(work)
    assert held(ids) == ["of another"]


def test_a_row_that_the_database_cannot_take_fails_the_transaction_with_all_that_is_held(held: Run) -> None:
    def work(tx: Tx) -> None:
        tx.hold(SUM, ("\ud800", 1))  # half of a character
        thing(tx, "b")
        with suppress(Exception):
            ids(tx)

    with pytest.raises(StorageError):
        held(work)
    assert held(ids) == []


def test_a_table_that_refers_to_another_is_written_after_it() -> None:
    held = Held()
    other = inserting("other", ("id",), "t")
    for number in range(2):
        held.add(NAME, (str(number), 1))
        held.add(other, (str(number),))
    assert held.take() == [Batch(NAME, [("0", 1), ("1", 1)]), Batch(other, [("0",), ("1",)])]
    assert held.take() == []


def test_savepoints_that_end_before_anything_is_sent_are_never_sent() -> None:
    held = Held()
    for number in range(3):
        name, own = held.begin()
        assert own
        held.add(NAME, (str(number), 1))
        held.end(name)
    assert held.take() == [Batch(NAME, [("0", 1), ("1", 1), ("2", 1)])]


def test_a_savepoint_that_was_sent_is_released_before_what_comes_next() -> None:
    held = Held()
    name, _ = held.begin()
    held.add(NAME, ("a", 1))
    assert held.take() == [f"SAVEPOINT {name}", Batch(NAME, [("a", 1)])]
    held.end(name)
    held.add(NAME, ("b", 1))
    assert held.take() == [f"RELEASE SAVEPOINT {name}", Batch(NAME, [("b", 1)])]


NUMBERED = Migration("numbered", ("CREATE TABLE numbered (id {key}, name TEXT NOT NULL)",))
ROW = inserting("numbered", ("id", "name"), "it")


def test_rows_that_are_held_have_numbers_that_no_other_row_gets(database: Database) -> None:
    migrate(database, [NUMBERED])

    def add(tx: Tx, name: str) -> int:
        number = tx.number("numbered")
        tx.hold(ROW, (number, name))
        return number

    def work(tx: Tx) -> list[int]:
        given = [add(tx, "first")]
        with suppress(KeyError), tx.savepoint():
            given.append(add(tx, "undone"))
            raise KeyError
        given += [add(tx, "second") for _ in range(40)]
        tx.flush()
        given.append(add(tx, "third"))
        return given

    numbers = [number for _ in range(2) for number in database.write(work)]
    assert numbers == sorted(set(numbers))
    stored = database.read(lambda tx: tx.execute("SELECT id, name FROM numbered ORDER BY id"))
    assert [name for _, name in stored] == ["first", *["second"] * 40, "third"] * 2
    assert {number for number, _ in stored} < set(numbers)
