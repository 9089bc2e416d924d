"""Rotating the key material from a shell."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.shell import run
from tollkey.db import Scope
from tollkey.keys import Denied, Keyring
from tollkey.server import open_core
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
    path = tmp_path / "keyring.json"
    Keyring.load(path).without("s1").save(path)  # nothing is left under the retired sealing key
    assert run(tmp_path, "keys", "reveal", waiting.id, "--live").exit_code == 0


def test_the_key_material_itself_is_never_printed(tmp_path: Path) -> None:
    run(tmp_path, "accounts", "create", "--name", "Acme")
    held = json.loads((tmp_path / "keyring.json").read_text())
    shown = run(tmp_path, "keyring", "show").stdout
    assert "d1" in shown
    assert held["digest"]["keys"]["d1"] not in shown
