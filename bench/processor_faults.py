#!/usr/bin/env python3
"""Live payments through a processor under faults and SIGKILL, with three books compared at the end.

    python bench/processor_faults.py --seconds 120 [--seed 7] [--connections 16] [--faults 0.25] [--nodes 2]

A server takes live payments through a processor on a socket, which is a process of its own with durable books. One
message in four is lost, or answered late, by half, or not at all. The server is killed with SIGKILL again and again,
and so is the processor. With ``--nodes`` several servers share a PostgreSQL database, and clients change between them.
Clients pay at once or hold and capture, and refund; each repeats its request with its idempotency key until it has an
answer.

Printed are kills and answers by status, and the verdict: payments that were taken twice, approvals that are lost,
operations whose outcome nobody knows, answers that a repetition contradicts, and cents by which the books of the
processor, the attempts, the objects and the ledger differ. Ends with 1 unless all are none.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src"), str(ROOT / "bench")]

from fault_cluster import Link, Node, PostgresServer  # noqa: E402

from tests.support.socket_processor import FEATURES, installed  # noqa: E402
from tollkey import ledger  # noqa: E402
from tollkey.core import Core, open_core  # noqa: E402
from tollkey.db import Scope  # noqa: E402
from tollkey.ledger.books import BANK, NETWORK, SUSPENSE  # noqa: E402
from tollkey.payments.processors import attempts, backends, notices  # noqa: E402
from tollkey.payments.processors.attempts import Attempt  # noqa: E402
from tollkey.settings import Settings  # noqa: E402

SETTLES = 240.0  # seconds in which everything is known after the last fault


class Processor:
    """The other end, in a process of its own."""

    def __init__(self, folder: Path, faults: float, seed: int) -> None:
        self.books, self._faults, self._seed = folder / "books", faults, seed
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, faults: float | None = None) -> None:
        self._seed += 1
        chance = self._faults if faults is None else faults
        command = [sys.executable, "-m", "tests.support.socket_processor", str(self.port), str(self.books)]
        self._process = subprocess.Popen([*command, str(chance), str(self._seed)], cwd=ROOT)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.books.read_text().splitlines()] if self.books.exists() else []


class Clients:
    """What the clients were told."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.contradicted: list[str] = []
        self.unanswered = 0  # within ``SETTLES`` seconds, so that nothing can be compared
        self.lock = threading.Lock()

    def insist(self, nodes: list[Node], key: str, path: str, name: str, params: dict[str, Any]) -> dict[str, Any]:
        """Send a request until it has an answer that stays; return that."""
        until = time.monotonic() + SETTLES
        while time.monotonic() < until:
            link = Link(random.choice(nodes), key, 40)
            try:
                status, answer = link.ask("POST", path, params, key=name)
            except OSError:
                status, answer = 0, {}
            finally:
                link.close()
            with self.lock:
                self.statuses[f"{path.rpartition('/')[2]} {status}"] += 1
            if status in (200, 400, 402):
                return answer
            time.sleep(0.2)
        return {}

    def run(self, nodes: list[Node], key: str, number: int, seed: int, stop: threading.Event) -> None:
        """Pay, capture and refund until told to stop."""
        chance, count = random.Random(seed * 100 + number), 0
        while not stop.is_set():
            count += 1
            name = f"{number}-{count}"
            token = "declined" if chance.random() < 0.1 else f"nt_{name}"
            method = self.insist(nodes, key, "/v1/payment_methods", f"{name}-m", {"type": "card", "card[token]": token})
            holds = chance.random() < 0.3
            given = {
                "amount": chance.randint(100, 900), "currency": "usd", "confirm": "true", "metadata[name]": name,
                "payment_method": method.get("id", ""), "automatic_payment_methods[enabled]": "true",
                "automatic_payment_methods[allow_redirects]": "never",
                "capture_method": "manual" if holds else "automatic",
            }  # fmt: skip
            intent = self.insist(nodes, key, "/v1/payment_intents", f"{name}-p", given)
            again = self.insist(nodes, key, "/v1/payment_intents", f"{name}-p", given)
            with self.lock:
                if not intent or not again:
                    self.unanswered += 1
                elif intent.get("id") != again.get("id"):
                    self.contradicted.append(name)
            if holds and "id" in intent:
                self.insist(nodes, key, f"/v1/payment_intents/{intent['id']}/capture", f"{name}-c", {})
            elif chance.random() < 0.3 and "id" in intent:
                self.insist(nodes, key, "/v1/refunds", f"{name}-r", {"payment_intent": intent["id"], "amount": 50})


def connect(settings: Settings, account: str, port: int) -> str:
    """Connect the account to the processor; return its live secret key."""
    core = open_core(settings)
    try:
        scope, config = Scope(account, True), {"host": "127.0.0.1", "port": port, "seconds": 1.0}
        keyring, now = core.authority.keyring, int(time.time())
        core.database.write(lambda tx: backends.connect(tx, keyring, scope, "socket", config, FEATURES, now))

        def secret(tx: Any) -> str:
            found = [key for key in core.authority.defaults(tx, scope) if key.kind == "secret"]
            return core.authority.text_of(tx, found[0]) or ""

        return core.database.write(secret)
    finally:
        core.close()


def moved(lines: list[dict[str, Any]]) -> dict[str, int]:
    """What the processor took and gave back, by reference."""
    found: dict[str, int] = {}
    for line in lines:
        if line["kind"] == "reverse":
            found.pop(line["reference"], None)
        elif line["is"] == "approved":
            sign = {"capture": 1, "refund": -1}.get(line["kind"], 1 if line.get("takes") else 0)
            found[line["reference"]] = sign * line["amount"]
    return found


