"""Rows are copied between databases of either kind, in one snapshot, and compared."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tollkey.db import Database, Migration, Row, SQLite, StorageError, Tx, migrate
from tollkey.db import transfer_sqlite as on_sqlite
from tollkey.db.opening import postgres_transfer
from tollkey.db.postgres import Postgres
from tollkey.db.transfer import NotAlike, NotEqual, Readable, Sum, Writable, contents, copy_all, empty

TABLES = Migration(
    "shop",
    (
        "CREATE TABLE a_line (id {key}, orders {int} NOT NULL REFERENCES orders (id), text TEXT)",
        "CREATE TABLE orders (id {key}, paid {bool} NOT NULL, body {blob} NOT NULL)",
    )[::-1],
)


class Place:
    """A database with the tables. url: of PostgreSQL, or the file's path."""

    def __init__(self, database: Database, url: str, migrations: Sequence[Migration] = (TABLES,)) -> None:
        migrate(database, migrations)
        self.database = database
        self._url = url

    def reading(self) -> AbstractContextManager[Readable]:
        file = isinstance(self.database, SQLite)
        return on_sqlite.reading(Path(self._url)) if file else postgres_transfer(self._url).reading()

    def writing(self) -> AbstractContextManager[Writable]:
        file = isinstance(self.database, SQLite)
        return on_sqlite.writing(Path(self._url)) if file else postgres_transfer(self._url).writing()

    def fill(self) -> None:
        def work(tx: Tx) -> None:
            orders = [(1, b"\0\xff"), (0, b""), (1, "é".encode())]
            tx.execute_many("INSERT INTO orders (paid, body) VALUES (?, ?)", orders)
            tx.execute_many("INSERT INTO a_line (orders, text) VALUES (?, ?)", [(1, None), (3, "it's \\N\t\n—")])
            tx.execute("DELETE FROM orders WHERE id = 2")
            tx.execute("INSERT INTO orders (id, paid, body) VALUES (?, 0, ?)", (2, b"late"))

        self.database.write(work)

    def contents(self) -> dict[str, Sum]:
        with self.reading() as tables:
            return contents(tables, silent)


def silent(_table: str, _rows: int) -> None:
    """No reports."""


@pytest.fixture(params=["sqlite to postgres", "postgres to sqlite"])
def places(request: pytest.FixtureRequest, tmp_path: Path, postgres_url: str) -> Iterator[tuple[Place, Place]]:
    """A database with rows and an empty one."""
    file = tmp_path / "shop.db"
    both = Place(SQLite(file), str(file)), Place(Postgres(postgres_url), postgres_url)
    source, target = both if request.param == "sqlite to postgres" else both[::-1]
    source.fill()
    if isinstance(target.database, SQLite):
        target.database.close()
    yield source, target
    for place in both:
        place.database.close()


def test_what_is_copied_is_equal_and_each_table_is_reported(places: tuple[Place, Place]) -> None:
    source, target = places
    told: list[tuple[str, int]] = []
    with source.reading() as rows, target.writing() as tables:
        assert empty(tables)
        copied = copy_all(rows, tables, lambda table, rows: told.append((table, rows)))
    assert copied == source.contents() == target.contents()
    assert {table: one.rows for table, one in copied.items()} == {"orders": 3, "a_line": 2}
    assert told[:2] == [("orders", 3), ("a_line", 5)]
    with target.reading() as tables:
        assert tables.counters() == {"orders": 3, "a_line": 2}
        assert not empty(tables)


def test_a_row_that_arrives_changed_rolls_everything_back(places: tuple[Place, Place]) -> None:
    source, target = places
    before = target.contents()

    class Forgetting:
        """A target that stores another text."""

        def __init__(self, inner: Writable) -> None:
            self._inner = inner

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

        def insert(self, table: str, columns: Sequence[str], batches: Iterator[Sequence[Row]]) -> None:
            changed = ([tuple("?" if cell is None else cell for cell in row) for row in batch] for batch in batches)
            self._inner.insert(table, columns, changed)

    def copy() -> None:
        with source.reading() as rows, target.writing() as tables:
            copy_all(rows, Forgetting(tables), silent)

    with pytest.raises(NotEqual, match="a_line"):
        copy()
    assert target.contents() == before


