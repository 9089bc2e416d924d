"""Keys from a shell."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.support.shell import run
from tollkey.cli.app import app
from tollkey.core import open_core
from tollkey.settings import load_settings


def ready(folder: Path) -> None:
    assert run(folder, "accounts", "create", "--name", "Acme").exit_code == 0


def test_a_mistyped_folder_is_not_made(tmp_path: Path) -> None:
    refused = run(tmp_path / "typo", "keys", "list")
    assert refused.exit_code == 1
    assert "there is no account yet" in refused.stderr
    assert not (tmp_path / "typo").exists()


def test_listing_masks_secrets(tmp_path: Path) -> None:
    ready(tmp_path)
    keys = json.loads(run(tmp_path, "keys", "list", "--json").stdout)
    secret = next(key for key in keys if key["type"] == "secret")
    assert secret["secret"] is None
    assert secret["redacted"].startswith("sk_test_...")


def test_a_live_key_is_revealed_once_and_then_refused_with_exit_code_1(tmp_path: Path) -> None:
    ready(tmp_path)
    (secret,) = [
        key for key in json.loads(run(tmp_path, "keys", "list", "--live", "--json").stdout) if key["type"] == "secret"
    ]
    first = run(tmp_path, "keys", "reveal", secret["id"], "--live", "--note", "in the vault")
    assert (first.exit_code, "sk_live_51" in first.stdout) == (0, True)
    again = run(tmp_path, "keys", "reveal", secret["id"], "--live")
    assert (again.exit_code, "can no longer be shown" in again.stderr) == (1, True)


def test_a_live_key_is_not_made_unless_its_text_is_asked_for(tmp_path: Path) -> None:
    ready(tmp_path)
    assert run(tmp_path, "keys", "create", "--live").exit_code == 2


def test_rolling_gives_a_new_key_and_the_audit_log_says_who(tmp_path: Path) -> None:
    ready(tmp_path)
    (old,) = [key for key in json.loads(run(tmp_path, "keys", "list", "--json").stdout) if key["type"] == "secret"]
    new = json.loads(run(tmp_path, "keys", "roll", old["id"], "--expires", "in_24_hours", "--json").stdout)
    assert new["rolled_from"] == old["id"]
    log = json.loads(run(tmp_path, "keys", "audit", old["id"], "--json").stdout)
    assert [(entry["action"], entry["actor"]) for entry in log] == [
        ("rolled", "cli:tollkey"),
        ("created", "cli:tollkey"),
    ]


@pytest.mark.parametrize("mode", [(), ("--live",)])
def test_rolling_prints_the_text_when_asked_and_else_says_how_to_get_it(tmp_path: Path, mode: tuple[str, ...]) -> None:
    ready(tmp_path)
    (old,) = [
        key for key in json.loads(run(tmp_path, "keys", "list", *mode, "--json").stdout) if key["type"] == "secret"
    ]
    told = run(tmp_path, "keys", "roll", old["id"], "--expires", "in_24_hours", *mode)
    new = next(word for word in told.stdout.split() if word.startswith("mk_"))
    command = told.stderr.strip().rpartition("tollkey ")[2].split()
    assert command == ["keys", "reveal", new, *mode]
    prefix = "sk_live_51" if mode else "sk_test_51"
    assert prefix in run(tmp_path, *command).stdout
    at_once = run(tmp_path, "keys", "roll", new, "--expires", "in_24_hours", "--show-secret", *mode)
    assert prefix in at_once.stdout
    assert not at_once.stderr


def test_a_key_is_found_by_its_id_or_its_text_on_standard_input(tmp_path: Path) -> None:
    ready(tmp_path)
    made = json.loads(run(tmp_path, "keys", "create", "--live", "--show-secret", "--json").stdout)
    words = ("keys", "find", "-", "--json", "--data", str(tmp_path))
    for answer in (
        run(tmp_path, "keys", "find", made["id"], "--json"),
        CliRunner().invoke(app, words, input=made["secret"] + "\n"),
    ):
        found = json.loads(answer.stdout)
        assert (found["id"], found["livemode"], found["secret"]) == (made["id"], True, None)
        assert found["account"].startswith("acct_1")
    refused = run(tmp_path, "keys", "find", made["secret"])
    assert (refused.exit_code, made["secret"] in refused.output) == (2, False)
    assert CliRunner().invoke(app, words, input="sk_live_nothing\n").exit_code == 1


def test_without_an_account_the_command_says_what_to_do(tmp_path: Path) -> None:
    answer = run(tmp_path, "keys", "list")
    assert (answer.exit_code, "there is no account yet" in answer.stderr) == (1, True)


def test_the_doctor_finds_nothing_on_a_fresh_server_and_says_so_in_its_exit_code(tmp_path: Path) -> None:
    ready(tmp_path)
    assert run(tmp_path, "doctor").exit_code == 0
    (tmp_path / "keyring.json").chmod(0o644)
    answer = run(tmp_path, "doctor")
    assert (answer.exit_code, "FAIL  key material" in answer.stdout) == (1, True)


def test_a_restricted_key_is_told_what_it_may_do_on_connected_accounts_apart(tmp_path: Path) -> None:
    ready(tmp_path)
    words = ("keys", "create", "--permission", "customer_read", "--connect-permission", "charge_read", "--json")
    made = json.loads(run(tmp_path, *words).stdout)
    assert (made["permissions"], made["connect_permissions"]) == (["customer_read"], ["charge_read"])


def test_the_logs_are_verified_and_a_change_is_named_with_exit_code_1(tmp_path: Path) -> None:
    ready(tmp_path)
    verified = run(tmp_path, "keys", "audit", "--verify")
    assert (verified.exit_code, verified.stdout.count("ok  ")) == (0, 2)
    head = next(word for word in verified.stdout.split() if word.startswith("keys:4:"))
    run(tmp_path, "keys", "create")
    assert run(tmp_path, "keys", "audit", "--verify", "--expect", head).exit_code == 0
    assert run(tmp_path, "keys", "audit", "--expect", "keys:4:00").exit_code == 1
    assert "--expect takes a head" in run(tmp_path, "keys", "audit", "--expect", "nonsense").stderr
    with closing(sqlite3.connect(tmp_path / "tollkey.db", isolation_level=None)) as other:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            other.execute("INSERT OR REPLACE INTO key_audit SELECT * FROM key_audit WHERE seq = 2")
        other.execute("DROP TRIGGER key_audit_no_update")
        other.execute("UPDATE key_audit SET actor_id = 'mallory' WHERE seq = 2")
    broken = run(tmp_path, "keys", "audit", "--verify")
    assert (broken.exit_code, "FAIL  keys: entry 2: it was changed" in broken.stdout) == (1, True)
    (keys, _) = json.loads(run(tmp_path, "keys", "audit", "--verify", "--json").stdout)
    assert (keys["log"], keys["whole"], keys["seq"]) == ("keys", False, 2)


def test_what_was_refused_is_listed_for_the_operator(tmp_path: Path) -> None:
    ready(tmp_path)
    assert json.loads(run(tmp_path, "keys", "refusals", "--json").stdout) == []
    core = open_core(load_settings(data=str(tmp_path)))
    core.attempts.count("key", "unknown", "192.0.2.1", 3600)
    core.database.write(core.attempts.flush)
    core.close()
    (line,) = json.loads(run(tmp_path, "keys", "refusals", "--json").stdout)
    assert (line["reason"], line["address"], line["attempts"], line["since"]) == ("unknown", "192.0.2.1", 1, 3600)
    assert "192.0.2.1" in run(tmp_path, "keys", "refusals").stdout


def test_a_key_is_paused_and_resumed(tmp_path: Path) -> None:
    ready(tmp_path)
    made = json.loads(run(tmp_path, "keys", "create", "--json").stdout)
    assert json.loads(run(tmp_path, "keys", "disable", made["id"], "--json").stdout)["status"] == "disabled"
    assert "disabled" in run(tmp_path, "keys", "list").stdout
    refused = run(tmp_path, "keys", "roll", made["id"])
    assert (refused.exit_code, "Enable it first" in refused.stderr) == (1, True)
    assert json.loads(run(tmp_path, "keys", "enable", made["id"], "--json").stdout)["status"] == "active"


def test_metadata_is_set_and_removed(tmp_path: Path) -> None:
    ready(tmp_path)
    options = ("--metadata", "team=billing", "--metadata", "host=a=b", "--json")
    made = json.loads(run(tmp_path, "keys", "create", *options).stdout)
    assert made["metadata"] == {"host": "a=b", "team": "billing"}
    changed = run(tmp_path, "keys", "update", made["id"], "--metadata", "host=")
    assert "team=billing" in changed.stdout
    assert "host" not in changed.stdout
    assert run(tmp_path, "keys", "update", made["id"], "--metadata", "host").exit_code == 2
