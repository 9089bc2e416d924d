"""A query sees what its transaction holds, as if it had been written, and writes nothing for it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tollkey.db import Database, Duplicate, Scope, Table, Tx

SCOPE, OTHER = Scope("acct_1", False), Scope("acct_1", True)
THINGS = Table("thing", ("colour", "owner"))
Seen = list[tuple[str, int, bytes, bytes | None]]
Run = Callable[[Callable[[Tx], Any]], Any]


@pytest.fixture
def run(database: Database) -> Run:
    database.write(lambda tx: tx.execute_script(THINGS.create(tx.dialect)))
    return database.write


def insert(tx: Tx, id: str, colour: str | None, owner: str = "a", created: int = 1, scope: Scope = SCOPE) -> None:
    THINGS.insert(tx, scope, id, created, id.encode(), None, [colour, owner])


def update(tx: Tx, id: str, colour: str | None, owner: str = "a", created: int = 1) -> None:
    THINGS.update(tx, SCOPE, id, created, b"updated", b"{}", [colour, owner])


def found(tx: Tx, limit: int = 10, oldest_first: bool = False, **equal: Any) -> list[str]:
    return [record.id for record in THINGS.matching(tx, SCOPE, limit, equal, oldest_first)]


def test_what_is_held_is_found_and_stays_held(run: Run) -> None:
    run(lambda tx: insert(tx, "stored", "red"))

    def work(tx: Tx) -> None:
        insert(tx, "held", "red")
        insert(tx, "blue", "blue")
        insert(tx, "live", "red", scope=OTHER)
        assert found(tx, colour="red") == ["held", "stored"]
        assert found(tx, colour="red", oldest_first=True) == ["stored", "held"]
        assert found(tx, colour=["red", "blue"], owner="a") == ["blue", "held", "stored"]
        assert found(tx, colour="red", owner="b") == []
        assert found(tx, limit=1, colour="red") == ["held"]
        assert found(tx, id="held") == ["held"]
        assert tx.held.taken == 0

    run(work)
    assert run(lambda tx: found(tx, colour="red")) == ["held", "stored"]


def test_a_held_change_takes_an_object_out_of_the_answer_and_into_it(run: Run) -> None:
    run(lambda tx: [insert(tx, id, "red") for id in ("a", "b", "c")])

    def work(tx: Tx) -> None:
        update(tx, "b", "blue")
        assert found(tx, colour="red") == ["c", "a"]
        assert tx.held.taken == 0
        THINGS.rewrite(tx, SCOPE, "c", b"rewritten", None)
        assert [one.body for one in THINGS.matching(tx, SCOPE, 5, {"colour": "red"})] == [b"rewritten", b"a"]
        assert tx.held.taken == 0
        assert found(tx, colour="blue") == ["b"]  # its number is not known, so it is written first
        assert tx.held.taken == 1

    run(work)


def test_what_a_savepoint_has_undone_is_not_found(run: Run) -> None:
    def work(tx: Tx) -> None:
        insert(tx, "first", "red")
        with pytest.raises(KeyError), tx.savepoint():  # noqa: PT012
            insert(tx, "second", "red")
            update(tx, "first", "blue")
            raise KeyError
        assert found(tx, colour="red") == ["first"]

    run(work)


def test_only_what_is_held_is_looked_at_where_nothing_can_be_stored(run: Run) -> None:
    run(lambda tx: insert(tx, "stored", "red"))

    def work(tx: Tx) -> list[str]:
        insert(tx, "held", "red")
        return [one.id for one in THINGS.matching(tx, SCOPE, 5, {"colour": "red"}, only_held=True)]

    assert run(work) == ["held"]


def test_two_of_one_id_are_refused_when_they_are_written(run: Run) -> None:
    def work(tx: Tx) -> None:
        insert(tx, "a", "red")
        insert(tx, "a", "red")
        found(tx, colour="red")

    with pytest.raises(Duplicate):
        run(work)


def seen(records: Sequence[Any]) -> Seen:
    return [(one.id, one.created, bytes(one.body), one.private and bytes(one.private)) for one in records]


@pytest.mark.parametrize("seed", range(25))
def test_it_is_what_would_be_found_if_everything_had_been_written(run: Run, seed: int) -> None:
    chance = random.Random(seed)

    def change(tx: Tx, ids: list[str]) -> None:
        colour, owner, created = chance.choice(["red", "blue", None]), chance.choice("ab"), chance.randint(1, 3)
        kind, id = chance.choice("iiur"), chance.choice(ids) if ids else ""
        if kind == "i" or not ids:
            ids.append(f"thing_{len(ids)}")
            insert(tx, ids[-1], colour, owner, created)
        elif kind == "u":
            update(tx, id, colour, owner, int(id.removeprefix("thing_")) % 3 + 1)
        else:
            THINGS.rewrite(tx, SCOPE, id, b"rewritten", None)

    def work(tx: Tx) -> None:
        ids: list[str] = []
        for _ in range(6):
            for _ in range(chance.randint(0, 5)):
                change(tx, ids)
            if chance.random() < 0.4:
                tx.flush()
            for _ in range(chance.randint(0, 5)):
                change(tx, ids)
            limit, oldest = chance.randint(1, 6), chance.random() < 0.5
            equal: dict[str, Any] = {"colour": chance.choice(["red", ["red", "blue"]])}
            if chance.random() < 0.5:
                equal["owner"] = "a"
            before = seen(THINGS.matching(tx, SCOPE, limit, equal, oldest))
            assert before == seen(THINGS.page(tx, SCOPE, limit, equal, oldest_first=oldest))

    run(work)
