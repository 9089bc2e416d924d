"""Least privilege from a shell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.shell import run
from tollkey.cli.app import app
from tollkey.core import open_core
from tollkey.keys import KeyService
from tollkey.keys.observing import joined
from tollkey.settings import load_settings

LONG = ("keys", "least-privilege")


@pytest.fixture
def used(tmp_path: Path) -> tuple[Path, str]:
    """A data folder, and the id of a key that needed less than it may."""
    assert run(tmp_path, "accounts", "create", "--name", "Acme").exit_code == 0
    create = ("keys", "create", "--permission", "charge_write", "--permission", "dispute_read", "--json")
    key: str = json.loads(run(tmp_path, *create).stdout)["id"]
    core = open_core(load_settings(data=str(tmp_path)))
    found = core.database.read(lambda tx: core.authority.find(tx, key))
    assert found is not None
    core.verifier.usage.count(found, 1_767_225_600, "GET /v1/charges", permission=joined({"charge_read"}))
    core.database.write(core.verifier.usage.flush)
    core.close()
    return tmp_path, key


def value(folder: Path, *options: str) -> dict[str, Any]:
    done = run(folder, *LONG, *options, "--json")
    assert done.exit_code == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_proposal_changes_nothing_until_it_is_applied_and_can_be_taken_back(used: tuple[Path, str]) -> None:
    folder, key = used
    shown = run(folder, *LONG, key).stdout
    assert "charge_read" in shown
    assert "Nothing was changed" in shown
    applied = value(folder, key, "--apply")
    assert (applied["permissions"], applied["removed"]) == (["charge_read"], ["charge_write", "dispute_read"])
    assert "Nothing to change" in run(folder, *LONG, key).stdout
    assert value(folder, key, "--undo")["permissions"] == ["charge_write", "dispute_read"]


def test_a_time_without_requests_proposes_nothing_and_is_not_applied(used: tuple[Path, str]) -> None:
    folder, key = used
    assert "nothing to propose" in run(folder, *LONG, key, "--since", "2026-02-01").stdout
    refused = run(folder, *LONG, key, "--since", "2026-02-01", "--apply")
    assert (refused.exit_code, "lose all permissions" in refused.stderr) == (1, True)


def test_applying_and_undoing_at_once_is_a_usage_error(used: tuple[Path, str]) -> None:
    folder, key = used
    assert run(folder, *LONG, key, "--apply", "--undo").exit_code == 2


@pytest.fixture
def library(tmp_path: Path) -> tuple[str, str, str]:
    """A library's own database, its configuration, and the id of a key that needed less than it may."""
    config, database = tmp_path / "tollkey.toml", tmp_path / "keys.db"
    config.write_text('[permissions.report]\nlabel = "Reports"\n[permissions.user]\nlabel = "Users"\n')
    with KeyService.open(str(database), config=config) as keys:
        key, text = keys.create(permissions=["report_write", "user_write"])
        keys.check(text, "report_read", route="GET /reports")
    return str(database), str(config), key.id


def test_it_works_on_a_library_s_database(library: tuple[str, str, str]) -> None:
    database, config, key = library
    applied = CliRunner().invoke(app, [*LONG, key, "--database", database, "--config", config, "--apply", "--json"])
    assert json.loads(applied.stdout)["permissions"] == ["report_read"]
    used = CliRunner().invoke(app, ["keys", "usage", "--by", "route", "--csv", "--database", database])
    assert used.stdout.splitlines() == ["route,requests,cost", "GET /reports,1,1"]
    unused = CliRunner().invoke(app, ["keys", "unused", "--database", database, "--json"])
    assert json.loads(unused.stdout) == []


def test_without_the_declared_permissions_nothing_is_proposed(library: tuple[str, str, str]) -> None:
    database, _, key = library
    for options in ((), ("--apply",)):
        refused = CliRunner().invoke(app, [*LONG, key, "--database", database, *options])
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "Unknown permission" in refused.stderr
