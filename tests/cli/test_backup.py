"""A backup is written while the server goes on, and restored on either engine."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.shell import run
from tollkey.core import Core, ensure_first_account, open_core, sole_server
from tollkey.db import Scope, Tx
from tollkey.db.transfer import contents
from tollkey.db.transfer_sqlite import reading
from tollkey.settings import Settings


@pytest.fixture(scope="module")
def sqlite_backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a server on SQLite, taken under load; its data folder is beside it."""
    folder = tmp_path_factory.mktemp("backup")
    core = open_core(Settings(data=str(folder / "data")))
    with under_load(core):
        assert run(folder / "data", "backup", str(folder / "kept")).exit_code == 0
    core.close()
    return folder / "kept"


@contextmanager
def under_load(core: Core) -> Iterator[None]:
    """Transactions that each write two rows go on until the block ends; several are committed before it begins."""
    account = ensure_first_account(core).id
    going, stop = threading.Event(), threading.Event()

    def work() -> None:
        while not stop.is_set():
            core.database.write(lambda tx: pair(core, tx, account))
            going.set()

    def pair(core: Core, tx: Tx, account: str) -> None:
        call = core.call(tx, Scope(account, False))
        tx.execute("INSERT INTO dash_failures (subject, at) VALUES (?, ?)", (call.ids.text(8), call.now))
        insert = "INSERT INTO file_contents (account, livemode, file, number, content) VALUES (?, 0, ?, 0, ?)"
        tx.execute(insert, (account, call.ids.text(8), b"\0\xff"))

    thread = threading.Thread(target=work)
    thread.start()
    assert going.wait(120)
    try:
        yield
    finally:
        stop.set()
        thread.join()


def pairs(core: Core) -> tuple[int, int]:
    (found,) = core.database.read(
        lambda tx: tx.execute("SELECT (SELECT count(*) FROM dash_failures), (SELECT count(*) FROM file_contents)")
    )
    return int(found[0]), int(found[1])


def silent(_table: str, _rows: int) -> None:
    """No reports."""


def test_a_backup_under_load_is_one_moment_and_restores_to_equal_rows(sqlite_backup: Path, tmp_path: Path) -> None:
    shutil.copy(sqlite_backup.parent / "data" / "keyring.json", tmp_path)
    assert run(tmp_path, "restore", str(sqlite_backup)).exit_code == 0
    tables = json.loads((sqlite_backup / "manifest.json").read_text())["tables"]
    with reading(tmp_path / "tollkey.db", tmp_path / "requests.db") as restored:
        assert {name: one._asdict() for name, one in contents(restored, silent).items()} == tables
    assert run(tmp_path, "doctor").exit_code == 0
    core = open_core(Settings(data=str(tmp_path)))
    failures, files = pairs(core)
    core.close()
    assert failures == files > 0


def test_the_files_of_a_backup_and_of_what_is_restored_are_private(sqlite_backup: Path, tmp_path: Path) -> None:
    run(tmp_path / "data", "restore", str(sqlite_backup))
    for folder in (sqlite_backup, tmp_path / "data"):
        assert {file.stat().st_mode & 0o077 for file in (folder, *folder.iterdir())} == {0}


def test_the_keyring_is_in_a_backup_only_if_it_was_asked_for(sqlite_backup: Path, tmp_path: Path) -> None:
    assert {file.name for file in sqlite_backup.iterdir()} == {"manifest.json", "requests.db", "tollkey.db"}
    data = sqlite_backup.parent / "data"
    answer = run(data, "backup", str(tmp_path / "kept"), "--with-keyring")
    assert "not in it" not in answer.stdout
    assert (tmp_path / "kept" / "keyring.json").read_bytes() == (data / "keyring.json").read_bytes()
    run(tmp_path / "new", "restore", str(tmp_path / "kept"))
    assert run(tmp_path / "new", "doctor").exit_code == 0


def test_who_restores_without_the_keyring_is_told_where_it_belongs(sqlite_backup: Path, tmp_path: Path) -> None:
    assert f"put it at {tmp_path / 'keyring.json'}" in run(tmp_path, "restore", str(sqlite_backup)).stdout


