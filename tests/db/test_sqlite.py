"""Two SQLite files, one of which reads the tables of the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tollkey.db import StorageError
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
