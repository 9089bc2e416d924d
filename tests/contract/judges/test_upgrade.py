"""An older version and this one on one PostgreSQL, while requests run: migrated beside it, then started beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import stripe

from tests.contract.conftest import ROOT, Running, serving

#: Nothing has been released: the newest commit of an earlier day stands for the version before this one.
OLDER = "9b81fec1"


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source of the older version."""
    folder = tmp_path_factory.mktemp("older")
    with subprocess.Popen(["git", "-C", str(ROOT), "archive", OLDER, "src"], stdout=subprocess.PIPE) as archive:
        unpacked = subprocess.run(["tar", "-x", "-C", str(folder)], stdin=archive.stdout, check=False)
    if archive.returncode != 0 or unpacked.returncode != 0:
        pytest.skip(f"the older version is commit {OLDER}, which this copy's history does not have")
    return folder / "src"


class Callers:
    """Callers that create customers and charges, one after another, and remember what they were told."""

    def __init__(self) -> None:
        self.customers: set[str] = set()
        self.charges: set[str] = set()
        self.failed: list[str] = []
        self._enough = threading.Event()
        self._threads: list[threading.Thread] = []

    @contextmanager
    def at(self, node: Running, count: int = 2) -> Iterator[None]:
        """Let some of them call a node until the end of the block."""
        self._enough.clear()
        self._threads = [threading.Thread(target=self._call, args=(node,)) for _ in range(count)]
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._enough.set()
            for thread in self._threads:
                thread.join()

    def wait_for(self, more: int) -> None:
        """Wait until so many more charges were made."""
        until = len(self.charges) + more
        while len(self.charges) < until and not self.failed:
            assert any(thread.is_alive() for thread in self._threads)

    def _call(self, node: Running) -> None:
        sdk = stripe.StripeClient(node.secret_key, base_addresses={"api": node.url}, max_network_retries=0)
        while not self._enough.is_set():
            try:
                self.customers.add(sdk.v1.customers.create({"email": "jenny@example.com"}).id)
                charge = sdk.v1.charges.create({"amount": 1000, "currency": "usd", "source": "tok_visa"})
                self.charges.add(charge.id)
            except stripe.StripeError as problem:
                self.failed.append(repr(problem))


def migrate(data: Path, database: str, *words: str) -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "TOLLKEY_DATABASE": database}
    command = [sys.executable, "-m", "tollkey", "migrate", "--data", str(data), *words]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_older_server_goes_on_while_this_version_migrates_and_starts_beside_it(
    older: Path, new_database: Callable[[], str], tmp_path: Path
) -> None:
    database, callers, beside, data = new_database(), Callers(), Callers(), tmp_path / "nodes"
    with serving(data, database, PYTHONPATH=str(older)) as before, callers.at(before):
        callers.wait_for(20)
        migrate(data, database)
        callers.wait_for(20)
        with serving(data, database, TOLLKEY_MIGRATE="never") as after, beside.at(after):
            beside.wait_for(20)
            callers.wait_for(20)
    assert callers.failed + beside.failed == []
    migrate(data, database, "--finish")
    with serving(data, database, TOLLKEY_MIGRATE="never") as alone:
        sdk = stripe.StripeClient(alone.secret_key, base_addresses={"api": alone.url})
        for id in sorted(callers.customers | beside.customers)[:5]:
            assert sdk.v1.customers.retrieve(id).email == "jenny@example.com"
    with psycopg.connect(database) as looking:
        found = {id for (id,) in looking.execute("SELECT id FROM obj_charge")}
        sums = looking.execute("SELECT coalesce(sum(amount), 0) FROM ledger_entries").fetchone()
    assert found == callers.charges | beside.charges
    assert sums == (0,)
