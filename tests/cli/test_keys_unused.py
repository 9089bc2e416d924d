"""Unused keys from a shell."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.shell import run
from tollkey.core import open_core
from tollkey.settings import load_settings


def test_keys_that_were_not_used_for_so_many_days_are_listed(tmp_path: Path) -> None:
    assert run(tmp_path, "accounts", "create", "--name", "Acme").exit_code == 0
    assert json.loads(run(tmp_path, "keys", "unused", "--json").stdout) == []  # they are new
    core = open_core(load_settings(data=str(tmp_path)))
    core.database.write(lambda tx: tx.execute("UPDATE api_keys SET created = created - ?", (91 * 86400,)))
    core.close()
    found = json.loads(run(tmp_path, "keys", "unused", "--json").stdout)
    assert {(key["type"], key["last_used_at"]) for key in found} == {("secret", None), ("publishable", None)}
    assert "sk_test_..." in run(tmp_path, "keys", "unused").stdout
    assert json.loads(run(tmp_path, "keys", "unused", "--days", "100", "--json").stdout) == []
    assert run(tmp_path, "keys", "unused", "--days", "0").exit_code == 2
