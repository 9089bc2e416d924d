"""Messages are lost, late, repeated and refused, processes end between any two steps: whatever the order, no money is
taken twice, no approval is lost, and the ledger, the attempts and the network agree in the end.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.processor import Live, Network, connected
from tollkey import ledger
from tollkey.ledger.books import NETWORK
from tollkey.payments.processors import attempts, notices
from tollkey.payments.processors.network import Accept, Capture, Notice
from tollkey.payments.processors.sending import Times

FATES = ("ok", "ok", "ok", "declined:insufficient_funds", "refused", "lost", "unanswered", "late")
STEPS = 20
DAY = 86_400


class Shop:
    """A merchant who takes payments, captures, cancels, refunds and answers disputes while everything fails.

    disputed: reference of a payment -> what its bank took, and how it has decided: won, lost, or nothing yet.
    """

    def __init__(self, live: Live, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.live, self.chance, self.patch = live, random.Random(seed), monkeypatch
        self.intents: list[str] = []
        self.refunds: list[str] = []
        self.told: dict[str, str] = {}
        self.disputed: dict[str, tuple[int, str]] = {}
        self.keys = 0

    def step(self) -> None:
        network, chance = self.live.network, self.chance
        network.script = [chance.choice(FATES) for _ in range(chance.randint(0, 5))]
        crash = chance.random() < 0.2
        with self.patch.context() as patched:
            if crash:
                patched.setattr(self.live.api.world.server.sender, "settle", _dies)
            chance.choice((
                self.pay, self.pay, self.capture, self.cancel, self.refund, self.charge, self.charge,
                self.capture_charge, self.refund_charge, self.set_up, self.answer,
            ))()  # fmt: skip
        chance.choice((self.dispute, self.decide, _nothing))()
        if chance.random() < 0.5:
            self.live.api.world.runner.run(self.live.api.world.server.sender.read_notices())
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

    def charge(self) -> None:
        self.keys += 1
        given = {
            "amount": self.chance.randint(100, 900),
            "currency": "usd",
            "source": self.live.method(),
            "capture": self.chance.random() < 0.5,
            "headers": {"Idempotency-Key": f"charge-{self.keys}"},
        }
        for _ in range(self.chance.randint(1, 2)):
            assert self.live.post("/v1/charges", **given).status < 600

    def capture_charge(self) -> None:
        if (id := self.any("charges")) is not None:
            part = {"amount": self.chance.randint(1, 100)} if self.chance.random() < 0.5 else {}
            assert self.live.post(f"/v1/charges/{id}/capture", **part).status < 600

    def refund_charge(self) -> None:
        if (id := self.any("charges")) is not None:
            part = {"amount": self.chance.randint(1, 100)} if self.chance.random() < 0.5 else {}
            assert self.live.post("/v1/refunds", charge=id, **part).status < 600

    def set_up(self) -> None:
        never = {"enabled": True, "allow_redirects": "never"}
        self.live.post(
            "/v1/setup_intents", payment_method=self.live.method(), confirm=True, automatic_payment_methods=never
        )

    def dispute(self) -> None:
        """The bank of a customer takes back a payment, or a part of it."""
        network, read = self.live.network, self.live.api.core.database.read
        made = read(lambda tx: attempts.list_of(tx, self.live.scope, limit=1_000))
        paid = [one.reference for one in made if one.moved > 0 and one.applied and one.reference not in self.disputed]
        if paid:
            reference = self.chance.choice(paid)
            amount = self.chance.randint(1, network.money[reference])
            self.disputed[reference] = amount, ""
            self._tell("disputed", reference, -amount)

    def decide(self) -> None:
        """The bank decides a dispute that it has told; it does not give back what was accepted."""
        accepted = {one.original.reference for one in self.live.network.requests if isinstance(one, Accept)}
        undecided = [reference for reference, (_, end) in self.disputed.items() if not end]
        if undecided:
            reference = self.chance.choice(undecided)
            about = {one.original.reference for one in self.live.network.requests if one.reference == reference
                     and isinstance(one, Capture)} | {reference}  # fmt: skip
            amount, end = (
                self.disputed[reference][0],
                "lost" if about & accepted else self.chance.choice(("won", "lost")),
            )
            self.disputed[reference] = amount, end
            self._tell(f"dispute_{end}", reference, amount if end == "won" else 0)

    def _tell(self, kind: Any, reference: str, amount: int) -> None:
        network = self.live.network
        network.told.append(
            Notice(f"{kind}-{reference}", kind, reference, self.live.api.now, amount, "usd", code="10.4")
        )
        network.money[f"{kind}-{reference}"] = amount

    def answer(self) -> None:
        if (id := self.any("disputes")) is not None:
            if self.chance.random() < 0.5:
                self.live.post(f"/v1/disputes/{id}", evidence={"uncategorized_text": "It was delivered."})
            else:
                self.live.post(f"/v1/disputes/{id}/close")

    def any(self, kind: str = "payment_intents") -> str | None:
        found = [one["id"] for one in self.live.get(f"/v1/{kind}", limit=100)["data"]]
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


def _nothing() -> None:
    return None


async def _dies(references: object) -> bool:
    raise RuntimeError("the process ends here")


def settled(live: Live) -> None:
    """Everything that was late arrives, nothing fails any more, and time passes until nothing is open."""
    live.network.script = []
    live.network.arrive()
    for seconds in (10, 100, 1_000, 4_000, 8_000):
        live.recover(seconds, times=4)
        live.api.world.runner.run(live.api.world.server.sender.read_notices())


def listed(live: Live, kind: str) -> list[Any]:
    return list(live.get(f"/v1/{kind}", limit=100)["data"])


def disagreements(live: Live, disputed: Mapping[str, tuple[int, str]]) -> list[str]:
    """Where the network, the attempts, the objects and the ledger do not say the same."""
    wrong = []
    read = live.api.core.database.read
    intents, refunds = listed(live, "payment_intents"), listed(live, "refunds")
    charges = [one for one in listed(live, "charges") if one["payment_intent"] is None]
    others = (*listed(live, "disputes"), *listed(live, "setup_intents"))
    taken: Counter[str] = Counter()
    authorized: Counter[str] = Counter()
    for id in {one["id"] for one in (*intents, *refunds, *charges, *others)}:
        for one in live.attempts(id):
            done = live.network.done.get(one.reference)
            taken[id] += live.network.money.get(one.reference, 0)
            authorized[id] += one.operation == "authorize" and one.state == "approved"
            if not one.applied:
                wrong.append(f"{one.reference} is {one.state} and open")
            approved = done is not None and type(done[0]).__name__ == "Approved"
            if approved != (one.state == "approved"):
                wrong.append(f"{one.operation} {one.reference} is {one.state}, the network says {done}")
    for one in (*intents, *charges):
        received = one["amount_received"] if "amount_received" in one else one["amount_captured"]
        if taken[one["id"]] != received:
            wrong.append(f"{one['id']} received {received}, taken {taken[one['id']]}")
    wrong += [f"{id} was authorized {times} times" for id, times in authorized.items() if times > 1]
    open_ones = (*intents, *charges, *others)
    wrong += [f"{one['id']} is {one['status']}" for one in open_ones if one["status"] in ("processing", "pending")]
    booked = read(lambda tx: ledger.book_total(tx, live.scope, NETWORK, "usd"))
    if -booked != sum(live.network.money.values()):
        wrong.append(f"the ledger has {-booked} at the network, which has {sum(live.network.money.values())}")
    wrong += [one.difference for one in read(lambda tx: notices.differences(tx, live.scope))]
    return wrong + of_refunds(live, refunds, taken) + of_disputes(listed(live, "disputes"), disputed)


def of_refunds(live: Live, refunds: list[Any], taken: Mapping[str, int]) -> list[str]:
    wrong = []
    for refund in refunds:
        made = live.attempts(refund["id"])
        moves = refund["status"] == "succeeded" and all(one.operation == "refund" for one in made)
        if made and taken[refund["id"]] != (-refund["amount"] if moves else 0):
            wrong.append(f"{refund['id']} is {refund['status']}, moved {taken[refund['id']]}")
    return wrong


def of_disputes(disputes: list[Any], disputed: Mapping[str, tuple[int, str]]) -> list[str]:
    """What the banks have decided is shown; one that was accepted is lost before its bank says so."""
    told = Counter(disputed.values())
    shown = Counter((one["amount"], one["status"] if one["status"] in ("won", "lost") else "") for one in disputes)
    missing = Counter({one: times for one, times in (told - shown).items() if one[1]})
    if missing or Counter(amount for amount, _ in told.elements()) != Counter(amount for amount, _ in shown.elements()):
        return [f"disputes were told as {told}, and are shown as {shown}"]
    return []


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
        assert disagreements(live, shop.disputed) == []
