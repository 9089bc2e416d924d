"""More than one process on the same keys: a revoked key is refused everywhere within the bound."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.contract.conftest import ROOT, Running, serving
from tollkey.db import Ids
from tollkey.keys.keyring import Keyring

BOUND_SECONDS = 1.5  # the lease's one second, and what a busy machine adds


def status(url: str, key: str) -> int:
    asked = urllib.request.Request(f"{url}/v1/customers", headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(asked) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return refusal.code


def refused_within(url: str, key: str, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if status(url, key) == 401:
            return True
    return False


def post(server: Running, path: str, form: str = "") -> str:
    asked = urllib.request.Request(server.url + path, form.encode(), {"Authorization": f"Bearer {server.secret_key}"})
    with urllib.request.urlopen(asked) as answer:
        return str(answer.read().decode())


def field(body: str, name: str) -> str:
    return str(json.loads(body)[name])


def check_revocation(one: Running, other: Running) -> None:
    """Revoke a key on one node: it is refused there at once, and on the other within the bound."""
    made = post(one, "/v1/api_keys", "type=secret")
    key = field(made, "secret")
    assert [status(one.url, key), status(other.url, key)] == [200, 200]
    post(one, f"/v1/api_keys/{field(made, 'id')}/revoke")
    assert status(one.url, key) == 401
    assert refused_within(other.url, key, BOUND_SECONDS)


def test_a_key_revoked_on_one_node_is_refused_on_the_other_within_the_bound(
    tmp_path: Path, postgres_server: Callable[[str], str]
) -> None:
    name = f"nodes_{Ids().text(12).lower()}"
    with psycopg.connect(postgres_server("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    shared = tmp_path / "shared"
    with serving(shared, postgres_server(name)) as first, serving(shared, postgres_server(name)) as second:
        check_revocation(first, second)


def test_a_second_node_with_a_folder_of_its_own_is_told_how_to_share_the_keyring(
    tmp_path: Path, postgres_server: Callable[[str], str]
) -> None:
    name = f"nodes_{Ids().text(12).lower()}"
    with psycopg.connect(postgres_server("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    database = postgres_server(name)
    with serving(tmp_path / "first", database):
        environ = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "TOLLKEY_DATABASE": database}
        command = [
            sys.executable,
            "-m",
            "tollkey",
            "serve",
            "--port",
            "0",
            "--json",
            "--data",
            str(tmp_path / "second"),
        ]
        refused = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
        assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
        assert "copy keyring.json from the data folder of the first node" in refused.stderr
        shutil.copy(tmp_path / "first" / "keyring.json", tmp_path / "second" / "keyring.json")
        with serving(tmp_path / "second", database) as second:
            assert status(second.url, second.secret_key) == 200


@pytest.mark.parametrize("verb", ["revoke", "expire-now"])
def test_a_key_ended_on_the_command_line_is_refused_by_the_running_server_within_the_bound(
    tmp_path: Path, verb: str
) -> None:
    with serving(tmp_path / "data") as server:
        made = post(server, "/v1/api_keys", "type=secret")
        key = field(made, "secret")
        assert status(server.url, key) == 200
        command = [sys.executable, "-m", "tollkey", "keys", verb, field(made, "id"), "--data", str(tmp_path / "data")]
        subprocess.run(
            command, check=True, env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin"}, stdout=subprocess.DEVNULL
        )
        assert refused_within(server.url, key, BOUND_SECONDS)


def upload(server: Running, content: bytes) -> str:
    """The id of a file with these contents, and the address of a link to it."""
    fields = "".join(
        f'--frontier\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in {"purpose": "dispute_evidence", "file_link_data[create]": "true"}.items()
    )
    head = f'{fields}--frontier\r\nContent-Disposition: form-data; name="file"; filename="pass.png"\r\n\r\n'
    headers = {"Authorization": f"Bearer {server.secret_key}", "Content-Type": "multipart/form-data; boundary=frontier"}
    asked = urllib.request.Request(f"{server.url}/v1/files", head.encode() + content + b"\r\n--frontier--\r\n", headers)
    with urllib.request.urlopen(asked) as answer:
        return str(answer.read().decode())


def test_a_file_that_was_uploaded_to_one_node_is_downloaded_from_the_other(
    tmp_path: Path, postgres_server: Callable[[str], str]
) -> None:
    name = f"nodes_{Ids().text(12).lower()}"
    with psycopg.connect(postgres_server("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    ring = tmp_path / "ring.json"
    Keyring.fresh().create(ring)
    database, content = postgres_server(name), b"\x89PNG\r\n\x1a\n" + os.urandom(3_000_000)
    with (
        serving(tmp_path / "first", database, TOLLKEY_KEYRING_FILE=str(ring)) as first,
        serving(tmp_path / "second", database, TOLLKEY_KEYRING_FILE=str(ring)) as second,
    ):
        made = json.loads(upload(first, content))
        headers = {"Authorization": f"Bearer {first.secret_key}"}
        with urllib.request.urlopen(
            urllib.request.Request(f"{second.url}/v1/files/{made['id']}/contents", headers=headers)
        ) as answer:
            assert (answer.read(), answer.headers["Content-Length"]) == (content, str(len(content)))
        link = made["links"]["data"][0]["url"].removeprefix(first.url)
        with urllib.request.urlopen(second.url + link) as answer:
            assert answer.read() == content
    assert not (tmp_path / "first" / "files").exists()
