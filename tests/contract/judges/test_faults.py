"""A server whose surroundings fail: hanging webhooks and clients at its end, damaged logs at its start."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode

import psycopg

from tests.contract.conftest import Running, serving
from tollkey.db import Ids
from tollkey.keys.keyring import Keyring


def post(server: Running, path: str, **form: str) -> None:
    headers = {"Authorization": f"Bearer {server.secret_key}"}
    with urllib.request.urlopen(urllib.request.Request(server.url + path, urlencode(form).encode(), headers)) as answer:
        assert answer.status == 200


def test_a_server_ends_in_ten_seconds_though_a_webhook_and_a_client_hang(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf, serving(tmp_path / "data") as server:
        hook = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        post(server, "/v1/webhook_endpoints", url=hook, **{"enabled_events[]": "*"})
        post(server, "/v1/customers", email="jenny@example.com")
        hanging, _ = deaf.accept()
        port = int(server.url.rpartition(":")[2])
        with hanging, socket.create_connection(("127.0.0.1", port)) as half:
            half.sendall(b"POST /v1/customers HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nem")
            started = time.monotonic()
            os.kill(server.pid, signal.SIGTERM)
            while Path(f"/proc/{server.pid}").exists() and not _is_dead(server.pid):
                assert time.monotonic() - started < 10
                time.sleep(0.05)


def _is_dead(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_server_starts_with_damaged_request_logs_and_says_where_they_are(tmp_path: Path) -> None:
    with serving(tmp_path / "data"):
        pass
    (tmp_path / "data" / "requests.db").write_bytes(b"damaged" * 1000)
    with serving(tmp_path / "data") as server:
        post(server, "/v1/customers")
    (line,) = (tmp_path / "data.log").read_text().splitlines()
    assert line.endswith("requests.db.damaged-1 now, new ones begin")


def test_a_frozen_node_holds_up_the_writes_of_no_other_for_longer_than_five_seconds(
    tmp_path: Path, postgres_server: Callable[[str], str]
) -> None:
    name = f"frozen_{Ids().text(12).lower()}"
    with psycopg.connect(postgres_server("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    database, ring = postgres_server(name), tmp_path / "ring.json"
    Keyring.fresh().create(ring)
    with (
        serving(tmp_path / "first", database, TOLLKEY_KEYRING_FILE=str(ring)) as first,
        serving(tmp_path / "second", database, TOLLKEY_KEYRING_FILE=str(ring)) as second,
    ):
        writing = [threading.Thread(target=write_on, args=(first,), daemon=True) for _ in range(8)]
        for thread in writing:
            thread.start()
        waits = []
        for _ in range(5):
            os.kill(first.pid, signal.SIGSTOP)
            began = time.monotonic()
            post(second, "/v1/customers")
            waits.append(time.monotonic() - began)
            os.kill(first.pid, signal.SIGCONT)
            time.sleep(0.3)
    assert max(waits) < 5, waits


def write_on(server: Running) -> None:
    """Write without end, whatever is answered."""
    while True:
        with suppress(OSError):
            post(server, "/v1/customers")
