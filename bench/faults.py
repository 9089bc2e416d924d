#!/usr/bin/env python3
"""Two nodes on one PostgreSQL under faults, with clients whose whole history is checked.

    python bench/faults.py --faults 1000              until so many faults have happened
    python bench/faults.py --minutes 10 --seed 7      or for a time

Faults: the network between a node and the database is cut, swallows or slows what is sent; a node is frozen (SIGSTOP),
killed, or told to stop; the database ends sessions, or is killed with all of them. Clients charge, refund (some of one
charge, together more than there is), transfer, pay out, count up one customer's balance, and send a quarter of their
requests to both nodes at once under one idempotency key. What has no certain outcome is sent again, to any node. Keys
are revoked and then tried.

Printed are faults by kind, answers by status, the longest waits, and the verdict: operations that are lost or doubled,
and whatever else does not agree. Ends with 1 unless all are none.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src"), str(ROOT / "bench")]

import psycopg  # noqa: E402
from fault_cluster import Link, Node, PostgresServer  # noqa: E402
from fault_history import History, Json, Operation, Verdict, judge  # noqa: E402

from tests.support.api import form  # noqa: E402
from tests.support.connected import PERSON  # noqa: E402

CLIENTS = 6
GRACE_SECONDS = 1.5  # after a revocation: the lease of one second, and what a busy machine adds
SETTLE_SECONDS = 2
Made = tuple[str, int | None, float, float]
UNSETTLED = (409, 429, 500, 502, 503)  # the operation may be done or not


class Cluster:
    """Two nodes on one database, the merchant's key, and a connected account."""

    def __init__(self, folder: Path, held: ExitStack) -> None:
        self.postgres = PostgresServer(folder / "postgres")
        held.callback(self.postgres.close)
        more = {"TOLLKEY_SETTLE_SECONDS": str(SETTLE_SECONDS), "TOLLKEY_TEST_FUNDS": "1000000000000"}
        first = Node(folder / "a", self.postgres.url, **more)
        held.callback(first.close)
        first.start()
        second = Node(folder / "b", self.postgres.url, folder / "a" / "keyring.json", **more)
        held.callback(second.close)
        second.start()
        self.nodes = (first, second)
        self.key = str(first.facts["secret_key"])
        setting_up = Link(first, self.key, 60)
        self.account = self._connected(setting_up)
        self.counter = self._made(setting_up, "/v1/customers", {})["id"]
        shared = {"amount": 50_000, "currency": "usd", "source": "tok_bypassPending"}
        self.shared_charges = [self._made(setting_up, "/v1/charges", shared)["id"] for _ in range(5)]

    def _made(self, link: Link, path: str, params: Json) -> Json:
        status, answer = link.ask("POST", path, params)
        assert status == 200, answer
        return answer

    def _connected(self, link: Link) -> str:
        given = {
            "type": "custom", "country": "US", "business_type": "individual", "individual": PERSON,
            "business_profile": {"url": "https://accessible.stripe.com", "product_description": "Tea"},
            "capabilities": {"card_payments": {"requested": True}, "transfers": {"requested": True}},
            "external_account": "btok_us", "tos_acceptance": {"date": int(time.time()), "ip": "203.0.113.12"},
            "settings": {"payouts": {"schedule": {"interval": "manual"}}},
        }  # fmt: skip
        account = str(self._made(link, "/v1/accounts", dict(form(given)))["id"])
        until = time.monotonic() + 60
        while link.ask("GET", f"/v1/accounts/{account}")[1]["capabilities"]["transfers"] != "active":
            assert time.monotonic() < until, "the connected account is not verified"
            time.sleep(0.5)
        return account

    def everything(self, path: str, account: str = "") -> Iterator[Json]:
        """All objects of a list, page after page."""
        link, after = Link(self.nodes[0], self.key, 60), ""
        while True:
            _, page = link.ask("GET", f"{path}{'&' if '?' in path else '?'}limit=100{after}", account=account)
            yield from page["data"]
            if not page["has_more"]:
                return
            after = f"&starting_after={page['data'][-1]['id']}"


