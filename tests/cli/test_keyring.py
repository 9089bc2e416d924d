"""Rotating the key material from a shell."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.support.shell import run
from tollkey.cli.app import app
from tollkey.core import open_core
from tollkey.dashboard import factors
from tollkey.db import Scope, Tx
from tollkey.keys import Denied
from tollkey.keys.keyring import Keyring, is_private
from tollkey.platform import app_secrets, webhook_endpoints
from tollkey.settings import Settings


def test_keys_go_on_working_and_waiting_to_be_shown_after_a_rotation(tmp_path: Path) -> None:
    account = run(tmp_path, "accounts", "create", "--name", "Acme").stdout.strip()
    made = json.loads(run(tmp_path, "keys", "create", "--type", "secret", "--show-secret", "--json").stdout)
    rotated = json.loads(run(tmp_path, "keyring", "rotate", "--json").stdout)
    assert rotated == {"digest": {"current": "d2", "retired": ["d1"]}, "sealing": {"current": "s2", "retired": ["s1"]}}
    core = open_core(Settings(data=str(tmp_path)))
    assert not isinstance(core.verifier.verify(core.database, made["secret"], int(core.now())), Denied)
    (waiting,) = core.database.read(lambda tx: core.authority.list(tx, Scope(account, True), kind="secret"))
    core.close()
    assert json.loads(run(tmp_path, "keyring", "retire", "s1", "--json").stdout)["sealing"] == {
        "current": "s2",
        "retired": [],
    }
    assert run(tmp_path, "keys", "reveal", waiting.id, "--live").exit_code == 0


def test_the_key_material_itself_is_never_printed(tmp_path: Path) -> None:
    run(tmp_path, "accounts", "create", "--name", "Acme")
    held = json.loads((tmp_path / "keyring.json").read_text())
    shown = run(tmp_path, "keyring", "show").stdout
    assert "d1" in shown
    assert held["digest"]["keys"]["d1"] not in shown


def test_everything_that_is_sealed_moves_and_the_retired_key_can_be_dropped(tmp_path: Path) -> None:
    account = run(tmp_path, "accounts", "create", "--name", "Acme").stdout.strip()
    core = open_core(Settings(data=str(tmp_path)))
    scope = Scope(account, False)

    def fill(tx: Tx) -> str:
        call = core.call(tx, scope)
        endpoint = webhook_endpoints.create(call, {"url": "http://127.0.0.1/hook", "enabled_events": ["*"]})
        app_secrets.create(call, {"name": "token", "scope": {"type": "account"}, "payload": "hidden"})
        tx.execute(
            "INSERT INTO dash_people (id, email, name, password, created, totp_step, recovery)"
            " VALUES ('usr_1', 'a@b.c', 'A', '', 1, 0, '[]')"
        )
        factors.begin_totp(tx, core.authority.keyring, call.ids, "usr_1")
        return str(endpoint["secret"])

    secret = core.database.write(fill)
    core.close()
    assert "is the current sealing key" in run(tmp_path, "keyring", "retire", "s1").stderr
    ring = Keyring.load(tmp_path / "keyring.json").rotate_sealing()
    ring.save(tmp_path / "keyring.json")  # as far as a rotation came that was interrupted
    refused = run(tmp_path, "keyring", "retire", "s1").stderr
    places = ("api_keys.sealed", "webhook_endpoint_secrets", "apps.secret_payload", "dash_people.totp_pending")
    assert all(place in refused for place in places)
    assert "sealed values re-encrypted" in run(tmp_path, "keyring", "move").stdout
    assert run(tmp_path, "keyring", "retire", "s1").exit_code == 0
    assert set(Keyring.load(tmp_path / "keyring.json").sealing_keys) == {"s2"}
    core = open_core(Settings(data=str(tmp_path)))
    endpoint = core.database.read(
        lambda tx: core.call(tx, scope).objects.query("webhook_endpoint", {"status": "enabled"}, limit=1)[0]
    )
    assert webhook_endpoints.secrets_of(core.authority.keyring, scope, endpoint) == (secret,)
    assert core.database.read(lambda tx: factors.pending_totp(tx, core.authority.keyring, "usr_1")) is not None
    core.close()


def test_a_lost_keyring_is_said_in_one_sentence_and_not_made_anew(tmp_path: Path) -> None:
    run(tmp_path, "accounts", "create", "--name", "Acme")
    (tmp_path / "keyring.json").rename(tmp_path / "elsewhere")
    for words in (("keys", "list"), ("doctor",), ("accounts", "create", "--name", "Other")):
        refused = run(tmp_path, *words)
        assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
        assert "is missing" in refused.stderr
    assert not (tmp_path / "keyring.json").exists()


def test_the_material_may_be_a_mounted_secret_or_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, data = tmp_path / "secret.json", tmp_path / "data"
    assert CliRunner().invoke(app, ["keyring", "create", str(secret)]).exit_code == 0
    assert CliRunner().invoke(app, ["keyring", "create", str(secret)]).exit_code == 1
    assert is_private(secret)
    monkeypatch.setenv("TOLLKEY_KEYRING_FILE", str(secret))
    assert run(data, "accounts", "create", "--name", "Acme").exit_code == 0
    assert not (data / "keyring.json").exists()
    assert "is read-only" in run(data, "keyring", "rotate").stderr
    assert run(data, "keyring", "rotate", "--to", str(tmp_path / "new.json")).exit_code == 0
    assert "lacks the digest key d2" in run(data, "keys", "list").stderr
    monkeypatch.setenv("TOLLKEY_KEYRING", (tmp_path / "new.json").read_text())
    assert "both set" in run(data, "keys", "list").stderr
    monkeypatch.delenv("TOLLKEY_KEYRING_FILE")
    monkeypatch.setenv("TOLLKEY_KEYRING", (tmp_path / "new.json").read_text())
    assert run(data, "keys", "list").exit_code == 0
    assert "TOLLKEY_KEYRING" not in os.environ  # nothing that is started from here on gets it
