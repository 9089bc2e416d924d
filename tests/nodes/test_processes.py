"""Two processes on one database, and one that is killed between its claim and the end of the work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.nodes.log_writer import BATCH
from tests.nodes.worker import KIND, know
from tests.support.api import NEVER
from tests.support.nodes import Nodes
from tollkey.db import Database, Scope, migrate, open_database
from tollkey.platform.request_log_batches import index_oldest
from tollkey.platform.request_logs import MIGRATION, logged
from tollkey.wire.jobs import Schedule

ROOT = Path(__file__).resolve().parents[2]
REFUNDS = 40


class Worker:
    """A node in a process of its own."""

    def __init__(self, nodes: Nodes, *more: str) -> None:
        settings = nodes.first.core.settings
        command = [
            sys.executable,
            "-m",
            "tests.nodes.worker",
            settings.database,
            settings.data,
            str(nodes.first.clock[0]),
            *more,
        ]
        environ = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ, text=True)

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def end(self, number: int | None = None) -> None:
        if number is not None:
            self.process.send_signal(number)
        with self.process:
            pass


def test_two_processes_settle_each_refund_once(nodes: Nodes) -> None:
    api = nodes.api()
    for _ in range(REFUNDS):
        charge = api.ok("POST", "/v1/charges", amount=1000, currency="usd", source="tok_pendingRefund")
        api.ok("POST", "/v1/refunds", charge=charge["id"])
    nodes.first.clock[0] += 10
    workers = [Worker(nodes), Worker(nodes)]
    assert [worker.line() for worker in workers] == ["ready", "ready"]
    for worker in workers:
        worker.go()
    assert sum(int(worker.line()) for worker in workers) >= REFUNDS
    for worker in workers:
        worker.end()
    refunds = api.get("/v1/refunds", limit=100)["data"]
    assert Counter(refund["status"] for refund in refunds) == {"succeeded": REFUNDS}
    assert len(api.events("refund.updated")) == REFUNDS


def test_work_that_a_killed_process_had_claimed_is_done_by_another_node_once(nodes: Nodes) -> None:
    api = nodes.api()
    for node in (nodes.first, nodes.second):
        know(node.core.catalogue)
    scope = Scope(api.account, False)
    api.core.database.write(lambda tx: Schedule(tx, scope).add(api.now, KIND, "thing"))
    worker = Worker(nodes, "stop")
    assert worker.line() == "ready"
    worker.go()
    assert worker.line() == "claimed"
    worker.end(signal.SIGKILL)
    assert api.get("/v1/customers")["data"] == []
    nodes.work()
    assert len(api.get("/v1/customers")["data"]) == 1
    assert len(api.events("customer.created")) == 1
    nodes.work()
    assert len(api.get("/v1/customers")["data"]) == 1


def test_request_logs_of_killed_processes_are_there_once(database_url: str) -> None:
    database = open_database(database_url, "test")
    migrate(database, [MIGRATION])
    environ = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    found: dict[str, list[int]] = {}
    for name, batches in (("one", 5), ("two", 16), ("three", 31)):
        command = [sys.executable, "-m", "tests.nodes.log_writer", database_url, name]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environ, text=True) as process:
            assert process.stdout is not None
            said = [int(process.stdout.readline()) for _ in range(batches)]
            process.kill()
            said += [int(line) for line in process.stdout.read().split()]
        found[name] = logs_of(database, name)
        assert found[name] == list(range(len(found[name])))
        assert said[-1] <= len(found[name]) <= said[-1] + BATCH
    while database.write(lambda tx: index_oldest(tx, NEVER)):
        pass
    assert {name: logs_of(database, name) for name in found} == found
    database.close()


def logs_of(database: Database, name: str) -> list[int]:
    """The numbers of the requests of an account, in the order of the log."""
    return [each.at for each in database.read(lambda tx: logged(tx, account=name, limit=1_000_000))]