def test_a_backup_overwrites_nothing(sqlite_backup: Path, tmp_path: Path) -> None:
    data = sqlite_backup.parent / "data"
    (tmp_path / "kept").mkdir()
    answer = run(data, "backup", str(tmp_path / "kept"))
    assert answer.exit_code == 1
    assert "exists already" in answer.stderr
    assert os.listdir(tmp_path / "kept") == []


def test_a_restore_overwrites_nothing(sqlite_backup: Path) -> None:
    data = sqlite_backup.parent / "data"
    before = (data / "tollkey.db").read_bytes()
    answer = run(data, "restore", str(sqlite_backup))
    assert answer.exit_code == 1
    assert "exists already" in answer.stderr
    assert (data / "tollkey.db").read_bytes() == before


def test_nothing_is_restored_into_the_folder_of_a_running_server(sqlite_backup: Path, tmp_path: Path) -> None:
    with sole_server(Settings(data=str(tmp_path))):
        answer = run(tmp_path, "restore", str(sqlite_backup))
    assert answer.exit_code == 1
    assert "in use by another server" in answer.stderr


def test_a_changed_backup_is_refused(sqlite_backup: Path, tmp_path: Path) -> None:
    changed = shutil.copytree(sqlite_backup, tmp_path / "changed")
    connection = sqlite3.connect(changed / "tollkey.db")
    connection.execute("UPDATE merchants SET name = 'Somebody else'")
    connection.commit()
    connection.close()
    assert run(tmp_path, "restore", "--check", str(sqlite_backup)).exit_code == 0
    answer = run(tmp_path / "new", "restore", str(changed))
    assert answer.exit_code == 1
    assert "merchants differs" in answer.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("rest", ["", "{", '{"format": 7, "version": "9.0"}', "[]"])
def test_a_folder_that_is_no_whole_backup_is_refused(tmp_path: Path, rest: str) -> None:
    if rest:
        (tmp_path / "manifest.json").write_text(rest)
    answer = run(tmp_path / "new", "restore", str(tmp_path))
    assert answer.exit_code == 1
    assert str(tmp_path) in answer.stderr


def test_a_backup_that_fails_leaves_nothing(sqlite_backup: Path, tmp_path: Path) -> None:
    data = shutil.copytree(sqlite_backup.parent / "data", tmp_path / "data")
    (data / "requests.db").write_bytes(b"this is no database" * 500)
    assert run(data, "backup", str(tmp_path / "kept")).exit_code == 1
    assert [file.name for file in tmp_path.iterdir()] == ["data"]


def test_a_server_on_postgresql_is_backed_up_under_load_and_restored_on_either_engine(
    sqlite_backup: Path, postgres_url: str, tmp_path: Path
) -> None:
    on_postgres = ("--database", postgres_url)
    shutil.copy(sqlite_backup.parent / "data" / "keyring.json", tmp_path)
    assert run(tmp_path, "restore", str(sqlite_backup), *on_postgres).exit_code == 0
    assert "is not empty" in run(tmp_path, "restore", str(sqlite_backup), *on_postgres).stderr
    core = open_core(Settings(data=str(tmp_path), database=postgres_url))
    with under_load(core):
        assert run(tmp_path, "backup", str(tmp_path / "kept"), *on_postgres).exit_code == 0
    core.close()
    assert run(tmp_path, "doctor", *on_postgres).exit_code == 0
    manifests = [json.loads((folder / "manifest.json").read_text()) for folder in (sqlite_backup, tmp_path / "kept")]
    assert [one["engine"] for one in manifests] == ["sqlite", "postgres"]
    before, after = (one["tables"] for one in manifests)
    assert before.keys() == after.keys()
    assert {name for name in before if before[name] != after[name]} <= {"dash_failures", "file_contents", "audit_heads"}
    assert run(tmp_path, "restore", str(tmp_path / "kept")).exit_code == 0
    restored = open_core(Settings(data=str(tmp_path)))
    failures, files = pairs(restored)
    restored.close()
    assert failures == files > before["dash_failures"]["rows"]


def test_a_database_that_cannot_be_reached_ends_with_3(tmp_path: Path) -> None:
    nobody = ("--database", "postgresql://127.0.0.1:1/x?connect_timeout=1")
    assert run(tmp_path, "backup", str(tmp_path / "kept"), *nobody).exit_code == 3