class Client:
    """Makes one operation after the other until it is stopped."""

    def __init__(self, cluster: Cluster, history: History, seed: int) -> None:
        self._cluster, self._history, self._random = cluster, history, random.Random(seed)
        self._links = [[Link(node, cluster.key) for node in cluster.nodes] for _ in range(2)]
        self._own: list[tuple[str, int]] = []  # charges, and what may still be refunded of each
        self._twins = ThreadPoolExecutor(2)

    def run(self, stop: threading.Event, until: threading.Event) -> None:
        """Work until ``stop`` is set; the last operation is tried until ``until``."""
        while not stop.is_set():
            if self._random.random() < 0.2:
                self._read()
            else:
                self._perform(self._invent(), until)

    def _invent(self) -> Operation:
        chance, begin = self._random, self._history.begin
        kind = chance.choice(
            ["charge"] * 4 + ["refund", "pending_refund", "transfer", "payout", "count", "count", "contended"]
        )
        amount = chance.randint(50, 900)
        if kind == "transfer":
            given: Json = {"amount": amount, "currency": "usd", "destination": self._cluster.account}
            return begin("transfer", "/v1/transfers", given)
        if kind == "payout":
            return begin("payout", "/v1/payouts", {"amount": amount, "currency": "usd"})
        if kind == "count":
            path = f"/v1/customers/{self._cluster.counter}/balance_transactions"
            return begin("count", path, {"amount": 1, "currency": "usd"})
        if kind == "contended":
            charge = chance.choice(self._cluster.shared_charges)
            return begin("refund", "/v1/refunds", {"charge": charge, "amount": 700}, True)
        if kind == "refund" and self._own:
            charge, left = self._own.pop(chance.randrange(len(self._own)))
            part = chance.randint(1, left)
            if left > part:
                self._own.append((charge, left - part))
            return begin("refund", "/v1/refunds", {"charge": charge, "amount": part})
        source = "tok_pendingRefund" if kind == "pending_refund" else "tok_bypassPending"
        return begin(
            "charge", "/v1/charges", {"amount": amount, "currency": "usd", "source": source, "metadata[then]": kind}
        )

    def _perform(self, operation: Operation, until: threading.Event) -> None:
        if self._random.random() < 0.25:
            wait([self._twins.submit(self._settle, operation, node, node, until) for node in (0, 1)])
        else:
            self._settle(operation, self._random.randrange(2), 0, until)
        made = operation.object
        if made is None or operation.kind != "charge":
            return
        if operation.params["metadata[then]"] == "pending_refund":
            later = {"charge": made["id"], "metadata[settles]": "later"}
            self._perform(self._history.begin("pending_refund", "/v1/refunds", later), until)
        else:
            self._own.append((str(made["id"]), int(made["amount"])))

    def _settle(self, operation: Operation, node: int, own: int, until: threading.Event) -> None:
        """Send an operation, first to ``node``, until its outcome is known. own: which links to use."""
        while not until.is_set():
            answer = self._ask(node, own, "POST", operation.path, operation.params, operation.key)
            if answer is not None and answer[0] not in UNSETTLED:
                self._history.settle(operation, *answer)
                return
            time.sleep(0.05)
            node = 1 - node

    def _ask(self, node: int, own: int, *given: Any) -> tuple[int, Json] | None:
        method, path, params, key = given
        began = time.monotonic()
        try:
            answer = self._links[own][node].ask(method, path, params, key=key)
        except OSError as problem:
            self._history.asked(node, began, str(problem).partition(":")[0])
            return None
        self._history.asked(node, began, str(answer[0]))
        return answer

    def _read(self) -> None:
        least = self._history.counted
        answer = self._ask(self._random.randrange(2), 0, "GET", f"/v1/customers/{self._cluster.counter}", None, "")
        if answer is not None and answer[0] == 200:
            self._history.read(least, int(answer[1]["balance"]))


