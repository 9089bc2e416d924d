"""Messages are lost, late, repeated and refused, processes end between any two steps: whatever the order, no money is
taken twice, no approval is lost, and the ledger, the attempts and the network agree in the end.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.support.api import Api
from tests.support.processor import Live, Network, connected
from tollkey import ledger
from tollkey.ledger.books import NETWORK
from tollkey.payments.processors.sending import Times

FATES = ("ok", "ok", "ok", "declined:insufficient_funds", "refused", "lost", "unanswered", "late")
STEPS = 14
DAY = 86_400


class Shop:
    """A merchant who pays, captures, cancels and refunds while everything fails."""

    def __init__(self, live: Live, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.live, self.chance, self.patch = live, random.Random(seed), monkeypatch
        self.intents: list[str] = []
        self.refunds: list[str] = []
        self.told: dict[str, str] = {}
        self.keys = 0

    def step(self) -> None:
        network, chance = self.live.network, self.chance
        network.script = [chance.choice(FATES) for _ in range(chance.randint(0, 5))]
        crash = chance.random() < 0.2
        with self.patch.context() as patched:
            if crash:
                patched.setattr(self.live.api.world.server.sender, "settle", _dies)
            chance.choice((self.pay, self.pay, self.capture, self.cancel, self.refund))()
        if chance.random() < 0.5:
            self.live.recover(chance.choice((1, 5, 60, 600)), times=chance.randint(1, 4))
        if chance.random() < 0.3:
            network.arrive()

    def pay(self) -> None:
        given = {"amount": self.chance.randint(100, 900), "payment_method": self.live.method()}
        given["capture_method"] = self.chance.choice(("automatic", "manual"))
        self.keys += 1
        headers = {"Idempotency-Key": f"pay-{self.keys}"}
        answer = self.live.pay(headers=headers, **given)
        if self.chance.random() < 0.5:  # the client did not hear the answer
            answer = self.live.pay(headers=headers, **given)
        if answer.status == 200:
            self.told[answer["id"]] = answer["status"]

    def any(self) -> str | None:
        found = [one["id"] for one in self.live.get("/v1/payment_intents", limit=100)["data"]]
        return self.chance.choice(found) if found else None

    def capture(self) -> None:
        if (id := self.any()) is not None:
            part = {"amount_to_capture": self.chance.randint(1, 100)} if self.chance.random() < 0.5 else {}
            self.live.post(f"/v1/payment_intents/{id}/capture", **part)

    def cancel(self) -> None:
        if (id := self.any()) is not None:
            self.live.post(f"/v1/payment_intents/{id}/cancel")

    def refund(self) -> None:
        if (id := self.any()) is not None:
            answer = self.live.post("/v1/refunds", payment_intent=id, amount=self.chance.randint(1, 100))
            assert answer.status < 600


async def _dies(references: object) -> bool:
    raise RuntimeError("the process ends here")


def settled(live: Live) -> None:
    """Everything that was late arrives, nothing fails any more, and time passes until nothing is open."""
    live.network.script = []
    live.network.arrive()
    for seconds in (10, 100, 1_000, 4_000, 8_000):
        live.recover(seconds, times=4)


def disagreements(live: Live) -> list[str]:
    """Where the network, the attempts, the objects and the ledger do not say the same."""
    wrong = []
    read = live.api.core.database.read
    intents = live.get("/v1/payment_intents", limit=100)["data"]
    refunds = live.get("/v1/refunds", limit=100)["data"]
    mine = {one["id"] for one in (*intents, *refunds)}
    by_object: Counter[str] = Counter()
    authorized: Counter[str] = Counter()
    for id in mine:
        for one in live.attempts(id):
            done = live.network.done.get(one.reference)
            took = live.network.money.get(one.reference, 0)
            by_object[id] += took
            authorized[id] += one.operation == "authorize" and one.state == "approved"
            if not one.applied:
                wrong.append(f"{one.reference} is {one.state} and open")
            approved = done is not None and type(done[0]).__name__ == "Approved"
            if approved != (one.state == "approved"):
                wrong.append(f"{one.operation} {one.reference} is {one.state}, the network says {done}")
    for intent in intents:
        if by_object[intent["id"]] != intent["amount_received"]:
            wrong.append(f"{intent['id']} received {intent['amount_received']}, taken {by_object[intent['id']]}")
        if authorized[intent["id"]] > 1:
            wrong.append(f"{intent['id']} was authorized {authorized[intent['id']]} times")
        if intent["status"] == "processing":
            wrong.append(f"{intent['id']} is still processing")
    given_back = 0
    for refund in refunds:
        if refund["id"] in by_object or live.attempts(refund["id"]):
            expected = -refund["amount"] if refund["status"] == "succeeded" else 0
            given_back += expected
            if by_object[refund["id"]] != expected:
                wrong.append(f"{refund['id']} is {refund['status']}, moved {by_object[refund['id']]}")
    booked = read(lambda tx: ledger.book_total(tx, live.scope, NETWORK, "usd"))
    if -booked != sum(by_object.values()):
        wrong.append(f"the ledger has {-booked} at the network, which has {sum(by_object.values())}")
    return wrong


@pytest.mark.parametrize("seed", range(24))
def test_in_every_order_of_faults_nothing_is_taken_twice_or_lost(
    seed: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = "postgres_world" if seed % 8 == 7 else "sqlite_world"
    api = Api(request.getfixturevalue(kind))
    with connected(api, Network()) as live:
        monkeypatch.setattr(api.world.server.sender, "times", Times(wait=0.4, again=0.05))
        shop = Shop(live, seed, monkeypatch)
        for _ in range(STEPS):
            shop.step()
        settled(live)
        assert disagreements(live) == []
