#!/usr/bin/env python3
"""A gateway and its upstream under faults, with every client's history checked.

    python bench/gateway_faults.py --faults 1000 [--seed 7]

The upstream is a second Tollkey. Between every two steps of a call something goes wrong: no connection can be made; the
request is swallowed; the answer is lost as a whole, or in its middle; it comes late; the upstream answers 429, 500 or
401; the gateway or the upstream is killed with SIGKILL. Clients create customers, three quarters of them with an
idempotency key, which they repeat until they get an answer; and pay with a key that has a cap.

Printed are faults by kind, answers by status, and the verdict: objects at the upstream that one client key made twice,
answers that the upstream knows nothing of, objects that nobody was told of or can still ask for, refusals that were
no refusals, and what was moved beyond the cap. Ends with 1 unless all are none.
"""

from __future__ import annotations

import argparse
import random
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src"), str(ROOT / "bench")]

from fault_cluster import Link, Node  # noqa: E402
from gateway import connect  # noqa: E402

from tollkey.core import open_core  # noqa: E402
from tollkey.db import Scope  # noqa: E402
from tollkey.keys.actors import SYSTEM  # noqa: E402
from tollkey.settings import Settings  # noqa: E402

CLIENTS = 6
CAP = 100_000  # minor units a day
AMOUNT = 500
KINDS = ("refused", "swallowed", "lost", "half", "late", "429", "500", "401")
ANSWERS = {
    "429": b"HTTP/1.1 429 Too Many\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    "500": b"HTTP/1.1 500 Broken\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    "401": b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
}


