"""``tollkey migrate``, and what a server does with a database of an older version."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.support.shell import run
from tollkey.core import open_core, sole_server
from tollkey.db.migrating import SMALL, NeedsMigration
from tollkey.settings import Settings


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """The data folder of a version that did not look for events by their type."""
    run(tmp_path, "accounts", "create", "--name", "Acme")
    change(tmp_path, "DROP INDEX obj_event_ix_type", "ALTER TABLE obj_event DROP COLUMN ix_type")
    return tmp_path


def change(folder: Path, *statements: str) -> None:
    connection = sqlite3.connect(folder / "tollkey.db")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def many_events(folder: Path) -> None:
    change(
        folder,
        f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {SMALL}) INSERT INTO obj_event"
        " (account, livemode, id, created, body) SELECT 'acct_2', 0, 'evt_' || i, 1, '{\"type\": \"a.b\"}' FROM n",
    )


def test_the_plan_lists_the_steps_and_changes_nothing(older: Path) -> None:
    for _ in range(2):
        answer = run(older, "migrate", "--plan")
        assert answer.exit_code == 1
        assert answer.stdout.splitlines() == [
            "add obj_event.ix_type",
            "fill and index obj_event.ix_type (0 rows)",
        ]


def test_a_large_database_is_migrated_by_the_command_and_the_server_asks_for_it(older: Path) -> None:
    many_events(older)
    with pytest.raises(NeedsMigration, match=r"needs `tollkey migrate` first \(2 steps"):
        open_core(Settings(data=str(older)))
    answer = run(older, "doctor")
    assert (answer.exit_code, "tollkey migrate" in answer.stderr) == (1, True)
    assert json.loads(run(older, "migrate", "--json").stdout)["steps"] == [
        "add obj_event.ix_type",
        "fill and index obj_event.ix_type (more than 10,000 rows)",
    ]
    assert run(older, "migrate", "--plan").stdout == "Nothing to migrate\n"
    assert run(older, "migrate").stdout == "Nothing to migrate\n"
    assert run(older, "doctor").exit_code == 0
    with sqlite3.connect(older / "tollkey.db") as connection:
        assert connection.execute("SELECT count(*) FROM obj_event WHERE ix_type = 'a.b'").fetchone() == (SMALL + 1,)
    connection.close()


def test_a_setting_says_whether_the_server_migrates(older: Path) -> None:
    with pytest.raises(NeedsMigration):
        open_core(Settings(data=str(older), migrate="never"))
    open_core(Settings(data=str(older))).close()
    open_core(Settings(data=str(older), migrate="never")).close()


def test_a_setting_lets_the_server_migrate_large_tables_too(older: Path) -> None:
    many_events(older)
    open_core(Settings(data=str(older), migrate="always")).close()
    assert run(older, "migrate", "--plan").exit_code == 0


def test_a_missing_keyring_is_told_before_anything_is_changed(older: Path) -> None:
    (older / "keyring.json").rename(older / "elsewhere.json")
    answer = run(older, "migrate")
    assert (answer.exit_code, "keyring.json is missing" in answer.stderr) == (1, True)
    assert "event" in run(older, "migrate", "--plan").stdout


def test_the_folder_of_a_running_server_is_not_migrated(older: Path) -> None:
    with sole_server(Settings(data=str(older))):
        answer = run(older, "migrate")
    assert answer.exit_code == 1
    assert "in use by another server" in answer.stderr


def test_a_folder_without_a_database_is_refused(tmp_path: Path) -> None:
    answer = run(tmp_path, "migrate")
    assert (answer.exit_code, "there is no database" in answer.stderr) == (1, True)


def test_triggers_for_older_nodes_are_told_and_removed(older: Path) -> None:
    assert "triggers" not in run(older, "migrate").stdout
    assert run(older, "migrate", "--finish").stdout == "0 triggers removed\n"