def verdict(
    core: Core, scope: Scope, every: list[Attempt], lines: list[dict[str, Any]], told: Clients
) -> dict[str, int]:
    """What does not agree, by kind."""
    read = core.database.read
    network = moved(lines)
    approved = {line["reference"] for line in lines if line["kind"] != "reverse" and line["is"] == "approved"}
    undone = {line["reference"] for line in lines if line["kind"] == "reverse"}
    known = {one.reference: one for one in every}
    taken: Counter[str] = Counter()
    for reference, amount in network.items():
        if reference in known and amount > 0:
            taken[known[reference].object] += 1
    table = core.setup.tables.of["payment_intent"]
    rows = read(lambda tx: [json.loads(row.body) for row in table.page(tx, scope, 1_000_000)])
    received = sum(one["amount_received"] for one in rows)
    refunds = read(lambda tx: core.setup.tables.of["refund"].page(tx, scope, 1_000_000))
    back = sum(one["amount"] for one in map(lambda row: json.loads(row.body), refunds) if one["status"] == "succeeded"
               and one["balance_transaction"])  # fmt: skip
    books = {book: read(lambda tx, book=book: ledger.book_total(tx, scope, book, "usd")) for book in
             (NETWORK, BANK, SUSPENSE)}  # fmt: skip
    by_attempts = sum(one.moved for one in every)
    total = sum(network.values())
    return {
        "taken twice": sum(number > 1 for number in taken.values()),
        "approved there, not here": len(
            [one for one in approved - undone if one not in known or known[one].state != "approved"]
        ),
        "approved here, not there": len(
            [one for one in every if one.state == "approved" and one.reference not in approved - undone]
        ),
        "unknown": sum(not one.applied for one in every),
        "processing": sum(one["status"] == "processing" for one in rows),
        "contradicted": len(told.contradicted),
        "attempts differ by": abs(by_attempts - total),
        "objects differ by": abs(received - back - total),
        "ledger differs by": abs(-books[NETWORK] - books[BANK] - total),
        "settlement differs by": abs(books[NETWORK]) + abs(books[SUSPENSE]),
        "differences": len(read(lambda tx: notices.differences(tx, scope))),
        "broken books": len(read(lambda tx: ledger.audit(tx, scope))),
    }


def settled(settings: Settings, scope: Scope) -> None:
    """Wait until nothing is open and everything is settled."""
    until = time.monotonic() + SETTLES
    while time.monotonic() < until:
        core = open_core(settings)
        try:
            left = core.database.read(lambda tx: attempts.list_of(tx, scope, open_only=True))
            late = core.database.read(lambda tx: attempts.unsettled(tx, scope, 2**40))
        finally:
            core.close()
        if not left and not late:
            return
        time.sleep(3)


def main() -> None:
    """Run for a time, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--faults", type=float, default=0.25)
    parser.add_argument("--nodes", type=int, default=1)
    given = parser.parse_args()
    chance, kills = random.Random(given.seed), Counter[str]()
    with tempfile.TemporaryDirectory() as name, ExitStack() as held:
        folder = Path(name)
        path = f"{installed(folder / 'installed')}:{ROOT}:{ROOT / 'src'}"
        postgres = PostgresServer(folder / "postgres") if given.nodes > 1 else None
        if postgres is not None:
            held.callback(postgres.close)
        url, keyring = postgres.url if postgres is not None else "", None
        nodes: list[Node] = []
        other = Processor(folder, given.faults, given.seed)
        other.start()
        try:
            for number in range(given.nodes):
                nodes.append(Node(folder / str(number), url, keyring, PYTHONPATH=path, TOLLKEY_LIVE_RATE_LIMIT="0"))
                nodes[-1].start()
                keyring = nodes[0].folder / "keyring.json"
            settings = Settings(data=str(nodes[0].folder), database=url)
            account = nodes[0].facts["account"]
            key = connect(settings, account, other.port)
            told, stop = Clients(), threading.Event()
            clients = [
                threading.Thread(target=told.run, args=(nodes, key, number, given.seed, stop))
                for number in range(given.connections)
            ]
            for one in clients:
                one.start()
            ends = time.monotonic() + given.seconds
            while time.monotonic() < ends:
                time.sleep(chance.uniform(2.0, 8.0))
                if chance.random() < 0.7:
                    kills["server"] += 1
                    killed = chance.choice(nodes)
                    killed.end(signal.SIGKILL)
                    killed.start()
                else:
                    kills["processor"] += 1
                    other.kill()
                    other.start()
            other.kill()
            other.start(0.0)
            stop.set()
            for one in clients:
                one.join()
            scope = Scope(account, True)
            settled(settings, scope)
        finally:
            for node in nodes:
                node.close()
            other.kill()
        core = open_core(settings)
        try:
            every = core.database.read(lambda tx: attempts.list_of(tx, scope, limit=1_000_000))
            found = verdict(core, scope, every, other.lines(), told)
        finally:
            core.close()
        states = Counter(f"{one.operation} {one.state}" for one in every)
        size = f"{given.connections} connections, {given.nodes} nodes"
        print(f"{given.seconds:.0f} s, seed {given.seed}, {size}, killed: {dict(kills)}")
        print(f"attempts: {dict(states.most_common())}")
        print(f"answers: {dict(told.statuses.most_common(12))}, none: {told.unanswered}")
        print(", ".join(f"{what}: {number}" for what, number in found.items()))
    sys.exit(any(found.values()))


if __name__ == "__main__":
    main()
