"""What only SQLite has: files that others write to, and connections that threads have opened."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tollkey.db import StorageError, Tx
from tollkey.db.sqlite import SQLite


def test_writing_a_file_does_not_wait_for_who_writes_the_attached_one(tmp_path: Path) -> None:
    logs = SQLite(tmp_path / "logs.db")
    logs.write(lambda tx: tx.execute("CREATE TABLE entries (text TEXT)"))
    database = SQLite(tmp_path / "main.db", attach=tmp_path / "logs.db")
    database.write(lambda tx: tx.execute("CREATE TABLE notes (text TEXT)"))
    logs.begin()
    logs.batch_tx().execute("INSERT INTO entries VALUES ('in the middle of it')")
    database._writing().execute("PRAGMA busy_timeout = 0")  # it would otherwise wait for ten seconds
    database.write(lambda tx: tx.execute("INSERT INTO notes VALUES ('written')"))
    logs.rollback()
    assert database.read(lambda tx: tx.execute("SELECT text FROM notes")) == [("written",)]
    logs.close()
    database.close()


def test_two_writers_of_one_file_still_wait_for_one_another(tmp_path: Path) -> None:
    first, second = SQLite(tmp_path / "main.db"), SQLite(tmp_path / "main.db")
    first.begin()
    second._writing().execute("PRAGMA busy_timeout = 0")
    with pytest.raises(StorageError):
        second.begin()
    first.rollback()
    second.begin()
    second.rollback()
    first.close()
    second.close()


def reading_while_it_closes(database: SQLite, work: Callable[[Tx], Any]) -> Any:
    """Close a database while a thread reads, and return what the read returns that goes on after that."""
    begun, closing = threading.Event(), threading.Event()

    def read(tx: Tx) -> Any:
        tx.execute("SELECT 1")
        begun.set()
        closing.wait(10)
        return work(tx)

    wait_for_others = database._wait_for_others

    def wait(until: float) -> None:
        closing.set()
        wait_for_others(until)

    def close() -> None:
        begun.wait(10)
        database.close()

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr(database, "_wait_for_others", wait)
        reads, closes = pool.submit(database.read, read), pool.submit(close)
        closes.result()
        return reads.result()


def test_a_read_that_has_begun_is_completed_when_another_thread_closes_the_database(tmp_path: Path) -> None:
    database = SQLite(tmp_path / "main.db")
    database.write(lambda tx: tx.execute("CREATE TABLE notes (text TEXT)"))
    assert reading_while_it_closes(database, lambda tx: tx.execute("SELECT count(*) FROM notes")) == [(0,)]
    for use in (database.read, database.write):
        with pytest.raises(StorageError):
            use(lambda tx: tx.execute("SELECT 1"))


def test_a_read_that_takes_too_long_is_not_waited_for_and_closes_its_connection_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tollkey.db.sqlite._FORK_SECONDS", 0)
    database = SQLite(tmp_path / "main.db")
    assert reading_while_it_closes(database, lambda tx: tx.execute("SELECT 2")) == [(2,)]
    assert all(not reader.busy for reader in database._readers)


def test_a_read_that_closes_its_own_database_is_completed(tmp_path: Path) -> None:
    database = SQLite(tmp_path / "main.db")
    assert database.read(lambda tx: database.close()) is None
    with pytest.raises(StorageError):
        database.read(lambda tx: None)


def test_a_transaction_on_a_connection_that_was_closed_is_an_error_of_storage(tmp_path: Path) -> None:
    database = SQLite(tmp_path / "main.db")
    with pytest.raises(StorageError):
        database.read(lambda tx: database._readers[0].connection.close())  # type: ignore[union-attr]
    with pytest.raises(StorageError):
        database.read(lambda tx: None)
    database.close()


def test_threads_that_have_ended_leave_no_connection_open(tmp_path: Path) -> None:
    """Pools of threads end idle ones and start new ones: a server would have no file left to open one day."""
    database, both = SQLite(tmp_path / "main.db"), threading.Barrier(2)
    opened = set()

    def read(tx: Tx) -> None:
        both.wait(5)
        opened.update(reader.connection for reader in database._readers)

    for _ in range(10):
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(lambda _: database.read(read), range(2)))
    assert len(opened) == 20
    assert len(database._readers) == 2
    for connection in opened - {reader.connection for reader in database._readers}:
        assert connection is not None
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")
    database.close()
