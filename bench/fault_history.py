"""What clients asked for and were told, and whether a server's final state agrees with it.

Each operation has an idempotency key and is sent until its outcome is known, to any node, sometimes to two at once. In
the end an acknowledged operation must be there exactly once, a refused one not at all, and all sums must agree.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Lister = Callable[[str], Iterator[Json]]

#: The list that shows the objects of each kind of operation, and the event that each of them has once.
KINDS = {
    "charge": ("/v1/charges", "charge.succeeded"),
    "refund": ("/v1/refunds", "refund.created"),
    "pending_refund": ("/v1/refunds", "refund.created"),
    "transfer": ("/v1/transfers", "transfer.created"),
    "payout": ("/v1/payouts", "payout.created"),
}


@dataclass
class Operation:
    """A request under one idempotency key.

    outcomes: the id of the object, or the status and code of a refusal, of each answer that settles it.
    """

    number: int
    kind: str
    path: str
    params: Json
    may_be_refused: bool = False
    outcomes: set[str] = field(default_factory=set)
    object: Json | None = None

    @property
    def key(self) -> str:
        """Its idempotency key."""
        return f"operation-{self.number}"


class History:
    """All operations and anomalies. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.operations: list[Operation] = []
        self.anomalies: list[str] = []
        self.statuses: Counter[str] = Counter()
        self.waits: list[tuple[int, float, float]] = []  # node, begin and length of each request
        self.counted = 0  # acknowledged additions to the counter that all clients share
        self.counting = 0  # additions that were begun

    def begin(self, kind: str, path: str, params: Json, may_be_refused: bool = False) -> Operation:
        """Record a new operation and return it; its number is in the metadata of what it creates."""
        with self._lock:
            number = len(self.operations)
            sent = {**params, "metadata[operation]": number}
            made = Operation(number, kind, path, sent, may_be_refused)
            self.operations.append(made)
            self.counting += kind == "count"
            return made

    def settle(self, operation: Operation, status: int, answer: Json) -> None:
        """Record an answer that settles an operation."""
        with self._lock:
            first = not operation.outcomes
            if status == 200:
                operation.outcomes.add(str(answer["id"]))
                operation.object = answer
                self.counted += first and operation.kind == "count"
            else:
                error = answer.get("error", {})
                operation.outcomes.add(f"{status} {error.get('code')}")
                if not operation.may_be_refused:
                    self._add(f"{operation.kind} {operation.number} was refused: {status} {error.get('message')}")
            if len(operation.outcomes) > 1:
                self._add(f"{operation.kind} {operation.number} has several outcomes: {operation.outcomes}")

    def asked(self, node: int, began: float, outcome: str) -> None:
        """Record one request and how it ended."""
        with self._lock:
            self.statuses[outcome] += 1
            self.waits.append((node, began, time.monotonic() - began))

    def read(self, least: int, seen: int) -> None:
        """Record a read of the shared counter. least: what was acknowledged before the read began."""
        with self._lock:
            if not least <= seen <= self.counting:
                self._add(f"a read saw {seen} additions: {least} were acknowledged, {self.counting} begun")

    def anomaly(self, text: str) -> None:
        """Record that something was seen that must not be."""
        with self._lock:
            self._add(text)

    def _add(self, text: str) -> None:
        self.anomalies.append(text)
        print(f"  {text}", flush=True)

    def of(self, *kinds: str) -> list[Operation]:
        """The operations of these kinds."""
        return [one for one in self.operations if one.kind in kinds]


@dataclass
class Verdict:
    """What the final state shows. lost, doubled: objects. open: operations without an outcome."""

    lost: int = 0
    doubled: int = 0
    open: int = 0
    anomalies: list[str] = field(default_factory=list)
    objects: int = 0

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.doubled or self.anomalies)


