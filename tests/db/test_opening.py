from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tollkey.db import SQLite, StorageError, open_database
from tollkey.db.opening import sqlite_file
from tollkey.db.postgres import Postgres
from tollkey.db.sqlite_connection import connect


def test_a_plain_path_is_an_sqlite_file(tmp_path: Path) -> None:
    database = open_database(str(tmp_path / "new folder" / "a.db"), "test")
    assert isinstance(database, SQLite)
    assert database.path == tmp_path / "new folder" / "a.db"
    database.close()


def test_an_sqlite_url_with_four_slashes_is_absolute(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/a.db", "test")
    assert isinstance(database, SQLite)
    assert database.path == tmp_path / "a.db"
    database.close()


def test_an_sqlite_url_with_three_slashes_is_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    database = open_database("sqlite:///a.db", "test")
    assert (tmp_path / "a.db").exists()
    database.close()


def test_a_postgresql_url_is_postgres(postgres_url: str) -> None:
    database = open_database(postgres_url, "test")
    assert isinstance(database, Postgres)
    database.close()


def test_an_sqlite_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    database = open_database(str(tmp_path / "a.db"), "test")
    assert (tmp_path / "a.db").stat().st_mode & 0o777 == 0o600
    database.close()


@pytest.mark.parametrize("setting", ["mysql://user:hush@host/name", "", ":memory:", "sqlite:///"])
def test_other_settings_are_refused_without_repeating_them(setting: str) -> None:
    with pytest.raises(ValueError, match=r"database") as caught:
        open_database(setting, "test")
    assert "hush" not in str(caught.value)


def _start_of_a_new_file(path: Path) -> sqlite3.Connection:
    """Return a connection that is writing to a new file, which is not in WAL mode yet."""
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("CREATE TABLE t (x)")
    holder.execute("BEGIN IMMEDIATE")
    return holder


def test_a_connection_waits_for_the_one_that_writes_to_a_new_file(tmp_path: Path) -> None:
    holder = _start_of_a_new_file(tmp_path / "a.db")
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            holder.execute("COMMIT")

    connection = connect(tmp_path / "a.db", None, pause=pause)
    assert len(pauses) == 3
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    holder.close()


def test_a_file_that_stays_locked_is_refused_after_ten_seconds(tmp_path: Path) -> None:
    holder = _start_of_a_new_file(tmp_path / "a.db")
    pauses: list[float] = []
    with pytest.raises(StorageError):
        connect(tmp_path / "a.db", None, pause=pauses.append)
    assert 9.5 < sum(pauses) <= 10
    holder.close()


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("no database" * 500)
    with pytest.raises(StorageError, match="not a database"):
        open_database(str(file), origin="a")
    assert file.read_text().startswith("no database")


@pytest.mark.parametrize(
    "meant", ["host=127.0.0.1 password=x", "password = x", "postgres//me:x@h/x", "postgres:me:x@h"]
)
def test_what_was_meant_for_postgresql_names_no_file(meant: str) -> None:
    with pytest.raises(ValueError, match=r"must be a postgresql:// URL") as refused:
        sqlite_file(meant)
    assert meant not in str(refused.value)
    assert sqlite_file("postgres/tollkey.db") == Path("postgres/tollkey.db")
