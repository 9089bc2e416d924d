from __future__ import annotations

from pathlib import Path

import pytest

from tollkey.db import Postgres, SQLite, open_database


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