@pytest.mark.parametrize(
    ("extra", "whose", "said"),
    [
        (Migration("new", ("CREATE TABLE later (id {key})",)), "target", "an older version"),
        (Migration("new", ("CREATE TABLE later (id {key})",)), "source", "a newer version"),
    ],
)
def test_databases_of_different_versions_are_refused(tmp_path: Path, extra: Migration, whose: str, said: str) -> None:
    places = {}
    for name in ("source", "target"):
        file = tmp_path / f"{name}.db"
        places[name] = Place(SQLite(file), str(file), (TABLES, extra) if name == whose else (TABLES,))
        places[name].database.close()
    with places["source"].reading() as rows, places["target"].writing() as tables, pytest.raises(NotAlike, match=said):
        copy_all(rows, tables, silent)


def test_a_column_of_an_index_that_was_given_up_stays_behind_and_any_other_is_refused(tmp_path: Path) -> None:
    files = [tmp_path / "old.db", tmp_path / "new.db"]
    source, target = (Place(SQLite(file), str(file)) for file in files)
    source.fill()
    source.database.write(lambda tx: tx.execute("ALTER TABLE orders ADD COLUMN ix_colour TEXT"))
    target.database.close()
    with source.reading() as rows, target.writing() as tables:
        copy_all(rows, tables, silent)
    source.database.write(lambda tx: tx.execute("ALTER TABLE orders ADD COLUMN colour TEXT"))
    source.database.close()
    with source.reading() as rows, target.reading() as tables, pytest.raises(NotAlike, match="colour"):
        copy_all(rows, tables, silent)


def test_a_file_in_use_is_copied_as_it_is_at_one_moment(tmp_path: Path) -> None:
    source = Place(SQLite(tmp_path / "shop.db"), str(tmp_path / "shop.db"))
    source.fill()
    source.database.write(
        lambda tx: tx.execute_many("INSERT INTO orders (paid, body) VALUES (0, ?)", [(b"x" * 4000,)] * 9)
    )
    before = source.contents()

    def percent(_percent: int) -> None:
        source.database.write(lambda tx: tx.execute("INSERT INTO orders (paid, body) VALUES (0, ?)", (b"late",)))

    assert on_sqlite.back_up(tmp_path / "shop.db", tmp_path / "kept.db", percent, silent) == before
    assert on_sqlite.verified(tmp_path / "kept.db", silent) == before != source.contents()
    source.database.close()
    with pytest.raises(FileExistsError):
        on_sqlite.back_up(tmp_path / "shop.db", tmp_path / "kept.db", percent, silent)


def test_a_damaged_file_is_found(tmp_path: Path) -> None:
    file = tmp_path / "shop.db"
    place = Place(SQLite(file), str(file))
    place.fill()
    place.database.close()
    content = bytearray(file.read_bytes())
    content[4096 * 2 : 4096 * 2 + 64] = b"\xff" * 64
    file.write_bytes(content)
    with pytest.raises(StorageError):
        on_sqlite.verified(file, silent)


def test_rows_that_refer_to_nothing_are_not_stored(tmp_path: Path) -> None:
    file = tmp_path / "shop.db"
    Place(SQLite(file), str(file)).database.close()
    with pytest.raises(StorageError, match="a_line"), on_sqlite.writing(file) as tables:
        tables.insert("a_line", ("id", "orders"), iter([[(1, 77)]]))
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT count(*) FROM a_line").fetchone() == (0,)
    connection.close()


def test_servers_on_postgresql_are_counted(postgres_server: Callable[[str], str]) -> None:
    url = postgres_server("postgres")
    before = postgres_transfer(url).servers()
    database = Postgres(url)
    database.read(lambda tx: tx.execute("SELECT 1"))
    assert postgres_transfer(url).servers() > before
    database.close()