class Between:
    """A proxy that understands one request at a time, and makes one in four calls fail in some way."""

    def __init__(self, port: int, chance: random.Random) -> None:
        self._port, self._chance = port, chance
        self.faults: Counter[str] = Counter()
        self._counting = threading.Lock()
        self.quiet = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def count(self, kind: str) -> None:
        """Count a fault. Threads may do so at the same time."""
        with self._counting:
            self.faults[kind] += 1

    def _accept(self) -> None:
        while True:
            with suppress(OSError):
                near, _ = self._listener.accept()
                if not self.quiet and self._chance.random() < 0.03:
                    self.count("refused")
                    near.close()
                    continue
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with near, suppress(OSError, ValueError):
            far: socket.socket | None = None
            while request := _message(near):
                kind = "" if self.quiet or self._chance.random() > 0.25 else self._chance.choice(KINDS[1:])
                if kind:
                    self.count(kind)
                if kind == "swallowed":
                    return
                if kind in ANSWERS:
                    near.sendall(ANSWERS[kind])
                    continue
                if far is None:
                    far = socket.create_connection(("127.0.0.1", self._port))
                far.sendall(request)
                answer = _message(far)
                if kind == "lost" or not answer:
                    return
                if kind == "half":
                    near.sendall(answer[: len(answer) // 2])
                    return
                if kind == "late":
                    time.sleep(0.2)
                near.sendall(answer)


def _message(source: socket.socket) -> bytes:
    """A whole HTTP message with a length; nothing if the connection ends."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = source.recv(65536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        part = source.recv(65536)
        if not part:
            return b""
        body += part
    return head + b"\r\n\r\n" + body


class Told:
    """What clients were told. answered: name -> id. refused: names of calls that were refused for sure."""

    def __init__(self) -> None:
        self.answered: dict[str, str] = {}
        self.contradicted: list[str] = []
        self.refused: set[str] = set()
        self.once: set[str] = set()
        self.statuses: Counter[int] = Counter()
        self.lock = threading.Lock()


def client(node: Node, keys: tuple[str, str], told: Told, stop: threading.Event, number: int, seed: int) -> None:
    """Make calls until told to stop, and repeat each that has an idempotency key until it has an answer."""
    count, chance = 0, random.Random(seed + number)
    while not stop.is_set():
        count += 1
        name, pays = f"{number}-{count}", chance.random() < 0.4
        repeats = chance.random() < 0.75
        with told.lock:
            if not repeats:
                told.once.add(name)
        until = time.monotonic() + 90
        while time.monotonic() < until:
            link = Link(node, keys[1] if pays else keys[0], 20)
            try:
                status, answer = link.ask(
                    "POST", "/v1/charges" if pays else "/v1/customers", _params(name, pays), key=name if repeats else ""
                )
            except OSError:
                status, answer = 0, {}
            finally:
                link.close()
            with told.lock:
                told.statuses[status] += 1
            if _settled(told, name, status, answer) or not repeats:
                break
            time.sleep(0.05)


def _params(name: str, pays: bool) -> dict[str, Any]:
    common = {"metadata[name]": name}
    return {**common, "amount": AMOUNT, "currency": "usd", "source": "tok_visa"} if pays else common


def _settled(told: Told, name: str, status: int, answer: dict[str, Any]) -> bool:
    with told.lock:
        if status == 200:
            if told.answered.setdefault(name, answer["id"]) != answer["id"]:
                told.contradicted.append(name)
            return True
        if status == 403 and answer.get("error", {}).get("code") == "cap_exceeded":
            told.refused.add(name)
            return True
    return False


def _keys(folder: Path, account: str) -> tuple[str, str]:
    """The text of a restricted key, and of one with a cap."""
    core = open_core(Settings(data=str(folder)))
    try:
        caps = {"cap_charged_a_day": f"usd:{CAP}"}
        texts = [
            core.database.write(
                lambda tx, metadata=metadata: core.authority.create(  # type: ignore[misc]
                    tx, Scope(account, False), "restricted", actor=SYSTEM, now=int(time.time()),
                    permissions=("customer_write", "charge_write"), metadata=metadata,
                )
            )[1]
            for metadata in ({}, caps)
        ]  # fmt: skip
    finally:
        core.close()
    return texts[0], texts[1]


def _there(node: Node, key: str, path: str) -> list[dict[str, Any]]:
    """Every object of a list at the upstream."""
    link, found, after = Link(node, key, 60), [], ""
    while True:
        _, page = link.ask("GET", f"{path}?limit=100{f'&starting_after={after}' if after else ''}")
        found += page["data"]
        if not page["has_more"]:
            link.close()
            return found
        after = page["data"][-1]["id"]


def verdict(told: Told, objects: list[dict[str, Any]]) -> dict[str, int]:
    """What does not agree, by kind."""
    made: dict[str, list[str]] = {}
    for one in objects:
        if one["object"] == "customer" or one["status"] == "succeeded":
            made.setdefault(one["metadata"].get("name", ""), []).append(one["id"])
    ids = {one["id"] for one in objects}
    return {
        "doubled": sum(len(each) > 1 for each in made.values()),
        "invented": sum(id not in ids for id in told.answered.values()),
        "contradicted": len(told.contradicted),
        "refused, but done": len(told.refused & made.keys()),
        "lost": len([name for name in made if name not in told.answered and name not in told.once]),
        "beyond the cap": max(0, sum(AMOUNT for one in objects if one["object"] == "charge") - CAP),
    }


def main() -> None:
    """Run until so many faults have happened, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as name, ExitStack() as held:
        more = {"TOLLKEY_TEST_RATE_LIMIT": "0", "TOLLKEY_GUESS_LIMIT": "0"}
        there, here = Node(Path(name) / "there", **more), Node(Path(name) / "here", **more)
        for node in (there, here):
            held.callback(node.close)
            node.start()
        between = Between(there.port, chance)
        between.quiet = True
        connect(here.folder, f"http://127.0.0.1:{between.port}", there.facts["secret_key"])
        keys, told, stop = _keys(here.folder, here.facts["account"]), Told(), threading.Event()
        between.quiet = False
        clients = [
            threading.Thread(target=client, args=(here, keys, told, stop, number, given.seed))
            for number in range(CLIENTS)
        ]
        for one in clients:
            one.start()
        began = time.monotonic()
        while between.faults.total() < given.faults:
            time.sleep(chance.uniform(0.5, 2.0))
            killed = chance.choice((here, there))
            between.count("gateway killed" if killed is here else "upstream killed")
            killed.end(signal.SIGKILL)
            killed.start()
        between.quiet = True
        stop.set()
        for one in clients:
            one.join()
        key = there.facts["secret_key"]
        objects = _there(there, key, "/v1/customers") + _there(there, key, "/v1/charges")
        found = verdict(told, objects)
        faults, seconds = between.faults, time.monotonic() - began
        print(f"{faults.total()} faults in {seconds:.0f} s, seed {given.seed}: {dict(faults.most_common())}")
        print(f"answers: {dict(told.statuses.most_common())}; {len(objects)} objects at the upstream")
        print(", ".join(f"{what}: {number}" for what, number in found.items()))
    sys.exit(any(found.values()))


if __name__ == "__main__":
    main()
