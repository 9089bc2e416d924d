"""Several workers of one server, as processes: one is killed, then the parent."""

from __future__ import annotations

import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.contract.conftest import serving
from tollkey.db import Ids


@pytest.fixture
def database(postgres_server: Callable[[str], str]) -> str:
    name = f"workers_{Ids().text(12).lower()}"
    with psycopg.connect(postgres_server("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    return postgres_server(name)


def children(pid: int) -> set[int]:
    return {int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def test_a_killed_worker_is_restarted_and_all_end_with_their_parent(tmp_path: Path, database: str) -> None:
    with serving(tmp_path / "data", database, TOLLKEY_WORKERS="2") as server:
        time.sleep(6)
        first = children(server.pid)
        assert len(first) == 2
        os.kill(min(first), signal.SIGKILL)
        until = time.monotonic() + 30
        while len(children(server.pid) - first) != 1 or not answers(server.url):
            assert time.monotonic() < until
            time.sleep(0.1)
    assert not any(Path(f"/proc/{pid}").exists() for pid in first)
