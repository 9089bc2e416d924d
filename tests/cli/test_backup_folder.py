"""A backup that is damaged, hostile, of another server or of a newer version is refused in one sentence, and a restore
that was killed can be repeated.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.shell import run
from tollkey.cli.backup_folder import install
from tollkey.core import ensure_first_account, open_core
from tollkey.settings import Settings


def back_up(folder: Path) -> Path:
    """A backup of a new server, with its keyring."""
    core = open_core(Settings(data=str(folder / "data")))
    ensure_first_account(core)
    core.close()
    assert run(folder / "data", "backup", str(folder / "kept"), "--with-keyring").exit_code == 0
    return folder / "kept"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return back_up(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return back_up(tmp_path_factory.mktemp("another"))


@pytest.fixture
def kept(whole: Path, tmp_path: Path) -> Path:
    """A copy of the backup, to be damaged."""
    return Path(shutil.copytree(whole, tmp_path / "kept"))


def manifest(**changes: Any) -> Callable[[Path], None]:
    """Change the manifest."""

    def damage(kept: Path) -> None:
        file = kept / "manifest.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))

    return damage


def statement(sql: str) -> Callable[[Path], None]:
    """Run a statement on the database of the backup."""

    def damage(kept: Path) -> None:
        with closing(sqlite3.connect(kept / "tollkey.db", isolation_level=None)) as connection:
            connection.execute(sql)

    return damage


def cut(kept: Path) -> None:
    file = kept / "tollkey.db"
    file.write_bytes(file.read_bytes()[:-4096])


def linked(name: str) -> Callable[[Path], None]:
    """Put a symbolic link in the place of a file."""

    def damage(kept: Path) -> None:
        (kept / name).rename(kept / "elsewhere")
        (kept / name).symlink_to(kept / "elsewhere")

    return damage


def text(name: str, value: str) -> Callable[[Path], None]:
    """Write a file."""
    return lambda kept: (kept / name).write_text(value) and None  # type: ignore[return-value]


FAR = {"\x1b[31mmerchants\ntollkey: all is well": {"rows": 1, "digest": "00"}}


def unclosed(kept: Path) -> None:
    """Leave a quote open in the schema: SQLite's error then repeats the statement, with its lines."""
    with closing(sqlite3.connect(kept / "tollkey.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = replace(sql, '(0, 1)', '(''x)') WHERE name = 'api_keys'")


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "truncated": (cut, "malformed"),
    "a schema that cannot be read": (unclosed, "malformed database schema"),
    "a trigger that no table shows": (
        statement("CREATE TRIGGER t AFTER INSERT ON merchants BEGIN DELETE FROM merchants; END"),
        "tollkey.db differs from manifest.json",
    ),
    "a guard of the audit log is gone": (
        statement("DROP TRIGGER audit_chain_no_update"),
        "tollkey.db differs from manifest.json",
    ),
    "a WAL beside it": (text("tollkey.db-wal", "x"), "tollkey.db-wal is in the way"),
    "a link to the database": (linked("tollkey.db"), "is no regular file"),
    "a link to the keyring": (linked("keyring.json"), "is no regular file"),
    "a link to the manifest": (linked("manifest.json"), "is no regular file"),
    "no keyring": (lambda kept: (kept / "keyring.json").unlink(), "keyring.json is missing"),
    "another keyring": (text("keyring.json", "{}"), "keyring.json differs from manifest.json"),
    "nested without end": (text("manifest.json", "[" * 200_000), "is not the manifest of a backup"),
    "too long": (text("manifest.json", " " * 2_000_000), "is not the manifest of a backup"),
    "infinitely many rows": (
        manifest(tables={"merchants": {"rows": 1e999, "digest": "00"}}),
        "is not the manifest of a backup",
    ),
    "what moves the cursor": (manifest(tables=FAR), "is not the manifest of a backup"),
    "a version that moves the cursor": (manifest(format=9, version="\x1b[31m9"), "is not the manifest of a backup"),
    "odd fields": (manifest(created="soon"), "is not the manifest of a backup"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_backup_is_refused_in_one_sentence_and_nothing_is_restored(kept: Path, name: str) -> None:
    damage, said = DAMAGES[name]
    damage(kept)
    for more in ((), ("--check",)):
        answer = run(kept.parent / "new", "restore", str(kept), *more)
        assert answer.exit_code == 1
        assert said in answer.stderr
        assert answer.stderr.count("\n") == 1
    assert not (kept.parent / "new").exists()


@pytest.mark.parametrize("place", range(0, 100, 7))
def test_a_byte_that_changed_anywhere_is_noticed(kept: Path, place: int) -> None:
    for name in ("tollkey.db", "requests.db", "keyring.json"):
        file = kept / name
        whole = file.read_bytes()
        changed = bytearray(whole)
        changed[place * len(whole) // 100] ^= 1
        file.write_bytes(changed)
        answer = run(kept.parent / "new", "restore", str(kept))
        assert (answer.exit_code, answer.stderr.count("\n")) == (1, 1), (name, answer.stderr)
        file.write_bytes(whole)
    assert not (kept.parent / "new").exists()


def untold(kept: Path) -> None:
    """Take the digests of the files out of the manifest, as in a backup of a version that did not note them."""
    manifest(files={})(kept)


def test_a_backup_with_the_keyring_of_another_database_is_refused(kept: Path, another: Path) -> None:
    shutil.copy(another / "keyring.json", kept)
    untold(kept)
    for more in ((), ("--check",)):
        answer = run(kept.parent / "new", "restore", str(kept), *more)
        assert answer.exit_code == 1
        assert "belongs to another database" in answer.stderr
    assert not (kept.parent / "new").exists()


def test_a_backup_is_not_restored_beside_the_keyring_of_another_database(
    kept: Path, another: Path, tmp_path: Path
) -> None:
    manifest(keyring=False)(kept)
    (tmp_path / "new").mkdir()
    shutil.copy(another / "keyring.json", tmp_path / "new")
    answer = run(tmp_path / "new", "restore", str(kept))
    assert answer.exit_code == 1
    assert "belongs to another database" in answer.stderr
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["keyring.json"]


@pytest.mark.parametrize(("module", "number"), [("keys", 9_000), ("of_the_future", 0), ("rewrite customer", 9_000)])
def test_a_backup_of_a_newer_version_is_refused(kept: Path, module: str, number: int) -> None:
    statement(f"INSERT INTO migrations (module, number) VALUES ('{module}', {number})")(kept)
    untold(kept)
    answer = run(kept.parent / "new", "restore", str(kept))
    assert answer.exit_code == 1
    assert f"was written by a newer version of Tollkey ({module} {number})" in answer.stderr
    assert not (kept.parent / "new").exists()


def test_a_log_that_a_deleted_database_left_is_not_mixed_into_what_is_restored(kept: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "tollkey.db-wal").write_text("of a database that somebody deleted")
    answer = run(tmp_path / "new", "restore", str(kept))
    assert answer.exit_code == 1
    assert "tollkey.db-wal is in the way" in answer.stderr
    assert not (tmp_path / "new" / "requests.db").exists()


@pytest.mark.parametrize("there", [["keyring.json"], ["keyring.json", "requests.db"], ["requests.db"]])
def test_a_restore_that_was_killed_can_be_repeated(kept: Path, tmp_path: Path, there: list[str]) -> None:
    (tmp_path / "new").mkdir()
    for name in there:
        install(kept / name, tmp_path / "new" / name)
    (tmp_path / "new" / "tollkey.db.partial").write_text("half of it")
    assert run(tmp_path / "new", "restore", str(kept)).exit_code == 0
    assert run(tmp_path / "new", "doctor").exit_code == 0
    assert not list((tmp_path / "new").glob("*.partial"))


def test_other_request_logs_are_not_overwritten(kept: Path, another: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "requests.db").write_bytes(b"other logs")
    answer = run(tmp_path / "new", "restore", str(kept))
    assert answer.exit_code == 1
    assert "requests.db exists already" in answer.stderr
    assert (tmp_path / "new" / "requests.db").read_bytes() == b"other logs"
    assert not (tmp_path / "new" / "tollkey.db").exists()


def test_what_is_left_in_the_way_of_a_copy_is_not_followed(kept: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")
    (tmp_path / "to.partial").symlink_to(precious)
    install(kept / "tollkey.db", tmp_path / "to")
    assert precious.read_text() == "kept"
    assert (tmp_path / "to").read_bytes() == (kept / "tollkey.db").read_bytes()
