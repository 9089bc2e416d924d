"""A database gets what a newer version needs while nodes of the older version go on writing."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.long_texts import long_text
from tollkey.db import Database, Ids, Migration, Scope, Table, Tx, migrate
from tollkey.db.filling import expression, triggers_there
from tollkey.db.migrating import SMALL, find, finish, run
from tollkey.db.postgres import Postgres
from tollkey.db.table import column

SCOPE = Scope("acct_1", False)
BEFORE, NOW = Table("thing", ("size",)), Table("thing", ("size", "colour", "_owner", "at.place"))
MODULES = (Migration("shop", ("CREATE TABLE notes (id {key}, text TEXT NOT NULL)",)),)
LATER = (
    Migration(
        "shop",
        (
            *MODULES[0].statements,
            "ALTER TABLE notes ADD COLUMN by_whom TEXT",
            "CREATE INDEX notes_by ON notes (by_whom)",
        ),
    ),
)
VALUES: tuple[Any, ...] = (
    "red", "", "it's", 'a "quoted" \\ one', "é—𝄞", 7, -1, 0, 2**53, True, False, None, ["red"], {"red": 1}, 1.5,
    "𝄞" * 600, long_text(601), long_text(5_000),
)  # fmt: skip


def store(table: Table, tx: Tx, id: str, colour: Any, *, again: bool = False) -> None:
    """Store an object as a node does. again: whether it is there already."""
    public = {"id": id, "colour": colour, "at": {"place": colour}, "note": "\0\0 \\\0"}
    private = {"_owner": colour}
    body, hidden = (json.dumps(one, ensure_ascii=False).encode() for one in (public, private))
    write = table.update if again else table.insert
    write(tx, SCOPE, id, 1, body, hidden, table.values({**public, **private}))


def rows(tx: Tx) -> list[tuple[Any, ...]]:
    """The values in the columns, and those that they ought to have."""
    names = ", ".join(map(column, NOW.indexed))
    found = []
    for stored in tx.execute(f"SELECT body, private, {names} FROM obj_thing ORDER BY seq"):
        value = {**json.loads(bytes(stored[0])), **json.loads(bytes(stored[1]))}
        found.append((tuple(stored[2:]), tuple(NOW.values(value))))
    return found


@pytest.fixture
def older(database: Database) -> Database:
    """A database that the older version has filled."""
    run(database, MODULES, [BEFORE])

    def work(tx: Tx) -> None:
        for number, value in enumerate(VALUES):
            store(BEFORE, tx, f"th_{number}", value)
        tx.execute("INSERT INTO notes (text) VALUES ('a')")

    database.write(work)
    return database


def right(database: Database) -> int:
    """How many rows there are, all with the right values and found by them."""
    found = database.read(rows)
    assert [was for was, _ in found] == [ought for _, ought in found]
    return len(found)


def test_new_columns_are_filled_as_python_does_and_indexed(older: Database) -> None:
    told: list[str] = []
    run(older, LATER, [NOW], told.append, piece=4)
    assert right(older) == len(VALUES)
    assert [record.id for record in older.read(lambda tx: NOW.page(tx, SCOPE, 9, {"colour": "true"}))] == ["th_9"]
    assert older.read(lambda tx: find(tx, LATER, [NOW])).lines() == []
    assert [line for line in told if "colour" in line] == ["indexing obj_thing.ix_colour"]
    assert "filling obj_thing: 8 rows so far" in told
    older.write(lambda tx: tx.execute("INSERT INTO notes (text, by_whom) VALUES ('b', 'me')"))


def test_the_steps_are_listed_before_they_are_done(older: Database) -> None:
    plan = older.read(lambda tx: find(tx, LATER, [NOW, Table("other")]))
    late = "index notes (1 rows)" if older.dialect == "postgres" else "shop 2: CREATE INDEX notes_by ON notes (by_whom)"
    assert sorted(plan.lines()) == sorted(
        [
            "shop 1: ALTER TABLE notes ADD COLUMN by_whom TEXT",
            late,
            "create obj_other",
            *(f"add obj_thing.{column(name)}" for name in ("colour", "_owner", "at.place")),
            *(
                f"fill and index obj_thing.{column(name)} ({len(VALUES)} rows)"
                for name in ("colour", "_owner", "at.place")
            ),
        ]
    )
    assert plan.small


def test_a_table_of_more_than_ten_thousand_rows_is_not_small(older: Database) -> None:
    insert = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO obj_thing"
        " (account, livemode, id, created, body) SELECT 'acct_2', 0, 'th_' || i, 1, ? FROM n"
    )
    older.write(lambda tx: tx.execute(insert, (SMALL, b"{}")))
    plan = older.read(lambda tx: find(tx, MODULES, [NOW]))
    assert not plan.small
    assert "fill and index obj_thing.ix_colour (more than 10,000 rows)" in plan.lines()


def test_a_run_that_was_interrupted_is_repeated(older: Database) -> None:
    class Interrupted(Exception):
        pass

    def stop_at(words: str) -> Callable[[str], None]:
        def progress(line: str) -> None:
            if line.startswith(words):
                raise Interrupted

        return progress

    for words in ("filling obj_thing: 4 rows", "indexing obj_thing.ix__owner"):
        with pytest.raises(Interrupted):
            run(older, LATER, [NOW], stop_at(words), piece=4)
        assert older.read(lambda tx: find(tx, LATER, [NOW])).fills != []
    run(older, LATER, [NOW])
    assert right(older) == len(VALUES)
    assert older.read(lambda tx: find(tx, LATER, [NOW])).lines() == []


def test_a_library_migrates_in_one_transaction(older: Database) -> None:
    assert migrate(older, LATER) == 2
    assert migrate(older, LATER) == 0


# -- nodes of the older version, on PostgreSQL


@pytest.fixture
def old_node(postgres_url: str) -> Iterator[Database]:
    opened = Postgres(postgres_url)
    yield opened
    opened.close()


@pytest.fixture
def on_postgres(postgres_url: str) -> Iterator[Database]:
    opened = Postgres(postgres_url)
    run(opened, MODULES, [BEFORE])
    opened.write(lambda tx: [store(BEFORE, tx, f"th_{number}", "red") for number in range(40)])
    yield opened
    opened.close()


def test_older_nodes_read_and_write_between_all_steps_and_nothing_is_missed(
    on_postgres: Database, old_node: Database
) -> None:
    written: list[str] = []

    def as_older_node(line: str) -> None:
        id = f"th_late_{len(written)}"

        def work(tx: Tx) -> None:
            tx.execute("SET LOCAL lock_timeout = '1ms'")
            store(BEFORE, tx, id, "blue")
            store(BEFORE, tx, "th_0", len(written), again=True)
            store(BEFORE, tx, "th_39", len(written), again=True)
            assert BEFORE.get(tx, SCOPE, "th_20") is not None
            tx.execute("INSERT INTO notes (text) VALUES (?)", (line,))

        old_node.write(work)
        written.append(id)

    run(on_postgres, LATER, [NOW], as_older_node, piece=10)
    as_older_node("after it")
    assert right(on_postgres) == 40 + len(written)
    found = on_postgres.read(lambda tx: NOW.page(tx, SCOPE, 99, {"colour": "blue"}))
    assert {record.id for record in found} == set(written)


def test_older_nodes_write_all_the_time_and_nothing_is_missed(on_postgres: Database, old_node: Database) -> None:
    stop, going, ids = threading.Event(), threading.Event(), Ids()
    written = 0

    def one(tx: Tx) -> None:
        store(BEFORE, tx, ids.new("th"), "blue")
        store(BEFORE, tx, f"th_{written % 40}", written, again=True)

    def load() -> None:
        nonlocal written
        while not stop.is_set():
            old_node.write(one)
            written += 1
            going.set()

    thread = threading.Thread(target=load)
    thread.start()
    assert going.wait(20)
    try:
        run(on_postgres, LATER, [NOW], piece=7)
    finally:
        stop.set()
        thread.join()
    assert right(on_postgres) == 40 + written


def test_the_triggers_for_older_nodes_are_removed_when_none_is_left(on_postgres: Database) -> None:
    run(on_postgres, LATER, [NOW])
    assert len(on_postgres.read(triggers_there)) == 3
    assert finish(on_postgres) == 3
    assert on_postgres.read(triggers_there) == []
    on_postgres.write(lambda tx: store(NOW, tx, "th_new", "green"))
    assert right(on_postgres) == 41


def test_an_index_whose_creation_failed_is_created_again(on_postgres: Database) -> None:
    run(on_postgres, MODULES, [NOW])
    on_postgres.write(
        lambda tx: tx.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'obj_thing_ix_colour'::regclass"
        )
    )
    assert on_postgres.read(lambda tx: find(tx, MODULES, [NOW])).lines() == [
        "fill and index obj_thing.ix_colour (40 rows)"
    ]
    run(on_postgres, MODULES, [NOW])
    assert on_postgres.read(lambda tx: find(tx, MODULES, [NOW])).lines() == []


def test_an_index_is_dropped_after_the_one_that_replaces_it_was_created(
    on_postgres: Database, old_node: Database
) -> None:
    """In between older nodes would read the whole table."""
    first = (*MODULES[0].statements, "CREATE INDEX notes_text ON notes (text)")
    replacing = (*first, "CREATE INDEX notes_both ON notes (text, id)", "DROP INDEX notes_text")
    run(on_postgres, (Migration("shop", first),), [BEFORE])
    indexes = "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND indexname LIKE 'notes\\_%'"
    seen: list[tuple[str, set[str]]] = []

    def look(line: str) -> None:
        seen.append((line, {name for (name,) in old_node.read(lambda tx: tx.execute(indexes))} - {"notes_pkey"}))

    later = (Migration("shop", replacing),)
    plan = on_postgres.read(lambda tx: find(tx, later, [BEFORE]))
    assert plan.lines() == ["index notes (0 rows)", "DROP INDEX notes_text"]
    run(on_postgres, later, [BEFORE], look)
    look("after it")
    assert seen == [
        ("indexing notes", {"notes_text"}),
        ("dropping index notes_text", {"notes_text", "notes_both"}),
        ("after it", {"notes_both"}),
    ]
    assert on_postgres.read(lambda tx: find(tx, later, [BEFORE])).lines() == []


@pytest.mark.parametrize("finishing", [False, True])
def test_a_table_that_a_long_transaction_uses_is_tried_again(
    on_postgres: Database, old_node: Database, finishing: bool
) -> None:
    begun, end = threading.Event(), threading.Event()
    if finishing:
        run(on_postgres, LATER, [NOW])

    def long(tx: Tx) -> None:
        tx.execute("SELECT count(*) FROM obj_thing")
        begun.set()
        assert end.wait(20)

    thread = threading.Thread(target=lambda: old_node.read(long))
    thread.start()
    assert begun.wait(20)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        end.set()
        thread.join()

    if finishing:
        assert finish(on_postgres, pause) == 3
    else:
        run(on_postgres, LATER, [NOW], pause=pause)
    assert pauses == [1.0]
    assert right(on_postgres) == 40


def test_one_process_at_a_time_creates_indexes(on_postgres: Database, old_node: Database) -> None:
    order: list[str] = []
    with on_postgres.alone() as execute:
        thread = threading.Thread(target=lambda: run(old_node, LATER, [NOW], order.append))
        thread.start()
        execute("SELECT 1")
        order.append("first")
    thread.join()
    assert order[0] == "first"
    assert right(on_postgres) == 40


def test_no_time_out_of_the_role_ends_the_creation_of_an_index(postgres_url: str) -> None:
    """Behind PgBouncer the bounds are set with ALTER ROLE: they would end every attempt for a large table."""
    bounded = "lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"
    opened = Postgres(postgres_url + "".join(f"%20-c{name}%3D20s" for name in bounded))
    try:
        with opened.alone() as execute:
            for name in bounded:
                execute(f"DO $$ BEGIN ASSERT current_setting('{name}') = '0'; END $$")
    finally:
        opened.close()


def test_a_field_of_the_private_part_is_looked_up_there() -> None:
    assert "private" in expression("sqlite", "_owner")
    assert "body" in expression("sqlite", "owner")
