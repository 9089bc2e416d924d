"""``tollkey keys`` on the database of a library, which has no payments API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tollkey.cli.app import app
from tollkey.keys import Key, KeyService, Permission

PERMISSIONS = [Permission("report", "Reports"), Permission("project", "Projects", parameter=True)]
CONFIG = """[service]
name = "acme"
[permissions.report]
label = "Reports"
[permissions.project]
label = "Projects"
parameter = true
"""


def run(folder: Path, *arguments: str, config: bool = False) -> Any:
    options = ["--database", str(folder / "keys.db"), *(["--config", str(folder / "tollkey.toml")] if config else [])]
    return CliRunner().invoke(app, ["keys", *arguments, *options])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tollkey.toml").write_text(CONFIG)
    KeyService.open(str(tmp_path / "keys.db"), PERMISSIONS).close()
    return tmp_path


def verified(folder: Path, text: str) -> bool:
    with KeyService.open(str(folder / "keys.db"), PERMISSIONS) as service:
        return isinstance(service.verify(text), Key)


def test_a_key_is_created_with_permissions_of_the_library_and_works(folder: Path) -> None:
    options = ("--name", "CI", "--permission", "project:42:write", "--account", "alice", "--expires-days", "90")
    made = run(folder, "create", *options, "--show-secret", "--json", config=True)
    assert made.exit_code == 0, made.stderr
    value = json.loads(made.stdout)
    assert (value["livemode"], value["permissions"]) == (True, ["project:42:write"])
    assert verified(folder, value["secret"])
    assert value["id"] in run(folder, "list", "--account", "alice").stdout
    assert value["id"] not in run(folder, "list").stdout


def test_an_empty_list_says_whose_it_is_and_who_has_keys(folder: Path) -> None:
    listed = {"list": "keys", "list --json": "keys", "usage": "counted requests", "audit": "audit entries",
              "unused": "unused keys"}  # fmt: skip
    for words, what in ((command.split(), what) for command, what in listed.items()):
        empty = run(folder, *words)
        assert (empty.exit_code, empty.stderr) == (0, f"no {what} of account main in live mode\n")
    with KeyService.open(str(folder / "keys.db"), PERMISSIONS) as service:
        for number in range(7):
            service.create(account=f"cus_{number}")
    hint = "accounts with keys: cus_0, cus_1, cus_2, cus_3, cus_4, … (--account, --live, --test)"
    assert run(folder, "list").stderr == f"no keys of account main in live mode; {hint}\n"
    assert "no keys of account cus_1 in test mode" in run(folder, "list", "--account", "cus_1", "--test").stderr
    assert run(folder, "list", "--account", "cus_1").stderr == ""


def test_a_permission_that_is_not_declared_is_answered_with_the_one_that_is_meant(folder: Path) -> None:
    words = ("create", "--permission", "reprot_read", "--show-secret")
    refused = run(folder, *words, config=True)
    assert (refused.exit_code, refused.stderr) == (
        1, "tollkey: Unknown permission: reprot_read; did you mean report_read?\n",
    )  # fmt: skip
    assert "pass --config" in run(folder, *words).stderr


def test_a_url_that_was_moved_out_of_the_arguments_is_that_of_a_library_beside_a_keyring(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOLLKEY_DATABASE", str(folder / "keys.db"))
    for words in (["keys", "list"], ["keyring", "show"]):
        done = CliRunner().invoke(app, [*words, "--keyring", str(folder / "keys.db.keyring")])
        assert done.exit_code == 0, done.stderr
    refused = CliRunner().invoke(app, ["keys", "list", "--keyring", str(folder / "none"), "--data", str(folder)])
    assert (refused.exit_code, "choose one of --data" in refused.stderr) == (2, True)


def test_permissions_need_the_configuration(folder: Path) -> None:
    refused = run(folder, "create", "--permission", "report_read", "--show-secret")
    assert refused.exit_code == 1
    assert "pass --config" in refused.stderr


def test_a_key_is_paused_revoked_and_audited_without_the_configuration(folder: Path) -> None:
    made = json.loads(run(folder, "create", "--show-secret", "--json").stdout)
    for verb in ("disable", "enable", "revoke"):
        assert run(folder, verb, made["id"]).exit_code == 0
    log = json.loads(run(folder, "audit", made["id"], "--json").stdout)
    assert [entry["action"] for entry in log] == ["revoked", "enabled", "disabled", "created"]
    assert "ok    keys: 4 entries" in run(folder, "audit", "--verify").stdout
    assert not verified(folder, made["secret"])


def test_the_mode_is_live_unless_it_is_said(folder: Path) -> None:
    test = json.loads(run(folder, "create", "--test", "--json").stdout)
    assert test["livemode"] is False
    assert run(folder, "create").exit_code == 2, "a live key is shown once"
    assert run(folder, "reveal", test["id"], "--test").exit_code == 0


def test_a_rolled_key_can_be_revealed_with_the_command_that_is_printed(folder: Path) -> None:
    made = json.loads(run(folder, "create", "--show-secret", "--json").stdout)
    rolled = run(folder, "roll", made["id"], "--expires", "in_1_hour")
    command = rolled.stderr.strip().rpartition("with: tollkey ")[2]
    shown = CliRunner().invoke(app, command.split())
    assert shown.exit_code == 0, shown.stderr
    assert "rk_live_" in shown.stdout
    use = json.loads(run(folder, "old-use", made["id"], "--json").stdout)
    assert (use["used_since_roll"], use["requests_since_roll"], use["last_used"]) == (False, 0, None)
    assert run(folder, "old-use", json.loads(run(folder, "create", "--test", "--json").stdout)["id"]).exit_code == 1


def test_keys_that_are_due_are_listed_and_rotated(folder: Path) -> None:
    made = json.loads(run(folder, "create", "--rotate-days", "1", "--show-secret", "--json").stdout)
    assert json.loads(run(folder, "rotate-due", "--json").stdout) == []
    (due,) = json.loads(run(folder, "rotate-due", "--dry-run", "--within-days", "2", "--json").stdout)
    assert due["id"] == made["id"]
    with KeyService.open(str(folder / "keys.db"), PERMISSIONS) as service:
        service.database.write(lambda tx: tx.execute("UPDATE api_keys SET rotate_at = 1"))
    (rotated,) = json.loads(run(folder, "rotate-due", "--json").stdout)
    assert rotated["id"] == made["id"]
    assert run(folder, "reveal", rotated["replaced_by"]).exit_code == 0
    assert verified(folder, made["secret"])


@pytest.mark.parametrize(
    ("arguments", "code", "about"),
    [
        (["--database", "{}/missing.db"], 1, "there is no database"),
        (["--database", "{}/keys.db", "--data", "{}"], 2, "choose one"),
        (["--keyring", "{}/keyring"], 2, "library"),
        (["--database", "{}/keys.db", "--config", "{}/missing.toml"], 1, "missing.toml"),
        (["--database", "{}/tollkey.toml"], 1, "tollkey:"),
    ],
)
def test_what_cannot_be_opened_is_one_line(folder: Path, arguments: list[str], code: int, about: str) -> None:
    refused = CliRunner().invoke(app, ["keys", "list", *(each.format(folder) for each in arguments)])
    assert refused.exit_code == code, refused.stderr
    assert about in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (folder / "missing.db").exists()
