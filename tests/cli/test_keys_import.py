"""``tollkey keys import`` from a shell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tollkey.cli.app import app
from tollkey.keys import KeyService

TEXT = "Ab12Cd34.0123456789abcdefghijklmnopqrstuv"
CONFIG = '[permissions.report]\nlabel = "Reports"\n'


def load(folder: Path, *words: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(
        app, ["keys", "import", *words, "--database", str(folder / "keys.db")], input=stdin, catch_exceptions=False
    )


@pytest.fixture
def source(tmp_path: Path) -> str:
    (tmp_path / "tollkey.toml").write_text(CONFIG)
    (tmp_path / "keys.csv").write_text(f"key,permissions\n{TEXT},reports.read\n")
    return str(tmp_path / "keys.csv")


def test_keys_are_imported_with_declared_permissions_and_a_report(tmp_path: Path, source: str) -> None:
    report, config = tmp_path / "report.json", str(tmp_path / "tollkey.toml")
    options = ["--config", config, "--rename", "reports.read=report_read", "--account", "cus_1"]
    done = load(tmp_path, source, *options, "--report", str(report))
    assert (done.exit_code, done.stdout) == (0, "1 imported, 0 existed, 0 had ended, 0 failed\n")
    assert json.loads(report.read_text())["imported"] == 1
    assert TEXT not in done.output + report.read_text()
    with KeyService.open(str(tmp_path / "keys.db"), allow_imported=True) as keys:
        key = keys.verify(TEXT)
    assert key
    assert (key.account, key.created_by) == ("cus_1", "cli:tollkey")
    again = load(tmp_path, source, *options, "--json")
    assert (again.exit_code, json.loads(again.stdout)["existing"]) == (0, 1)


def test_a_row_that_fails_exits_with_1(tmp_path: Path, source: str) -> None:
    done = load(tmp_path, source)
    assert (done.exit_code, "row 1: Unknown permission: reports.read" in done.stdout) == (1, True)


def test_a_dry_run_makes_no_database(tmp_path: Path, source: str) -> None:
    before = set(tmp_path.iterdir())
    config = str(tmp_path / "tollkey.toml")
    for rename, code in (((), 1), (("--rename", "reports.read=report_read"), 0)):
        done = load(tmp_path, source, "--dry-run", "--config", config, *rename)
        assert (done.exit_code, "row 1: Unknown permission: reports.read" in done.stdout) == (code, bool(code))
    assert done.stdout == "1 would be imported, 0 existed, 0 had ended, 0 failed\n"
    assert set(tmp_path.iterdir()) == before


def test_a_dry_run_says_that_nothing_was_stored(tmp_path: Path, source: str) -> None:
    KeyService.open(str(tmp_path / "keys.db")).close()
    done = load(tmp_path, "-", "--dry-run", stdin=f'{{"key": "{TEXT}"}}\n')
    assert (done.exit_code, done.stdout) == (0, "1 would be imported, 0 existed, 0 had ended, 0 failed\n")


def test_standard_input_is_read_as_a_file_is(tmp_path: Path) -> None:
    marked = load(tmp_path, "-", "--dry-run", stdin=f"\ufeffkey\n{TEXT}\n".encode())
    assert (marked.exit_code, marked.stdout) == (0, "1 would be imported, 0 existed, 0 had ended, 0 failed\n")
    latin = load(tmp_path, "-", "--dry-run", stdin=f"key,name\n{TEXT},Zoë\n".encode("latin-1"))
    assert (latin.exit_code, latin.stderr) == (2, "tollkey: -: the file is not UTF-8\n")


def test_two_keyrings_in_the_environment_are_refused(
    tmp_path: Path, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOLLKEY_KEYRING", "a")
    monkeypatch.setenv("TOLLKEY_KEYRING_FILE", str(tmp_path / "ring"))
    done = load(tmp_path, source)
    assert (done.exit_code, "set only one" in done.stderr) == (1, True)
    assert not (tmp_path / "keys.db").exists()


@pytest.mark.parametrize(
    "words",
    [["typo.csv"], ["-", "--format", "xml"], ["-", "--rename", "a"], ["-", "--type", "publishable"],
     ["-", "--config", "typo.toml"]],
)  # fmt: skip
def test_what_cannot_be_read_exits_with_2(tmp_path: Path, words: list[str]) -> None:
    done = load(tmp_path, *words, stdin="name\nx\n")
    assert done.exit_code == 2
    assert not (tmp_path / "keys.db").exists()
