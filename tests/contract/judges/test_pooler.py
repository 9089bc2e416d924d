"""Nodes behind PgBouncer in transaction mode, where each transaction may have another session."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
import stripe

from tests.contract.conftest import ROOT, serving
from tests.contract.judges.installing import debian
from tests.contract.judges.proxies import answering, free_port
from tests.contract.test_nodes import check_revocation

CHARGES = 240


class Pooled(NamedTuple):
    """A database. url: of the pooler. direct: of PostgreSQL."""

    url: str
    direct: str


@contextmanager
def pooler(direct: str) -> Iterator[Pooled]:
    """PgBouncer with four sessions for a database."""
    program, environment = debian("pgbouncer", "usr/sbin/pgbouncer", "pgbouncer", "libevent-2.1-7", "libc-ares2")
    parts, port = urlsplit(direct), free_port()
    folder = Path(tempfile.mkdtemp(prefix="tollkey-pgbouncer-"))  # PgBouncer does not run as root
    folder.chmod(0o755)
    settings = {
        "listen_addr": "127.0.0.1", "listen_port": port, "unix_socket_dir": "", "auth_type": "any",
        "pool_mode": "transaction", "default_pool_size": 4, "ignore_startup_parameters": "extra_float_digits",
    }  # fmt: skip
    lines = [f"{name} = {value}" for name, value in settings.items()]
    host = parse_qs(parts.query)["host"][0]
    (folder / "pgbouncer.ini").write_text("\n".join(
        ("[databases]", f"* = host={host} user={parts.username}", "[pgbouncer]", *lines)
    ))  # fmt: skip
    command = [str(program), "--quiet", f"{folder}/pgbouncer.ini"]
    if os.geteuid() == 0:
        command[1:1] = ["--user", Path(host).owner()]  # who may open the socket of the server
    with subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.DEVNULL) as running:
        try:
            answering(port, running)
            yield Pooled(f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}", direct)
        finally:
            running.kill()
            shutil.rmtree(folder)


@pytest.fixture
def pooled(new_database: Callable[[], str]) -> Iterator[Pooled]:
    with pooler(new_database()) as found:
        yield found


def test_a_server_that_knows_only_the_pooler_says_what_it_needs(pooled: Pooled, tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "TOLLKEY_DATABASE": pooled.url}
    command = [sys.executable, "-m", "tollkey", "serve", "--port", "0", "--data", str(tmp_path)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "pooler" in line
    assert "TOLLKEY_DIRECT_DATABASE" in line


def test_nothing_is_lost_refused_or_heard_late_behind_it(pooled: Pooled, tmp_path: Path) -> None:
    past = {"TOLLKEY_DIRECT_DATABASE": pooled.direct}
    shared = tmp_path / "shared"
    with serving(shared, pooled.url, **past) as one, serving(shared, pooled.url, **past) as two:
        sdks = [
            stripe.StripeClient(node.secret_key, base_addresses={"api": node.url}, max_network_retries=0)
            for node in (one, two)
        ]

        def charge(number: int) -> int:
            made = sdks[number % 2].v1.charges.create({"amount": 1000, "currency": "usd", "source": "tok_visa"})
            return made.amount if made.paid else 0

        with ThreadPoolExecutor(8) as at_once:
            assert sum(at_once.map(charge, range(CHARGES))) == CHARGES * 1000
        check_revocation(one, two)
    with psycopg.connect(pooled.direct) as database:
        ((stored,),) = database.execute("SELECT count(*) FROM obj_charge").fetchall()
        ((sum_of_all,),) = database.execute("SELECT coalesce(sum(amount), 0) FROM ledger_entries").fetchall()
    assert (stored, sum_of_all) == (CHARGES, 0)
