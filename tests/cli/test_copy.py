"""A server moves from SQLite to PostgreSQL and back: all rows, or none."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import psycopg

from tests.nodes.log_writer import row
from tests.support.shell import run
from tollkey.core import open_core, sole_server
from tollkey.db import Scope
from tollkey.platform.request_log_batches import store
from tollkey.platform.request_logs import logged
from tollkey.settings import Settings


def test_every_row_moves_to_postgresql_and_the_numbering_goes_on(postgres_url: str, tmp_path: Path) -> None:
    account = run(tmp_path, "accounts", "create", "--name", "Acme").stdout.strip()
    made = json.loads(run(tmp_path, "keys", "create", "--type", "secret", "--show-secret", "--json").stdout)
    on_postgres = ("--database", postgres_url)
    answer = run(tmp_path, "copy", "--to", postgres_url, "--json")
    assert "not empty" not in answer.stderr
    copied = json.loads(answer.stdout)
    assert copied["tables"]["merchants"]["rows"] == 1
    assert copied["rows"] == sum(table["rows"] for table in copied["tables"].values())
    core = open_core(Settings(data=str(tmp_path), database=postgres_url))
    back = ("copy", "--to", str(tmp_path / "back"), *on_postgres)
    answer = run(tmp_path, *back)
    assert (answer.exit_code, "stop them first" in answer.stderr) == (1, True)
    key = core.verifier.verify(core.database, made["secret"], int(core.now()))
    assert (key.id, key.scope) == (made["id"], Scope(account, False))
    core.close()
    assert run(tmp_path, *back).exit_code == 0
    returned = {file.name: file.stat().st_mode & 0o077 for file in (tmp_path / "back").glob("*.db")}
    assert returned == {"requests.db": 0, "tollkey.db": 0}
    assert run(tmp_path / "back", "doctor").exit_code == 1  # without its keyring
    shutil.copy(tmp_path / "keyring.json", tmp_path / "back")
    assert run(tmp_path / "back", "doctor").exit_code == 0
    assert "exists already" in run(tmp_path, *back).stderr
    again = json.loads(run(tmp_path, "keys", "create", "--type", "secret", "--json", *on_postgres).stdout)
    assert again["id"] != made["id"]
    answer = run(tmp_path, "copy", "--to", postgres_url)
    assert (answer.exit_code, "is not empty" in answer.stderr) == (1, True)


def test_request_logs_that_wait_for_their_indexes_move_with_their_numbers(postgres_url: str, tmp_path: Path) -> None:
    run(tmp_path, "accounts", "create", "--name", "Acme")

    def write(settings: Settings, *names: str) -> list[tuple[str, int]]:
        with closing(open_core(settings)) as core:
            for few, name in zip((0, 9), names, strict=False):  # the first of two waits
                core.logs.write(partial(store, rows=[row("acct_1", int(name))], few=few))
            return [(each.id, each.seq) for each in core.database.read(logged)]

    on_sqlite, on_postgres = Settings(data=str(tmp_path)), Settings(data=str(tmp_path), database=postgres_url)
    written = write(on_sqlite, "1", "2")
    assert run(tmp_path, "copy", "--to", postgres_url).exit_code == 0
    assert write(on_postgres) == written
    more = write(on_postgres, "3", "4")
    assert run(tmp_path, "copy", "--to", str(tmp_path / "back"), "--database", postgres_url).exit_code == 0
    shutil.copy(tmp_path / "keyring.json", tmp_path / "back")
    last = write(Settings(data=str(tmp_path / "back")), "5", "6")
    assert (last[:2], last[:4]) == (written, more)
    assert [id for id, _ in last] == [f"req_{number}" for number in range(1, 7)]
    assert [seq for _, seq in last] == sorted({seq for _, seq in last})


def test_a_copy_that_was_killed_can_be_repeated(postgres_url: str, tmp_path: Path) -> None:
    on_postgres, back = ("--database", postgres_url), tmp_path / "back"
    run(tmp_path, "accounts", "create", "--name", "Acme", *on_postgres)
    assert run(tmp_path, "copy", "--to", str(back), *on_postgres).exit_code == 0
    (back / "tollkey.db").unlink()  # it comes last
    (back / "copy.killed").mkdir()
    (back / "copy.killed" / "tollkey.db").write_text("all rows of a server")
    assert run(tmp_path, "copy", "--to", str(back), *on_postgres).exit_code == 0
    assert sorted(file.name for file in back.iterdir() if "owner" not in file.name) == ["requests.db", "tollkey.db"]


def test_files_of_another_server_are_not_mixed_into_a_copy(postgres_url: str, tmp_path: Path) -> None:
    on_postgres, back = ("--database", postgres_url), tmp_path / "back"
    run(tmp_path, "accounts", "create", "--name", "Acme", *on_postgres)
    back.mkdir()
    (back / "tollkey.db-wal").write_text("of a database that somebody deleted")
    assert "tollkey.db-wal is in the way" in run(tmp_path, "copy", "--to", str(back), *on_postgres).stderr
    (back / "tollkey.db-wal").unlink()
    run(tmp_path / "other", "accounts", "create", "--name", "Other")
    shutil.copy(tmp_path / "other" / "requests.db", back)
    with closing(sqlite3.connect(back / "requests.db", isolation_level=None)) as connection:
        columns = "id, account, livemode, at, milliseconds, method, path, query, status, version, request_body"
        connection.execute(
            f"INSERT INTO request_logs ({columns}, response_body) VALUES"
            " ('req_1', 'acct_1', 0, 1, 1, 'GET', '/v1/customers', '', 200, '2025-01-01', '', '')"
        )
    assert "requests.db exists already" in run(tmp_path, "copy", "--to", str(back), *on_postgres).stderr
    assert not (back / "tollkey.db").exists()


def test_nothing_is_copied_from_the_folder_of_a_running_server(postgres_url: str, tmp_path: Path) -> None:
    run(tmp_path, "accounts", "create", "--name", "Acme")
    with sole_server(Settings(data=str(tmp_path))):
        answer = run(tmp_path, "copy", "--to", postgres_url)
    assert answer.exit_code == 1
    assert "in use by another server" in answer.stderr
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()").fetchone() == (
            0,
        )


def test_a_copy_of_the_same_kind_is_a_usage_error(tmp_path: Path) -> None:
    answer = run(tmp_path, "copy", "--to", str(tmp_path / "other"))
    assert answer.exit_code == 2
    assert "tollkey backup" in answer.stderr


def test_a_folder_without_a_database_is_not_copied(tmp_path: Path) -> None:
    answer = run(tmp_path, "copy", "--to", "postgresql://127.0.0.1:1/x")
    assert answer.exit_code == 1
    assert "no database" in answer.stderr