class Revoker:
    """Revokes keys, and tries them on both nodes afterwards."""

    def __init__(self, cluster: Cluster, history: History) -> None:
        self._cluster, self._history = cluster, history
        self._links = [Link(node, cluster.key) for node in cluster.nodes]
        self.revoked, self.latest = 0, 0.0

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set."""
        while not stop.wait(2.0):
            made = self._until_done("/v1/api_keys", {"type": "secret", "name": "to be revoked"}, stop)
            if made is None:
                return
            if made["secret"] is None:  # a repetition got the stored answer, which does not have it
                self.revoked += 1
                continue
            for number in (0, 1):
                self._try(number, made["secret"])
            if self._until_done(f"/v1/api_keys/{made['id']}/revoke", {}, stop) is None:
                return
            at = time.monotonic()
            self.revoked += 1
            while (passed := time.monotonic() - at) < 4 and not stop.is_set():
                for number in (0, 1):
                    passed = time.monotonic() - at
                    if self._try(number, made["secret"]):
                        self.latest = max(self.latest, passed)
                        if passed > GRACE_SECONDS:
                            self._history.anomaly(f"a key was good {passed:.2f} s after it was revoked")
                stop.wait(0.1)

    def _until_done(self, path: str, params: Json, stop: threading.Event) -> Json | None:
        key, number = f"revoker-{self.revoked}-{path}", 0
        while not stop.is_set():
            with suppress(OSError):
                status, answer = self._links[number % 2].ask("POST", path, params, key=key)
                if status == 200:
                    return answer
            number += 1
            stop.wait(0.2)
        return None

    def _try(self, number: int, secret: str) -> bool:
        with suppress(OSError):
            return self._links[number].ask("GET", f"/v1/customers/{self._cluster.counter}", secret=secret)[0] == 200
        return False


class Faults:
    """Makes faults at one node, or at the database, one after the other.

    made: kind, node (None: both), begin and end of each; shared by the faults of both nodes.
    """

    _database = threading.Lock()

    def __init__(self, cluster: Cluster, seed: int, number: int, made: list[Made]) -> None:
        self._cluster, self._random, self._number, self.made = cluster, random.Random(seed), number, made
        self._kinds = {
            "sessions ended": 32, "link cut": 20, "link slowed": 12, "link swallows": 15, "node frozen": 14,
            "node killed": 3, "node stopped": 1, "database killed": 3,
        }  # fmt: skip

    def run(self, stop: threading.Event) -> None:
        """Make faults until ``stop`` is set."""
        while not stop.is_set():
            self._make()

    def _make(self) -> None:
        """Make one fault and mend it."""
        (kind,) = self._random.choices(list(self._kinds), list(self._kinds.values()))
        number = self._number
        both = kind in ("sessions ended", "database killed")
        began = time.monotonic()
        self._strike(kind, self._cluster.nodes[number])
        self.made.append((kind, None if both else number, began, time.monotonic()))
        time.sleep(self._random.uniform(0.05, 0.4))

    def _hold(self) -> None:
        """Most faults last for less than the bounds of a node, some for longer."""
        time.sleep(self._random.uniform(3.5, 5) if self._random.random() < 0.12 else self._random.uniform(0.05, 0.9))

    def _strike(self, kind: str, node: Node) -> None:
        postgres, wire = self._cluster.postgres, node.wire
        assert wire is not None
        if kind == "sessions ended":
            with suppress(psycopg.OperationalError):  # it was killed meanwhile
                postgres.terminate(self._random.choice((0.3, 1.0)))
        elif kind == "link slowed":
            wire.delay = self._random.uniform(0.005, 0.08)
            self._hold()
            wire.delay = 0.0
        elif kind.startswith("link"):
            (wire.cut if kind == "link cut" else wire.swallow)()
            self._hold()
            wire.heal()
        elif kind == "node frozen":
            node.send(signal.SIGSTOP)
            self._hold()
            node.send(signal.SIGCONT)
        elif kind == "database killed":
            with self._database:
                postgres.kill()
                postgres.start()
        else:
            node.end(signal.SIGKILL if kind == "node killed" else signal.SIGTERM)
            node.start()


def longest_beside(history: History, made: list[Made]) -> float:
    """The longest wait, in seconds, at a node while only the other one was struck."""
    longest = 0.0
    alone = [(node, began, ended) for _, node, began, ended in made if node is not None]
    disturbed = [(began, ended) for _, node, began, ended in made if node is None]
    for node, began, took in history.waits:
        if took <= longest:
            continue
        end = began + took
        others = any(one != node and start < end and began < stop for one, start, stop in alone)
        own = any(one == node and start - 5 < end and began < stop + 5 for one, start, stop in alone)
        both = any(start - 5 < end and began < stop + 5 for start, stop in disturbed)
        if others and not own and not both:
            longest = took
    return longest


def campaign(cluster: Cluster, history: History, seed: int, most: int, seconds: float) -> tuple[list[Made], Revoker]:
    """Run clients and faults, then let every operation come to its end."""
    made: list[Made] = []
    revoker = Revoker(cluster, history)
    stop, mended, until = threading.Event(), threading.Event(), threading.Event()
    clients = [Client(cluster, history, seed + number) for number in range(CLIENTS)]
    threads = [threading.Thread(target=one.run, args=(stop, until)) for one in clients]
    threads.append(threading.Thread(target=revoker.run, args=(stop,)))
    faults = [Faults(cluster, seed + 100 + number, number, made) for number in (0, 1)]
    breaking = [threading.Thread(target=one.run, args=(mended,)) for one in faults]
    for thread in (*threads, *breaking):
        thread.start()
    ends, told = time.monotonic() + seconds, 0
    with suppress(KeyboardInterrupt):
        while len(made) < most and time.monotonic() < ends:
            time.sleep(0.5)
            if len(made) >= told + 50:
                told = len(made)
                print(
                    f"{told} faults, {len(history.operations)} operations, {len(history.anomalies)} anomalies",
                    flush=True,
                )
    for event, ending in ((mended, breaking), (stop, threads)):
        event.set()
        giving_up = threading.Timer(120, until.set)
        giving_up.start()
        for thread in ending:
            thread.join()
        giving_up.cancel()
    time.sleep(SETTLE_SECONDS + 5)
    return made, revoker


def report(history: History, made: list[Made], revoker: Revoker, verdict: Verdict) -> None:
    """Print what happened."""
    kinds = Counter(kind for kind, *_ in made)
    print(f"{len(made)} faults: " + ", ".join(f"{count} × {kind}" for kind, count in kinds.most_common()))
    print("answers: " + ", ".join(f"{count} × {status}" for status, count in history.statuses.most_common()))
    operations = Counter(one.kind for one in history.operations)
    print("operations: " + ", ".join(f"{count} × {kind}" for kind, count in operations.most_common()))
    print(f"longest wait at a node while only the other was struck: {longest_beside(history, made):.2f} s")
    print(f"{revoker.revoked} keys revoked; the latest answer to one {revoker.latest:.2f} s after that")
    for line in verdict.anomalies[:20]:
        print(f"  {line}")
    print(
        f"{verdict.objects} objects: {verdict.lost} lost, {verdict.doubled} doubled,"
        f" {len(verdict.anomalies)} anomalies, {verdict.open} operations without an outcome"
    )


def main() -> int:
    """Run the campaign; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=1000, help="how many faults [1000]")
    parser.add_argument("--minutes", type=float, default=60, help="no longer than this [60]")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="tollkey-faults-")))
        folder.chmod(0o755)
        cluster, history = Cluster(folder, held), History()
        made, revoker = campaign(cluster, history, given.seed, given.faults, given.minutes * 60)
        verdict = judge(
            history, cluster.everything, lambda path: cluster.everything(path, cluster.account), cluster.counter
        )
        report(history, made, revoker, verdict)
    return 0 if verdict.good and not verdict.open else 1


if __name__ == "__main__":
    sys.exit(main())
