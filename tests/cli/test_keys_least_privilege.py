"""Least privilege from a shell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.shell import run
from tollkey.core import open_core
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
