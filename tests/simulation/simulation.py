"""Thousands of random calls, right and wrong ones, and after each what must hold whatever was asked.

One seed decides everything: which merchant calls, what, with which object and parameters, and when time passes.
Most calls come from the server's catalogue (any endpoint, objects made before, the recipes' parameters, sometimes
made wrong); some from moves that follow money. After each call: no internal error, books that sum to zero, a balance
that is the sum of its transactions, states that only move along ARROWS, nothing seen by who should not see it, and what
follows from other objects follows (``derived.py``).
Every so often: everything from the beginning, and each state known from an event.
"""

from __future__ import annotations

import logging
import random
import re
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.platform.recipes import enabled_account
from tests.simulation import derived
from tests.simulation.arrows import ARROWS, SILENT
from tests.simulation.moves import moves
from tests.support.api import Answer, Api
from tests.support.recipes import CannotMake, Maker, collections_of, name_of, recipes, shape
from tollkey import ledger
from tollkey.db import Scope, Tx
from tollkey.db.table import Range
from tollkey.ledger.books import BALANCE, ISSUING
from tollkey.wire import Endpoint, Resource

KEPT = 25  # ids of each kind that a merchant remembers
FULLY_EACH = 300
TRACE = 12  # calls shown when something is wrong
#: What random calls leave alone: keys and hooks of the simulation itself, and what needs a person or a file.
ALONE = {"api_key", "webhook_endpoint", "stripecli.session", "application", "file", "stripecli.key_permissions"}
#: What a balance transaction calls the balance that it is of -> the ledger's book.
BOOKS = {"payments": BALANCE, "issuing": ISSUING}
FATAL = {"DELETE /v1/accounts/{}", "POST /v1/accounts/{}/reject"}  # would end one of the actors
WRONG = ["", "-1", "0", "abc", "9" * 20, "cus_nothing", "\u00e9", "true", "usd", "1.5", "a" * 300]


class Broken(AssertionError):
    """Something does not hold that must always hold."""


@dataclass
class Actor:
    """Somebody who calls: a merchant in one mode, for itself or for a connected account."""

    name: str
    api: Api
    key: str
    scope: Scope
    headers: dict[str, str] = field(default_factory=dict)
    pool: dict[str, deque[str]] = field(default_factory=dict)

    def remember(self, object: str, id: str) -> None:
        ids = self.pool.setdefault(object, deque(maxlen=KEPT))
        if id not in ids:
            ids.append(id)


@dataclass
class Seen:
    """What has been seen of one scope: up to which row, the sum of its transactions, the state of its objects, and
    which customers owe what was to be collected (None where their events do not tell).
    """

    event: int = 0
    transaction: int = 0
    net: Counter[tuple[str, str]] = field(default_factory=Counter)  # by book and currency
    states: dict[tuple[str, str], str] = field(default_factory=dict)
    delinquent: dict[str, bool | None] = field(default_factory=dict)


