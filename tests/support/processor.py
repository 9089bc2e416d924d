"""A processor on a network, in the process of the tests: what it did, and what becomes of its messages.

It keeps its own books by reference, as a real one does: what it approved, captured, refunded and undid. A ``script``
says what becomes of each message: answered, lost before or after it arrived, answered late, refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.support.api import Api
from tests.support.socket_processor import FEATURES
from tollkey.db import Scope
from tollkey.payments.processors import attempts, backends
from tollkey.payments.processors.attempts import Attempt
from tollkey.payments.processors.network import (
    Approved,
    Authorize,
    Clock,
    Declined,
    Features,
    Inquire,
    NotFound,
    Notice,
    Notices,
    NotSent,
    Outcome,
    Pending,
    Provider,
    Request,
    Reverse,
    Unknown,
)


class Network:
    """What happens at the other end.

    script: what becomes of the next messages, in order; answered when it is empty:

    - ``ok`` │ ``declined:<code>`` │ ``pending`` │ ``redirect:<url>``: answered;
    - ``refused``: not one byte leaves; ``lost``: it does not arrive;
    - ``unanswered``: it is done, and the answer is lost;
    - ``late``: it arrives when ``arrive`` is called; ``slow``: the answer waits for ``release``.

    done: reference -> outcome and amount, of what was done. reversed: references of what was undone. heard: every
    message, as its kind and reference. money: what was taken (and given back, negative) by reference. told: the notices
    that it gives.
    """

    def __init__(self, features: Features = FEATURES) -> None:
        self.features = features
        self.script: list[str] = []
        self.done: dict[str, tuple[Outcome, int]] = {}
        self.reversed: set[str] = set()
        self.heard: list[tuple[str, str]] = []
        self.money: dict[str, int] = {}
        self.requests: list[Request] = []
        self.late: list[Request] = []
        self.held = asyncio.Event()
        self.told: list[Notice] = []

    @property
    def approval(self) -> Outcome:
        return Approved("A1B2C3")

    def next(self) -> str:
        return self.script.pop(0) if self.script else "ok"

    def arrive(self) -> None:
        """Let what was late arrive now."""
        while self.late:
            self._do(self.late.pop(0), "ok")

    def _do(self, request: Request, how: str) -> Outcome:
        """Do what is asked, once a reference; nothing for what was undone."""
        known = self.done.get(request.reference)
        if known is not None:
            return known[0]
        if request.reference in self.reversed:
            return Declined("generic_decline", network_code="undone")
        kind, _, code = how.partition(":")
        outcome: Outcome = Approved("A1B2C3", {"rrn": request.reference}, f"net_{request.trace}")
        if kind == "declined":
            outcome = Declined(code or "generic_decline", network_code="05")
        elif kind == "pending":
            outcome = Pending(data={"rrn": request.reference})
        elif kind == "redirect":
            outcome = Pending({"redirect_to_url": code})
        self.done[request.reference] = outcome, request.amount
        if isinstance(outcome, Approved):
            self._move(request)
        return outcome

    def _move(self, request: Request) -> None:
        if request.operation == "capture" or (isinstance(request, Authorize) and request.capture):
            self.money[request.reference] = request.amount
        elif request.operation in ("refund", "payout"):
            self.money[request.reference] = -request.amount

    # -- the protocol

    async def send(self, request: Request) -> Outcome:
        self.heard.append((request.operation, request.reference))
        self.requests.append(request)
        how = self.next()
        if how == "refused":
            return NotSent("the connection was refused")
        if how == "late":
            self.late.append(request)
        if how in ("lost", "late"):
            return Unknown("no answer")
        outcome = self._do(request, "ok" if how in ("unanswered", "slow") else how)
        if how == "slow":
            await self.held.wait()
        return Unknown("the answer was lost") if how == "unanswered" else outcome

    async def inquire(self, request: Inquire) -> Outcome | NotFound:
        self.heard.append(("inquire", request.original.reference))
        how = self.next()
        if how in ("refused", "lost", "unanswered"):
            return Unknown("no answer")
        if request.original.reference in self.reversed:
            return Declined("generic_decline", network_code="undone")
        known = self.done.get(request.original.reference)
        return known[0] if known is not None else NotFound()

    async def reverse(self, request: Reverse) -> Outcome:
        reference = request.original.reference
        self.heard.append(("reverse", reference))
        how = self.next()
        if how == "refused":
            return NotSent("the connection was refused")
        if how == "lost":
            return Unknown("no answer")
        if how == "declined":
            return Declined("generic_decline")
        self.reversed.add(reference)
        self.done.pop(reference, None)
        self.money.pop(reference, None)
        return Unknown("the answer was lost") if how == "unanswered" else Approved()

    async def notices(self, cursor: str) -> Notices:
        seen = int(cursor or 0)
        return Notices(tuple(self.told[seen:]), str(len(self.told)) if self.told else cursor)

    async def probe(self) -> str:
        return "it answers"

    async def close(self) -> None:
        return None


class Live:
    """The live mode of a merchant whose payments go through a network."""

    def __init__(self, api: Api, network: Network) -> None:
        self.api, self.network = api, network
        self.scope = Scope(api.account, True)
        self.key = {"key": api.live_sk}

    def method(self, token: str = "nt_1") -> str:
        """The id of a new payment method of a token of the network."""
        made: str = self.api.ok("post", "/v1/payment_methods", type="card", card={"token": token}, **self.key)["id"]
        return made

    def post(self, path: str, **params: Any) -> Any:
        return self.api.post(path, **self.key, **params)

    def get(self, path: str, **params: Any) -> Any:
        return self.api.get(path, **self.key, **params)

    def pay(self, amount: int = 500, **params: Any) -> Any:
        """The answer to a PaymentIntent that is created and confirmed."""
        given = {"amount": amount, "currency": "usd", "payment_method": self.method(), "confirm": True}
        never = {"enabled": True, "allow_redirects": "never"}
        return self.post("/v1/payment_intents", **{**given, "automatic_payment_methods": never, **params})

    def recover(self, seconds: int = 0, times: int = 12) -> None:
        """Let time pass, and do what is due, as the server's background does; again until nothing is left."""
        self.api.world.clock[0] += seconds
        sender = self.api.world.server.sender

        async def step() -> None:
            await sender.tick()
            await sender.drain()

        for _ in range(times):
            self.api.world.runner.run(step())

    def events(self) -> list[str]:
        """The types of the events of live mode, oldest first."""
        found = self.get("/v1/events", limit=100)["data"]
        return [one["type"] for one in reversed(found)]

    def said(self, *kinds: str) -> list[str]:
        """The kinds of messages about this merchant that the network has heard; of some kinds, when any are given.

        It hears what earlier tests have left open, too.
        """
        found = self.api.core.database.read(lambda tx: attempts.list_of(tx, self.scope, limit=1_000))
        mine = {one.reference for one in found}
        return [kind for kind, about in self.network.heard if about in mine and (not kinds or kind in kinds)]

    def money(self) -> list[int]:
        """What the network has taken for this merchant, and given back, in order."""
        return list(self.network.money.values())

    def attempts(self, object: str) -> list[Attempt]:
        """The attempts about an object, oldest first."""
        return self.api.core.database.read(lambda tx: attempts.of_object(tx, self.scope, object))


def provider(network: Network, name: str = "scripted") -> Provider:
    def opened(config: Mapping[str, Any], clock: Clock) -> Network:
        return network

    return Provider(name, "A scripted processor", opened)


@contextmanager
def connected(api: Api, network: Network | None = None) -> Iterator[Live]:
    """The merchant, connected to a network."""
    network = network or Network()
    core, links = api.core, api.world.server.sender.links
    before, links.find = links.find, lambda: {"scripted": provider(network)}
    api.world.runner.run(links.close())
    scope = Scope(api.account, True)
    core.database.write(
        lambda tx: backends.connect(
            tx, core.authority.keyring, scope, "scripted", {"host": "example"}, network.features, api.now
        )
    )
    try:
        yield Live(api, network)
    finally:
        api.world.runner.run(links.close())
        links.find = before
        left = "DELETE FROM processor_attempts WHERE account = ? AND applied = 0"  # other tests' networks hear nothing
        core.database.write(lambda tx: tx.execute(left, (api.account,)))
