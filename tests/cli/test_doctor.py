"""The doctor looks at who may read and write what is on the disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tollkey.cli.app import app
from tollkey.db import SQLite


def findings(folder: Path) -> dict[str, bool]:
    answer = CliRunner().invoke(app, ["doctor", "--json", "--data", str(folder)])
    return {found["check"]: found["ok"] for found in json.loads(answer.stdout)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    CliRunner().invoke(app, ["accounts", "create", "--name", "Acme", "--data", str(tmp_path)])
    return tmp_path


def test_what_the_server_writes_is_private(folder: Path) -> None:
    assert all(findings(folder).values())
    assert {file.name: oct(file.stat().st_mode & 0o777) for file in folder.iterdir()} == {
        "keyring.json": "0o600",
        "requests.db": "0o600",
        "tollkey.db": "0o600",
    }


def test_a_file_that_others_may_read_is_found(folder: Path) -> None:
    (folder / "copy.db").write_text("x")
    (folder / "copy.db").chmod(0o644)
    assert findings(folder)["data files"] is False


def test_a_folder_that_others_may_write_is_found(folder: Path) -> None:
    folder.chmod(0o777)
    assert findings(folder)["data folder"] is False


def work(folder: Path, state: str, attempts: int) -> None:
    """A job that has raised."""
    database = SQLite(folder / "tollkey.db")
    insert = (
        "INSERT INTO due (account, livemode, clock, at, kind, id, state, attempts, tried, error)"
        " VALUES ('acct_1', 0, '', 1767225600, 'refund.settle', 're_1', ?, ?, 1767225600, 'RuntimeError: no luck')"
    )
    database.write(lambda tx: tx.execute(insert, (state, attempts)))
    database.close()


def test_scheduled_work_that_failed_is_told_with_its_object_and_its_error(folder: Path) -> None:
    work(folder, "failed", 6)
    answer = CliRunner().invoke(app, ["doctor", "--data", str(folder)])
    assert answer.exit_code == 1
    assert (
        "FAIL  scheduled jobs: 0 retrying, 1 failed; refund.settle of re_1 (acct_1, test): RuntimeError: no luck"
        in answer.stdout
    )


def test_scheduled_work_that_is_tried_again_is_no_fault(folder: Path) -> None:
    work(folder, "waiting", 2)
    assert findings(folder)["scheduled jobs"] is True


def upstream_account(folder: Path, refused_at: int | None) -> None:
    """An upstream account whose key was taken at 5, and was or was not refused."""
    database = SQLite(folder / "tollkey.db")
    insert = (
        "INSERT INTO upstreams (account, livemode, api, files, connect, upstream_account, sealed, shown, connected_at,"
        " keyed_at, succeeded_at, refused_at) VALUES ('acct_1', 1, 'https://a', '', '', NULL, x'00', '', 1, 1, 5, ?)"
    )
    database.write(lambda tx: tx.execute(insert, (refused_at,)))
    database.close()


@pytest.mark.parametrize(("refused_at", "ok"), [(None, True), (4, True), (6, False)])
def test_a_key_that_its_upstream_account_refused_last_is_found(folder: Path, refused_at: int | None, ok: bool) -> None:
    upstream_account(folder, refused_at)
    assert findings(folder)["acct_1 live upstream"] is ok


def test_calls_of_unknown_outcome_are_told(folder: Path) -> None:
    upstream_account(folder, None)
    database = SQLite(folder / "tollkey.db")
    insert = (
        "INSERT INTO upstream_calls (account, livemode, id, key_id, method, path, state, at)"
        " VALUES ('acct_1', 1, 'req_1', 'mk_1', 'POST', '/v1/refunds', 'unknown', 5)"
    )
    database.write(lambda tx: tx.execute(insert))
    database.close()
    answer = CliRunner().invoke(app, ["doctor", "--data", str(folder)])
    assert "1 calls of unknown outcome: tollkey live calls --unknown" in answer.stdout
