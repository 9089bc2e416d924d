"""What both engines promise to everybody above them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tollkey.db import Database, Duplicate, Migration, SQLite, StorageError, Tx, migrate
from tollkey.db.postgres import Postgres

NOTES = Migration("notes", ("CREATE TABLE notes (id TEXT PRIMARY KEY, number {int}, body {blob}, flag {bool})",))


@pytest.fixture
def notes(database: Database) -> Database:
    migrate(database, [NOTES])
    return database


def add(tx: Tx, id: str, number: int = 0) -> str:
    tx.execute("INSERT INTO notes (id, number) VALUES (?, ?)", (id, number))
    return id


def all_ids(database: Database) -> list[str]:
    return [id for (id,) in database.read(lambda tx: tx.execute("SELECT id FROM notes ORDER BY id"))]


def test_what_a_write_wrote_is_there_after_it_returned(notes: Database) -> None:
    assert notes.write(lambda tx: add(tx, "a")) == "a"
    assert all_ids(notes) == ["a"]


def test_a_write_that_raises_leaves_nothing(notes: Database) -> None:
    def work(tx: Tx) -> None:
        add(tx, "a")
        raise KeyError("no")

    with pytest.raises(KeyError):
        notes.write(work)
    assert all_ids(notes) == []


def test_values_come_back_as_they_went_in(notes: Database) -> None:
    row = ("%s ? '", 2**63 - 1, bytes(range(256)), True)
    notes.write(lambda tx: tx.execute("INSERT INTO notes VALUES (?, ?, ?, ?)", row))
    assert notes.read(lambda tx: tx.execute("SELECT * FROM notes")) == [("%s ? '", 2**63 - 1, bytes(range(256)), 1)]


def test_none_is_stored_as_null(notes: Database) -> None:
    notes.write(lambda tx: tx.execute("INSERT INTO notes VALUES (?, ?, ?, ?)", ("a", None, None, False)))
    assert notes.read(lambda tx: tx.execute("SELECT * FROM notes WHERE number IS NULL")) == [("a", None, None, 0)]


def test_question_marks_and_percent_signs_in_quotes_are_text(notes: Database) -> None:
    notes.write(lambda tx: [add(tx, "5%?"), add(tx, "5x?")])
    sql = "SELECT id, 'a?b%s' FROM notes WHERE id LIKE '5%?' AND id <> ?"
    assert notes.read(lambda tx: tx.execute(sql, ("5x?",))) == [("5%?", "a?b%s")]


def test_a_sum_of_integers_is_an_integer(notes: Database) -> None:
    notes.write(lambda tx: [add(tx, "a", 2**40), add(tx, "b", 1)])
    [(total,)] = notes.read(lambda tx: tx.execute("SELECT sum(number) FROM notes"))
    assert (total, type(total)) == (2**40 + 1, int)


def test_a_write_can_return_rows(notes: Database) -> None:
    notes.write(lambda tx: add(tx, "a", 1))
    assert notes.write(
        lambda tx: tx.execute("UPDATE notes SET number = number + ? WHERE id = ? RETURNING number", (4, "a"))
    ) == [(5,)]


def test_the_same_id_twice_is_a_duplicate(notes: Database) -> None:
    notes.write(lambda tx: add(tx, "a", 1))
    with pytest.raises(Duplicate):
        notes.write(lambda tx: add(tx, "a", 2))
    assert notes.read(lambda tx: tx.execute("SELECT number FROM notes")) == [(1,)]


def test_a_wrong_statement_is_a_storage_error_but_no_duplicate(notes: Database) -> None:
    with pytest.raises(StorageError) as caught:
        notes.write(lambda tx: tx.execute("INSERT INTO nowhere VALUES (1)"))
    assert not isinstance(caught.value, Duplicate)


def test_a_read_that_raises_leaves_the_connection_usable(notes: Database) -> None:
    with pytest.raises(StorageError):
        notes.read(lambda tx: tx.execute("SELECT * FROM nowhere"))
    assert all_ids(notes) == []


def test_a_read_cannot_write(notes: Database) -> None:
    with pytest.raises(StorageError):
        notes.read(lambda tx: add(tx, "a"))
    assert all_ids(notes) == []


def test_a_failed_savepoint_undoes_its_own_part_only(notes: Database) -> None:
    def work(tx: Tx) -> None:
        add(tx, "before")
        with suppress(Duplicate), tx.savepoint():
            add(tx, "inside")
            add(tx, "before")
        add(tx, "after")

    notes.write(work)
    assert all_ids(notes) == ["after", "before"]


def test_savepoints_nest_and_fail_alone(notes: Database) -> None:
    def work(tx: Tx) -> None:
        with tx.savepoint():
            add(tx, "outer")
            with suppress(KeyError), tx.savepoint():
                add(tx, "inner")
                raise KeyError
            with tx.savepoint():
                add(tx, "second")

    notes.write(work)
    assert all_ids(notes) == ["outer", "second"]


def test_what_a_failed_savepoint_would_have_told_is_not_told(notes: Database) -> None:
    told: list[str] = []
    notes.subscribe("channel", told.append)

    def work(tx: Tx) -> None:
        tx.notify("channel", "one")
        with suppress(KeyError), tx.savepoint():
            tx.notify("channel", "two")
            tx.on_commit(lambda: told.append("two, on commit"))
            raise KeyError
        tx.notify("channel", "three")

    notes.write(work)
    assert told == ["one", "three"]


def test_subscribers_are_told_before_the_write_returns_and_after_it_is_kept(notes: Database) -> None:
    told: list[tuple[str, list[str]]] = []
    notes.subscribe("channel", lambda payload: told.append((payload, all_ids(notes))))

    def work(tx: Tx) -> None:
        add(tx, "a")
        tx.notify("channel", "a is here")

    notes.write(work)
    assert told == [("a is here", ["a"])]


def test_other_channels_are_not_told(notes: Database) -> None:
    told: list[str] = []
    notes.subscribe("other", told.append)
    notes.write(lambda tx: tx.notify("channel", "payload"))
    assert told == []


def test_an_undone_write_tells_nobody(notes: Database) -> None:
    told: list[str] = []
    notes.subscribe("channel", told.append)

    def work(tx: Tx) -> None:
        tx.notify("channel", "no")
        tx.on_commit(lambda: told.append("no"))
        raise KeyError

    with pytest.raises(KeyError):
        notes.write(work)
    notes.write(lambda tx: tx.notify("channel", "yes"))
    assert told == ["yes"]


def test_on_commit_runs_once_the_write_is_kept(notes: Database) -> None:
    seen: list[list[str]] = []

    def work(tx: Tx) -> None:
        add(tx, "a")
        tx.on_commit(lambda: seen.append(all_ids(notes)))

    notes.write(work)
    assert seen == [["a"]]


def test_a_reader_sees_one_snapshot_however_often_it_looks(notes: Database) -> None:
    wrote = threading.Event()

    def write() -> None:
        notes.write(lambda tx: add(tx, "a"))
        wrote.set()

    def work(tx: Tx) -> tuple[object, object]:
        first = tx.execute("SELECT count(*) FROM notes")
        thread = threading.Thread(target=write)
        thread.start()
        assert wrote.wait(5)
        thread.join()
        return first, tx.execute("SELECT count(*) FROM notes")

    assert notes.read(work) == ([(0,)], [(0,)])
    assert all_ids(notes) == ["a"]


def test_writes_with_one_lock_follow_one_another(notes: Database) -> None:
    notes.write(lambda tx: add(tx, "counter"))

    def count(tx: Tx) -> None:
        [(number,)] = tx.execute("SELECT number FROM notes WHERE id = ?", ("counter",))
        tx.execute("UPDATE notes SET number = ? WHERE id = ?", (number + 1, "counter"))

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(notes.write, count, "counter") for _ in range(80)]:
            done.result()
    assert notes.read(lambda tx: tx.execute("SELECT number FROM notes")) == [(80,)]


def test_an_int_too_large_for_64_bits_is_refused(notes: Database) -> None:
    with pytest.raises((StorageError, OverflowError)):
        notes.write(lambda tx: add(tx, "a", 2**63))
    assert all_ids(notes) == []


def test_closing_twice_is_safe(database: Database) -> None:
    database.close()
    database.close()


def test_a_write_after_closing_is_a_storage_error(database: Database) -> None:
    database.close()
    with pytest.raises(StorageError):
        database.write(lambda tx: tx.execute("SELECT 1"))


def test_migrations_are_applied_once(database: Database) -> None:
    assert migrate(database, [NOTES]) == 1
    assert migrate(database, [NOTES]) == 0


def test_an_appended_migration_is_the_only_one_applied(database: Database) -> None:
    migrate(database, [NOTES])
    longer = NOTES._replace(statements=(*NOTES.statements, "ALTER TABLE notes ADD COLUMN author TEXT"))
    assert migrate(database, [longer]) == 1
    assert database.read(lambda tx: tx.execute("SELECT author FROM notes")) == []


def test_a_failing_migration_leaves_nothing_of_its_batch(database: Database) -> None:
    with pytest.raises(StorageError):
        migrate(database, [NOTES, Migration("wrong", ("CREATE TABLE",))])
    assert migrate(database, [NOTES]) == 1


def test_two_nodes_may_migrate_at_the_same_time(database: Database, request: pytest.FixtureRequest) -> None:
    if isinstance(database, SQLite):
        nodes: list[Database] = [database, SQLite(database.path, "other")]
    else:
        nodes = [database, Postgres(request.getfixturevalue("postgres_url"))]
    many = [Migration(f"m{n}", (f"CREATE TABLE t{n} (id TEXT)",)) for n in range(10)]
    with ThreadPoolExecutor(2) as threads:
        new = list(threads.map(lambda node: migrate(node, many), nodes))
    nodes[1].close()
    assert sorted(new) == [0, 10]
