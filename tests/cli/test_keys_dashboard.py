"""``tollkey keys dashboard``: what it refuses, and passwords of its people. ``tests/browser`` runs it."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner, Result

from tollkey.cli.app import app
from tollkey.dashboard import ForKeys, people
from tollkey.db import Ids
from tollkey.keys import KeyService
from tollkey.keys.keyring import Keyring


def test_a_forgotten_password_is_reset_by_a_link(tmp_path: Path) -> None:
    def reset(email: str, *words: str) -> Result:
        return CliRunner().invoke(app, ["people", "reset", email, "--database", str(tmp_path / "keys.db"), *words])

    with KeyService.open(str(tmp_path / "keys.db"), flush_seconds=0) as keys:
        assert "no Dashboard yet" in reset("ada@example.com", "--base-url", "https://keys.example.com").stderr
        product = ForKeys(keys, Ids(), "")
        product.prepare(1)
        keys.database.write(
            lambda tx: people.add_person(tx, product.ids, email="ada@example.com", name="Ada", password="", now=1)
        )
    link = reset("ada@example.com", "--base-url", "https://keys.example.com")
    assert (link.exit_code, link.stdout.startswith("https://keys.example.com/reset/")) == (0, True)
    unknown = reset("eve@example.com", "--base-url", "https://keys.example.com")
    assert (unknown.exit_code, "no person" in unknown.stderr) == (1, True)
    assert reset("ada@example.com").exit_code == 2


def refused(*words: str) -> Result:
    return CliRunner().invoke(app, ["keys", "dashboard", "--port", "0", *words])


def test_what_it_cannot_open_is_named_and_nothing_is_created(tmp_path: Path) -> None:
    assert (refused().exit_code, "--database" in refused().stderr) == (2, True)
    missing = refused("--database", str(tmp_path / "none.db"))
    assert (missing.exit_code, missing.stderr.count("\n"), list(tmp_path.iterdir())) == (1, 1, [])
    KeyService.open(str(tmp_path / "keys.db")).close()
    Keyring.fresh().create(tmp_path / "other.keyring")
    other = refused("--database", str(tmp_path / "keys.db"), "--keyring", str(tmp_path / "other.keyring"))
    assert (other.exit_code, "belongs to another database" in other.stderr) == (1, True)
    (tmp_path / "tollkey.toml").write_text('[service]\nnmae = "acme"\n')
    wrong = refused("--database", str(tmp_path / "keys.db"), "--config", str(tmp_path / "tollkey.toml"))
    assert (wrong.exit_code, "nmae" in wrong.stderr) == (1, True)
    taken = refused("--database", str(tmp_path / "keys.db"), "--host", "203.0.113.1")
    assert "cannot listen on 203.0.113.1" in taken.stderr
