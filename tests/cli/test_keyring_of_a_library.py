"""Rotating the keyring of a library's own database."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tollkey import dashboard
from tollkey.cli import keyring
from tollkey.cli.app import app
from tollkey.cli.keyring_opening import open_keyring
from tollkey.db import migrate
from tollkey.keys import Key, KeyService
from tollkey.keys.http import idempotency
from tollkey.keys.keyring import Keyring
from tollkey.keys.schema import SEALED
from tollkey.keys.sealed import count_sealed_with

ROOT = Path(dashboard.__file__).parents[2]
#: When the kill happens: as one of these functions returns. Each of them changes the file or the database.
CHANGES = {
    ("keyring.py", "_write_temporary"), ("keyring.py", "save"), ("fingerprints.py", "_record"),
    ("fingerprints.py", "work"), ("sealed.py", "walk"), ("keyring.py", "_move"),
}  # fmt: skip


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["keyring", *words, "--database", str(folder / "keys.db")])


def opened(folder: Path) -> KeyService:
    return KeyService.open(str(folder / "keys.db"), flush_seconds=0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A database with a key that was shown, and its successor, which waits to be revealed."""
    (tmp_path / "live").mkdir()
    with opened(tmp_path / "live") as keys:
        made = keys.create(account="acme", kind="secret")
        (tmp_path / "text").write_text(made.secret)
        keys.roll(made.key, 3600, show=False)
    return tmp_path / "live"


def works(folder: Path) -> bool:
    """Whether the first key verifies and the second can be revealed and verifies, without changing the database."""
    with opened(folder) as keys:
        waiting = next(key for key in keys.list(account="acme") if key.revealable)
        first = keys.verify((folder.parent / "text").read_text())
        return isinstance(first, Key) and isinstance(keys.verify(keys.reveal(waiting).secret), Key)


def test_everything_that_keys_and_their_dashboard_seal_is_moved_in_a_rotation(folder: Path) -> None:
    places = set()
    for room in ("keys", "dashboard"):
        for file in (ROOT / "tollkey" / room).rglob("*.py"):
            if "\nSEALED = " in file.read_text():
                module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
                places.update(importlib.import_module(module).SEALED)
    assert len(places) >= 5
    with opened(folder) as keys:
        migrate(keys.database, [dashboard.MIGRATION, idempotency.MIGRATION])
    with open_keyring(None, str(folder / "keys.db"), None) as there:
        assert set(there.places) == places


def test_keys_work_after_a_rotation_and_the_old_sealing_key_can_be_retired(folder: Path) -> None:
    rotated = run(folder, "rotate", "--json")
    assert json.loads(rotated.stdout) == {
        "digest": {"current": "d2", "retired": ["d1"]},
        "sealing": {"current": "s2", "retired": ["s1"]},
    }
    assert run(folder, "retire", "s1").exit_code == 0
    assert set(Keyring.load(folder / "keys.db.keyring").sealing_keys) == {"s2"}
    assert "s2" in run(folder, "show").stdout
    assert works(folder)


def test_what_cannot_be_done_is_said_and_changes_nothing(folder: Path) -> None:
    before = (folder / "keys.db.keyring").read_text()
    for words, code, said in (
        (("rotate", "--no-digest", "--no-sealing"), 2, "nothing is left to rotate"),
        (("rotate", "--data", str(folder)), 2, "choose one of --data"),
        (("retire", "s1"), 1, "is the current sealing key"),
        (("retire", "d1"), 1, "is a digest key"),
        (("retire", "s7"), 1, "no such sealing key"),
    ):
        refused = run(folder, *words)
        assert (refused.exit_code, said in refused.stderr) == (code, True), refused.stderr
    assert (folder / "keys.db.keyring").read_text() == before


def test_a_keyring_of_another_database_is_refused(folder: Path, tmp_path: Path) -> None:
    Keyring.fresh().create(tmp_path / "other.keyring")
    for command in ("rotate", "move", "show"):
        refused = run(folder, command, "--keyring", str(tmp_path / "other.keyring"))
        assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
        assert "belongs to another database" in refused.stderr
    missing = CliRunner().invoke(app, ["keyring", "rotate", "--database", str(tmp_path / "none.db")])
    assert (missing.exit_code, (tmp_path / "none.db").exists()) == (1, False)


