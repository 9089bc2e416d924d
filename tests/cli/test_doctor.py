"""The doctor looks at who may read and write what is on the disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tollkey.cli.app import app


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