def judge(history: History, lists: Lister, abroad: Lister, counter: str) -> Verdict:
    """Compare the final state with the history.

    lists: yields all objects of a path. abroad: the same of the connected account. counter: id of the customer whose
    balance all clients add to.
    """
    verdict = Verdict(anomalies=list(history.anomalies))
    listed = {path: list(lists(path)) for path in {path for path, _ in KINDS.values()}}
    for kind in KINDS:
        _judge_objects(verdict, history.of(kind), listed[KINDS[kind][0]])
    _judge_counter(verdict, history, list(lists(f"/v1/customers/{counter}/balance_transactions")))
    _judge_money(verdict, listed, list(lists("/v1/balance_transactions")), list(abroad("/v1/balance_transactions")))
    _judge_events(verdict, listed, lists)
    return verdict


def _judge_objects(verdict: Verdict, operations: list[Operation], objects: list[Json]) -> None:
    there = defaultdict(list)
    for one in objects:
        if "operation" in one["metadata"]:
            there[int(one["metadata"]["operation"])].append(one["id"])
    verdict.objects += sum(len(there[one.number]) for one in operations)
    for one in operations:
        found = there[one.number]
        verdict.open += not one.outcomes
        verdict.doubled += max(0, len(found) - 1)
        if one.object is not None:
            verdict.lost += not found
            if found != [one.object["id"]]:
                verdict.anomalies.append(f"{one.kind} {one.number} is {one.object['id']} and there is {found}")
        elif one.outcomes and found:
            verdict.anomalies.append(f"{one.kind} {one.number} was refused ({one.outcomes}) and there is {found}")


def _judge_counter(verdict: Verdict, history: History, rows: list[Json]) -> None:
    endings = Counter(int(row["ending_balance"]) for row in rows)
    if endings != Counter(range(1, len(rows) + 1)):
        verdict.anomalies.append(f"the counter's balances are no sequence of 1 to {len(rows)}")
    _judge_objects(verdict, history.of("count"), rows)


def _judge_money(verdict: Verdict, listed: dict[str, list[Json]], entries: list[Json], abroad: list[Json]) -> None:
    def expect(what: str, left: object, right: object) -> None:
        if left != right:
            verdict.anomalies.append(f"{what}: {left} and {right}")

    sources = Counter(entry["source"] for entry in entries if entry["source"])
    charges, refunds, transfers = (listed[f"/v1/{name}"] for name in ("charges", "refunds", "transfers"))
    once = {one["id"]: 1 for path in listed for one in listed[path]}
    expect("entries a source", {id: sources[id] for id in once if sources[id] != 1}, {})
    refunded: Counter[str] = Counter()
    for refund in refunds:
        refunded[refund["charge"]] += refund["amount"] if refund["status"] in ("succeeded", "pending") else 0
    for charge in charges:
        expect(f"refunds of {charge['id']}", charge["amount_refunded"], refunded[charge["id"]])
        expect(f"{charge['id']} refunded too much", max(0, refunded[charge["id"]] - charge["amount"]), 0)
    for kind, objects in (("charge", charges), ("transfer", transfers)):
        booked = sum(abs(entry["amount"]) for entry in entries if entry["type"] == kind)
        expect(f"booked as {kind}", booked, sum(one["amount"] for one in objects))
    expect(
        "transfers that arrived", Counter(entry["amount"] for entry in abroad),
        Counter(one["amount"] for one in transfers),
    )  # fmt: skip


def _judge_events(verdict: Verdict, listed: dict[str, list[Json]], lists: Lister) -> None:
    wanted: dict[str, Counter[str]] = {event: Counter() for _, event in KINDS.values()}
    for path, event in set(KINDS.values()):
        wanted[event] = Counter(one["id"] for one in listed[path])
    wanted["payout.paid"] = wanted["payout.created"]
    pending = [one["id"] for one in listed["/v1/refunds"] if one["metadata"].get("settles") == "later"]
    wanted["refund.updated"] = Counter(pending)
    for name, objects in wanted.items():
        seen = Counter(event["data"]["object"]["id"] for event in lists(f"/v1/events?type={name}"))
        if seen != objects:
            verdict.anomalies.append(f"{name}: missing {list((objects - seen).items())[:5]}, more than once or"
                                     f" unexpected {list((seen - objects).items())[:5]}")  # fmt: skip