class _Alarm(logging.Handler):
    """Hears of bugs that no answer tells: background work that failed."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(f"{record.getMessage()} {record.exc_info[1]!r}" if record.exc_info else record.getMessage())


class Simulation:
    """A run. api: a merchant of a server; a second one is made beside it. seed: decides the run."""

    def __init__(self, api: Api, seed: int) -> None:
        self.chance, self.seed, self.api, self.other = random.Random(seed), seed, api, api.another()
        self.maker = Maker(api)
        connected = [self.maker.make("account")["id"], enabled_account(self.maker)["id"]]
        self.accounts = connected
        self.actors = [
            Actor("a", api, api.sk, Scope(api.account, False)),
            Actor("b", self.other, self.other.sk, Scope(self.other.account, False)),
            Actor("c", api, api.sk, Scope(connected[1], False), {"Stripe-Account": connected[1]}),
            Actor("a-live", api, api.live_sk, Scope(api.account, True)),
        ]
        self.seen = {actor.scope: Seen() for actor in self.actors} | {Scope(connected[0], False): Seen()}
        self.routes = [
            (r, e) for r in api.core.catalogue.resources for e in r.endpoints
            if not e.public and e.path.startswith("/v1/") and r.object not in ALONE and name_of(e) not in FATAL
        ]  # fmt: skip
        self.makers = {id(actor): Maker(actor.api, actor.headers) for actor in self.actors}
        self.trace: deque[str] = deque(maxlen=TRACE)
        self.statuses: Counter[int] = Counter()
        self.events: Counter[str] = Counter()
        self.moves = moves()
        self.alarm = _Alarm()
        self.step = 0

    # -- the run

    def run(self, calls: int) -> Simulation:
        """Make so many calls. Raises Broken, with the seed and the last calls, as soon as something does not hold."""
        logging.getLogger("tollkey").addHandler(self.alarm)
        try:
            while self.step < calls:
                self.step += 1
                self.one()
                if self.step % FULLY_EACH == 0:
                    self.fully()
            self.fully()
        except Broken as problem:
            lines = "\n  ".join(self.trace)
            raise Broken(f"{problem}\nseed {self.seed}, call {self.step}, the last calls:\n  {lines}") from None
        finally:
            logging.getLogger("tollkey").removeHandler(self.alarm)
        return self

    def one(self) -> None:
        """One call of somebody, and what must hold after it."""
        chance = self.chance
        actor = chance.choices(self.actors, (10, 4, 3, 2))[0]
        if actor.scope.livemode:
            answer = self.live(actor)
        elif chance.random() < 0.45:
            answer = self.anything(actor)
        else:
            move = chance.choices(self.moves, [weight for weight, _ in self.moves])[0][1]
            answer = move(self, actor)
        if answer is not None:
            self.judge(actor, answer)
        for scope in self.seen:
            self.api.core.database.read(lambda tx, scope=scope: self.holds(tx, scope))
        if chance.random() < 0.2:
            self.hidden(actor)
        if self.alarm.heard:
            raise Broken("the server's log says: " + self.alarm.heard[0])

    def send(self, actor: Actor, method: str, path: str, **params: Any) -> Answer:
        """One call, remembered for the trace."""
        answer: Answer = getattr(actor.api, method.lower())(path, key=actor.key, headers=actor.headers, **params)
        error = answer.get("error") if answer.status >= 400 else None
        told = error.get("message", "") if isinstance(error, dict) else ""
        self.trace.append(f"{actor.name} {method} {path} {params}: {answer.status} {told}"[:400])
        return answer

    def anything(self, actor: Actor) -> Answer | None:
        """Any endpoint, with objects made before, parameters that succeed or are made wrong."""
        chance, maker = self.chance, self.makers[id(actor)]
        _, endpoint = chance.choice(self.routes)
        path = self.path(actor, maker, endpoint)
        if path is None:
            return None
        params: dict[str, Any] = {}
        if name_of(endpoint) in recipes("BODIES") and chance.random() < 0.8:
            try:
                params = maker.body(name_of(endpoint))
            except CannotMake:
                return None
        if params and chance.random() < 0.25:
            params[chance.choice(list(params))] = chance.choice(WRONG)
        if endpoint.method == "DELETE" and chance.random() < 0.6:
            return None
        return self.send(actor, endpoint.method, path, **params)

    def path(self, actor: Actor, maker: Maker, endpoint: Endpoint) -> str | None:
        path = endpoint.path
        for collection in collections_of(endpoint.path):
            try:
                object = maker.object_of(shape(collection))
            except CannotMake:
                return None
            id = self.pick(actor, object)
            if id is None:
                return None
            path = re.sub(r"\{\w+\}", id, path, count=1)
        return path

    def pick(self, actor: Actor, object: str) -> str | None:
        """An object that the actor knows; now and then one of somebody else, or none at all."""
        if self.chance.random() < 0.02:
            return "nothing"
        who = self.chance.choice(self.actors) if self.chance.random() < 0.03 else actor
        ids = who.pool.get(object)
        return self.chance.choice(list(ids)) if ids else None

    def live(self, actor: Actor) -> Answer:
        """Live mode has no simulated money: customers, products and the like."""
        path, object = self.chance.choice(
            (("/v1/customers", "customer"), ("/v1/products", "product"), ("/v1/coupons", "coupon"))
        )
        id = self.pick(actor, object)
        if id is None or self.chance.random() < 0.4:
            bodies = {
                "customer": {"name": "Live"},
                "product": {"name": "Gold"},
                "coupon": {"percent_off": 5, "duration": "once"},
            }
            return self.send(actor, "POST", path, **bodies[object])
        method = self.chance.choice(("GET", "POST"))
        return self.send(
            actor, method, f"{path}/{id}", **({"metadata": {"n": str(self.step)}} if method == "POST" else {})
        )

    # -- what must hold

    def judge(self, actor: Actor, answer: Answer) -> None:
        """The answer itself: never an internal error, always in the wire's form, of the right mode."""
        self.statuses[answer.status] += 1
        if answer.status >= 500:
            raise Broken(f"internal error: {answer.body[:300]!r}")
        if answer.status >= 400:
            error = answer.get("error")
            if not isinstance(error, dict) or not error.get("message") or not error.get("type"):
                raise Broken(f"an error without its form: {answer.body[:300]!r}")
            return
        for value in _objects(answer):
            object, id = value.get("object"), value.get("id")
            if isinstance(object, str) and isinstance(id, str) and not value.get("deleted"):
                if value.get("livemode") not in (None, actor.scope.livemode):
                    raise Broken(f"{object} {id} says livemode {value['livemode']}")
                actor.remember(object, id)

    def holds(self, tx: Tx, scope: Scope) -> None:
        """What has come new in a scope since the last look."""
        seen, tables = self.seen[scope], self.api.core.setup.tables.of
        for record in tables["balance_transaction"].page(
            tx, scope, 10_000, ranges=[Range("seq", ">", seen.transaction)]
        ):
            value = orjson.loads(record.body)
            seen.transaction = max(seen.transaction, record.seq)
            seen.net[BOOKS[value["balance_type"]], value["currency"]] += value["net"]
            if value["net"] != value["amount"] - value["fee"]:
                raise Broken(
                    f"{value['id']}: net {value['net']} is not amount {value['amount']} less fee {value['fee']}"
                )
            if value["fee"] != sum(part["amount"] for part in value["fee_details"]):
                raise Broken(f"{value['id']}: its fee is not the sum of its details")
        for (book, currency), net in seen.net.items():
            booked = ledger.book_total(tx, scope, book, currency)
            if booked != net:
                raise Broken(f"{scope}: the ledger's {book} says {booked} {currency}, the balance transactions {net}")
            if ledger.total(tx, scope, currency) != 0:
                raise Broken(f"{scope}: the books of {currency} do not sum to zero")
        records = tables["event"].page(tx, scope, 10_000, ranges=[Range("seq", ">", seen.event)], oldest_first=True)
        touched: dict[tuple[str, str], None] = {}
        for record in sorted(records, key=lambda r: r.seq):
            seen.event = max(seen.event, record.seq)
            event = orjson.loads(record.body)
            self.moved(scope, event)
            value = event["data"]["object"]
            if value.get("id"):
                touched[value["object"], value["id"]] = None
            if isinstance(value.get("customer"), str):
                touched["customer", value["customer"]] = None
                if value["object"] == "invoice":
                    before = seen.delinquent.get(value["customer"], False)
                    seen.delinquent[value["customer"]] = derived.delinquent(before, event)
        for object, id in touched:
            for problem in derived.wrong(derived.Stored(tables, tx, scope), object, id):
                raise Broken(problem)
            told = seen.delinquent.get(id) if object == "customer" else None
            found = derived.Stored(tables, tx, scope).one(object, id) if told is not None else None
            if found is not None and not found.get("deleted") and found["delinquent"] != told:
                raise Broken(f"customer {id}: delinquent is {found['delinquent']}, but follows as {told}")

    def moved(self, scope: Scope, event: dict[str, Any]) -> None:
        """A state that an event tells of: it must be one arrow away from the last."""
        self.events[event["type"]] += 1
        value = event["data"]["object"]
        arrows = ARROWS.get(value.get("object"))
        if event["livemode"] != scope.livemode:
            raise Broken(f"{event['id']} of another mode")
        if arrows is None or value.get("deleted") or "id" not in value:  # an upcoming invoice has no id
            return
        states, key, new = self.seen[scope].states, (value["object"], value["id"]), value["status"]
        old = states.get(key)
        if new not in arrows:
            raise Broken(f"{value['object']} {value['id']} has the status {new}, which is not drawn ({event['type']})")
        if old is not None and new != old and new not in arrows[old]:
            raise Broken(
                f"{value['object']} {value['id']} went from {old} to {new}, which is not drawn ({event['type']})"
            )
        states[key] = new

    def hidden(self, actor: Actor) -> None:
        """An object of the actor does not exist for another merchant, nor in the other mode."""
        chance = self.chance
        kinds = [kind for kind in sorted(actor.pool) if kind in self.api.core.catalogue.by_object and kind != "account"]
        found = self.retrieving(chance.choice(kinds)) if kinds else None
        if found is None:
            return
        resource, endpoint = found
        id = chance.choice(list(actor.pool[resource.object]))
        stranger = self.other if actor.api is self.api else self.api
        other_key = actor.api.sk if actor.scope.livemode else actor.api.live_sk
        path = re.sub(r"\{\w+\}", id, endpoint.path)
        for api, key, headers in (
            (stranger, stranger.sk, {}),
            (actor.api, other_key, actor.headers if not actor.scope.livemode else {}),
        ):
            answer = api.get(path, key=key, headers=headers)
            if answer.status == 200:
                raise Broken(f"{path} of {actor.name} is shown to somebody else")

    def retrieving(self, object: str) -> tuple[Resource, Endpoint] | None:
        """The endpoint that answers one stored object with an id of the server's making."""
        resource = self.api.core.catalogue.by_object[object]
        if not resource.stored or not resource.prefix:
            return None
        for endpoint in resource.endpoints:
            if endpoint.method == "GET" and endpoint.path.endswith("}") and endpoint.path.count("{") == 1:
                return resource, endpoint
        return None

    def fully(self) -> None:
        """Everything from the beginning: the ledger added up, the balance as the API tells it, each state known from an
        event.
        """
        for scope in self.seen:
            wrong = self.api.core.database.read(lambda tx, scope=scope: ledger.audit(tx, scope))
            if wrong:
                raise Broken(f"{scope}: {wrong[:3]}")
            self.api.core.database.read(lambda tx, scope=scope: self.told(tx, scope))
        for actor in self.actors:
            told: Counter[str] = Counter()
            balance = actor.api.get("/v1/balance", key=actor.key, headers=actor.headers)
            for part in (*balance["available"], *balance["pending"]):
                told[part["currency"]] += part["amount"]
            net = {currency: n for (book, currency), n in self.seen[actor.scope].net.items() if n and book == BALANCE}
            if {currency: amount for currency, amount in told.items() if amount} != net:
                raise Broken(f"{actor.name}: the balance says {dict(told)}, its transactions {net}")

    def told(self, tx: Tx, scope: Scope) -> None:
        """The state of every stored object is the one its last event told of."""
        states = self.seen[scope].states
        for object in ARROWS:
            table = self.api.core.setup.tables.of.get(object)
            for record in table.page(tx, scope, 100_000) if table else ():
                value = orjson.loads(record.body)
                if "status" not in value or record.id.startswith(
                    "pyr_"
                ):  # what is left of a deleted one; told of by its charge
                    continue
                last, now = states.get((object, record.id)), value["status"]
                silent = SILENT.get(object, set())
                if last != now and now not in silent:
                    raise Broken(f"{object} {record.id} is {now}; the last event about it said {last}")


def _objects(value: Any) -> list[dict[str, Any]]:
    """Every object in an answer, however deep."""
    found: list[dict[str, Any]] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            found.append(one)
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return found