def test_the_database_of_the_payments_api_is_refused_since_more_is_sealed_in_it(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["accounts", "create", "--name", "Acme", "--data", str(tmp_path)]).exit_code == 0
    named = ["--database", str(tmp_path / "tollkey.db"), "--keyring", str(tmp_path / "keyring.json")]
    before = (tmp_path / "keyring.json").read_text()
    for words in (["keyring", "rotate"], ["keyring", "retire", "s1"], ["keys", "dashboard", "--port", "0"],
                  ["keys", "create", "--show-secret"],
                  ["people", "reset", "a@example.com", "--base-url", "http://127.0.0.1"]):  # fmt: skip
        refused = CliRunner().invoke(app, [*words, *named])
        assert (refused.exit_code, "the payments API" in refused.stderr) == (1, True), words
    assert (tmp_path / "keyring.json").read_text() == before


def test_the_new_keyring_can_go_to_another_file(folder: Path, tmp_path: Path) -> None:
    before = (folder / "keys.db.keyring").read_text()
    assert run(folder, "rotate", "--to", str(tmp_path / "new.keyring")).exit_code == 0
    assert (folder / "keys.db.keyring").read_text() == before
    assert "lacks the digest key d2" in run(folder, "show").stderr
    assert run(folder, "show", "--keyring", str(tmp_path / "new.keyring")).exit_code == 0


def killed_at(folder: Path, step: int) -> bool:
    """Rotate in a child process that kills itself at a step. Returns whether it was killed: otherwise it was done."""
    child = os.fork()
    if child == 0:
        left = step

        def count(frame: FrameType, event: str, argument: Any) -> None:
            nonlocal left
            code = frame.f_code
            if event == "return" and (os.path.basename(code.co_filename), code.co_name) in CHANGES:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.setprofile(count)
        keyring.rotate(database=str(folder / "keys.db"))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
    return os.WIFSIGNALED(status)


def test_a_rotation_that_is_killed_at_any_change_loses_no_key_and_can_be_completed(
    folder: Path, tmp_path: Path
) -> None:
    step, killed = 0, True
    while killed:
        step += 1
        copy = tmp_path / f"copy-{step}"
        shutil.copytree(folder, copy)
        killed = killed_at(copy, step)
        keyring.move(database=str(copy / "keys.db"))
        assert works(copy)
        with opened(copy) as keys:
            current = keys.authority.keyring.sealing_current
            assert count_sealed_with(keys.database, SEALED, "s1").total() == 0 or current == "s1"
    assert step == 9
    assert current == "s2"


def test_a_keyring_that_a_running_process_has_is_not_changed(folder: Path) -> None:
    before = (folder / "keys.db.keyring").read_text()
    with opened(folder):
        for words in (("rotate",), ("rotate", "--no-digest"), ("retire", "s0")):
            refused = run(folder, *words)
            assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
            assert "is in use by" in refused.stderr
        assert run(folder, "show").exit_code == 0
    assert (folder / "keys.db.keyring").read_text() == before
    assert run(folder, "rotate").exit_code == 0
    assert works(folder)


@pytest.mark.parametrize("place", ["text", "another file"])
def test_a_keyring_that_a_process_has_from_elsewhere_is_not_changed(folder: Path, tmp_path: Path, place: str) -> None:
    database, usual, copy = str(folder / "keys.db"), folder / "keys.db.keyring", tmp_path / "copy.keyring"
    shutil.copy(usual, copy)
    before, given = usual.read_text(), Keyring.load(usual) if place == "text" else str(copy)
    with KeyService.open(database, keyring=given, flush_seconds=0), opened(folder):
        refused = run(folder, "rotate")
        assert (refused.exit_code, "is in use by" in refused.stderr) == (1, True)
    with KeyService.open(database, keyring=given, flush_seconds=0):
        for named in ((), ("--keyring", str(copy))):
            refused = run(folder, "rotate", *named)
            assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
            assert "is in use by" in refused.stderr
    with opened(folder):
        refused = run(folder, "rotate", "--keyring", str(copy))
        assert (refused.exit_code, "is in use by" in refused.stderr) == (1, True)
    assert (usual.read_text(), copy.read_text()) == (before, before)
    assert run(folder, "rotate").exit_code == 0
    assert works(folder)


def test_a_service_that_listens_on_postgres_is_stopped_before_a_rotation(postgres_url: str, tmp_path: Path) -> None:
    with KeyService.open(postgres_url, keyring=str(tmp_path / "here.keyring"), flush_seconds=0):
        shutil.copy(tmp_path / "here.keyring", tmp_path / "copy.keyring")  # that of another machine
        words = ["keyring", "rotate", "--database", postgres_url, "--keyring", str(tmp_path / "copy.keyring")]
        refused = CliRunner().invoke(app, words)
        assert (refused.exit_code, "the database is in use by" in refused.stderr) == (1, True)
