"""``tollkey keys serve``: what it says at the start, and how it stops."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from tollkey.cli.app import app
from tollkey.keys import KeyService


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A server in a process of its own, and what its line of JSON says."""
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-m", "tollkey", "keys", "serve", "--json", "--port", "0"]
    command += ["--database", str(folder / "keys.db"), *words]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=found)
    assert server.stdout is not None
    try:
        yield server, json.loads(server.stdout.readline())
    finally:
        if server.poll() is None:
            server.kill()
        server.communicate(timeout=120)


def opened(facts: dict[str, Any], key: str, path: str, body: object = None) -> Any:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    return urllib.request.urlopen(urllib.request.Request(facts["url"] + path, data, headers), timeout=60)


def test_a_server_answers_shows_its_first_key_once_and_ends_its_streams_when_it_stops(tmp_path: Path) -> None:
    file = tmp_path / "admin.key"
    with serving(tmp_path, "--dashboard", "--admin-key-file", str(file)) as (server, facts):
        assert facts["admin_key"] is None
        assert facts["owner_link"].startswith(f"{facts['url']}/")
        with urllib.request.urlopen(facts["owner_link"], timeout=60) as page:
            assert b"<form" in page.read(), "the Dashboard is at the same address"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        admin = file.read_text().strip()
        with KeyService.open(str(tmp_path / "keys.db")) as keys:
            key, text = keys.create(account="cus_1")
            with opened(facts, admin, "/v1/keys/verify", {"key": text}) as answer:
                assert json.loads(answer.read())["code"] == "valid"
            with opened(facts, admin, "/v1/keys/changes") as stream:
                assert stream.readline() == b"retry: 500\n"
                keys.revoke(key)  # by another process
                lines = iter(stream.readline, b"")
                assert next(line for line in lines if key.id.encode() in line)
                with opened(facts, admin, "/v1/keys/verify", {"key": text}) as answer:
                    assert json.loads(answer.read())["code"] == "revoked"
                server.send_signal(signal.SIGTERM)
                assert list(lines)[-1:] != [b""]
        assert server.wait(120) == 0
        assert server.stderr is not None
        assert server.stderr.read() == ""


def refused(*words: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(app, ["keys", "serve", "--port", "0", *words], env=env)


def test_a_missing_database_a_wrong_configuration_and_a_used_port_are_named(tmp_path: Path) -> None:
    assert (refused().exit_code, "--database" in refused().stderr) == (2, True)
    config = tmp_path / "tollkey.toml"
    config.write_text('[service]\nnmae = "acme"\n')
    wrong = refused("--database", str(tmp_path / "keys.db"), "--config", str(config))
    assert wrong.exit_code == 1
    assert "nmae" in wrong.stderr
    postgres = refused("--database", "postgresql://127.0.0.1:1/none")
    assert postgres.exit_code == 1
    assert "keyring" in postgres.stderr
    both = {"TOLLKEY_KEYRING": "a", "TOLLKEY_KEYRING_FILE": "b"}
    assert "only one" in refused("--database", str(tmp_path / "keys.db"), env=both).stderr
    taken = refused("--database", str(tmp_path / "keys.db"), "--host", "203.0.113.1")
    assert "cannot listen on 203.0.113.1" in taken.stderr


def test_a_file_for_the_first_key_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "admin.key"
    file.write_text("keep")
    done = refused("--database", str(tmp_path / "keys.db"), "--admin-key-file", str(file))
    assert done.exit_code == 1
    assert file.read_text() == "keep"
