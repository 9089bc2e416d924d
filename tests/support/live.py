"""A merchant whose live mode holds everything that live mode itself would never make: the worst case for what is
pretended.

Every object that a call needs is made in test mode, with test values, and then copied into live mode, with what is
scheduled for it and with money in the books. Claims are what an object says that only a provider could make true.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

from tests.support.api import Answer, Api, World
from tests.support.recipes import CannotMake, Maker, Planned, Visit, name_of, place_of, recipes
from tollkey import ledger
from tollkey.db import Scope
from tollkey.ledger.books import BALANCE, TOPUPS
from tollkey.payments.processors.cards import by_number
from tollkey.payments.processors.cards.luhn import with_check_digit
from tollkey.wire import Endpoint, Resource, hosted
from tollkey.wire.hosted import hosted_url
from tollkey.wire.jobs import due_jobs, failing_jobs, run_job

Json = dict[str, Any]
Claim = tuple[str, str, str]

WORDS = frozenset({
    "active", "approved", "available", "chargeable", "charged", "complete", "confirmed", "consumed", "delivered",
    "enabled", "in_transit",
    "online", "paid", "pass", "posted", "settled", "succeeded", "under_review", "verified", "won",
})  # fmt: skip
TRUTHS = frozenset(
    {"approved", "captured", "charges_enabled", "paid", "payouts_enabled", "refunded", "reversed", "default_incoming"}
)
EVENTS = re.compile(
    r"\.(succeeded|paid|verified|chargeable|captured|refunded|available|active|approved|funds_reinstated|delivered)$"
)


#: What live mode may say without a provider, and why: (object, where, value).
HONEST = {
    ("billing.alert", ".status", "active"): "the merchant's own switch",
    ("billing.credit_grant", ".category", "paid"): "a kind of grant: promotional, or paid for",
    ("billing.meter", ".status", "active"): "the merchant's own switch",
    ("confirmation_token", ".mandate_data.customer_acceptance.type", "online"): "how the customer agreed",
    ("reporting.report_run", ".status", "succeeded"): "it reports what was recorded",
    ("event", ".type", "reporting.report_run.succeeded"): "it reports what was recorded",
    ("invoice_rendering_template", ".status", "active"): "the merchant's own switch",
    ("review", ".closed_reason", "approved"): "the merchant's own decision",
    ("review", ".reason", "approved"): "the merchant's own decision",
    ("subscription_schedule", ".status", "active"): "it has begun to change its subscription",
    ("tax.registration", ".status", "active"): "the merchant says that it is registered",
    ("v2.core.event_destination", ".status", "enabled"): "the merchant's own switch",
    ("webhook_endpoint", ".status", "enabled"): "the merchant's own switch",
}


def real_card() -> str:
    """A card number that could be somebody's: right in form, and no test card's."""
    for middle in range(10**9):
        number = with_check_digit(f"453201{middle:09d}")
        if by_number(number) is None:
            return number
    raise AssertionError("every number is a test card's")


def claims_of(value: Any, id: str = "", path: str = "") -> Iterator[Claim]:
    """What an object claims, and the objects within it: (id of the innermost object, path within that, value)."""
    if isinstance(value, dict):
        if value.get("object") == "invoice" and value.get("amount_due") == 0:
            return  # nothing was due on it: paid is true of it
        if isinstance(value.get("id"), str) and value["id"]:
            id, path = f"{value.get('object', '')} {value['id']}", ""
        for name, inner in value.items():
            if name == "previous_attributes":
                continue  # what was so before
            if inner is True and name in TRUTHS:
                yield id, f"{path}.{name}", "true"
            yield from claims_of(inner, id, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from claims_of(inner, id, f"{path}[]")
    elif isinstance(value, str) and value in WORDS:
        yield id, path, value


class Stage:
    """One merchant, the calls of every endpoint, and what its live mode says before and after each.

    only: names of the endpoints to plan, all when empty. before: makes ids of its own in test mode, kept in ``made``.
    real: with values that could be somebody's in place of the test values. calls, visits: what is to be called, made in
        test mode.
    unmade: endpoints for which nothing could be made. began: when all was made, UTC epoch seconds.
    """

    def __init__(
        self,
        world: World,
        real: bool,
        only: frozenset[str] = frozenset(),
        before: Callable[[Maker], dict[str, str]] | None = None,
    ) -> None:
        self.api, self.real = Api(world), real
        self.live = copy(self.api)
        self.live.sk = self.api.live_sk
        self.maker = Maker(self.api)
        self.calls: list[tuple[Endpoint, Planned]] = []
        self.visits: list[tuple[Endpoint, Visit]] = []
        self.unmade: dict[str, str] = {}
        every = [(r, e) for r in self.api.core.catalogue.resources for e in r.endpoints if e.live is not None]
        for resource, endpoint in sorted(every, key=lambda one: one[1].path.startswith(_EXPIRES)):
            if only and name_of(endpoint) not in only:
                continue
            try:
                self._plan(resource, endpoint)
            except CannotMake as reason:
                self.unmade[name_of(endpoint)] = str(reason)
        self.made = before(self.maker) if before is not None else {}
        self.began = self.api.now
        self._into_live_mode()

    def _plan(self, resource: Resource, endpoint: Endpoint) -> None:
        if endpoint.public:
            name = f"{endpoint.method} {endpoint.path}"
            if name not in recipes("VISITS"):
                raise CannotMake(f"no VISITS in {place_of(resource, endpoint)}")
            card = {
                "number": real_card() if self.real else "4242424242424242",
                "exp_month": 12,
                "exp_year": 2034,
                "cvc": "123",
            }
            self.visits += [(endpoint, visit(self.maker, card)) for visit in recipes("VISITS")[name]]
        elif endpoint.host is None:
            maker = Maker(self.live) if resource.object in MADE_LIVE else self.maker
            self.calls.append((endpoint, maker.plan(endpoint, resource)))

    # -- from test mode into live mode

    def _into_live_mode(self) -> None:
        """Copy everything of this merchant and its connected accounts into live mode, and put money into the books
        there.
        """
        self.owners = list(dict.fromkeys([self.api.account, *self.api._connected()]))

        def work(tx: Any) -> None:
            for table, columns in _tables(tx).items():
                _copy(tx, table, columns, self.owners)
            _copy_bank_accounts(tx, self.owners)
            for owner in self.owners:
                sides = [
                    ledger.Posting(BALANCE, "usd", 10_000_000),
                    ledger.Posting(TOPUPS, "usd", -10_000_000),
                ]
                ledger.post(tx, Scope(owner, True), self.api.now, sides, "tu_before", txn=f"txn_{owner}")

        self.api.core.database.write(work)
        self.seen = self.bodies()
        self.known = {claim for body in self.seen.values() for claim in claims_of(json.loads(body))}
        self.booked = self.entries()

    # -- what live mode says

    def bodies(self) -> dict[tuple[str, str, str], bytes]:
        marks = ", ".join("?" for _ in self.owners)

        def work(tx: Any) -> dict[tuple[str, str, str], bytes]:
            found = {}
            for table in _tables(tx):
                if table.startswith("obj_"):
                    rows = tx.execute(
                        f"SELECT account, id, body FROM {table} WHERE livemode = 1 AND account IN ({marks})",
                        self.owners,
                    )
                    found.update({(table, account, id): bytes(body) for account, id, body in rows})
            return found

        return self.api.core.database.read(work)

    def entries(self) -> int:
        marks = ", ".join("?" for _ in self.owners)
        text = f"SELECT count(*) FROM ledger_entries WHERE livemode = 1 AND account IN ({marks})"
        return int(self.api.core.database.read(lambda tx: tx.execute(text, self.owners))[0][0])

    def news(self) -> list[Claim]:
        """What live mode claims now, dishonestly, and did not claim before; and whether money was booked."""
        found: list[Claim] = []
        now = self.bodies()
        for key, body in now.items():
            if self.seen.get(key) != body:
                value = json.loads(body)
                found += [claim for claim in claims_of(value) if claim not in self.known]
                if (
                    value.get("object") == "event"
                    and EVENTS.search(value["type"])
                    and value["data"]["object"].get("amount_due") != 0
                ):
                    found.append((f"event {value['id']}", ".type", value["type"]))
        self.seen = now
        self.known.update(found)
        found = [one for one in found if (one[0].partition(" ")[0], one[1], one[2]) not in HONEST]
        booked = self.entries()
        if booked != self.booked:
            found.append(("the ledger", "", f"{booked - self.booked} entries"))
            self.booked = booked
        return found

    def call(self, endpoint: Endpoint, planned: Planned) -> Answer:
        """Call with the live key, with the live publishable key what is meant for browsers, or with a session's token
        what needs one; under the last API version that has the endpoint.
        """
        params = self._real(planned.params) if self.real else planned.params
        key = self.api.live_pk if name_of(endpoint) in FOR_BROWSERS else self.api.live_sk
        if endpoint.session:
            key = self.live.ok("post", "/v2/billing/meter_event_session")["authentication_token"]
        api = self.api.for_endpoint(endpoint)
        answer: Answer = getattr(api, endpoint.method.lower())(planned.path, key=key, **params)
        return answer

    def visit(self, endpoint: Endpoint, visit: Visit) -> Answer:
        """Visit a page in live mode."""
        kind = hosted.kind_of(endpoint.path)
        url = self.api.core.database.write(
            lambda tx: hosted_url(self.api.core.call(tx, Scope(self.api.account, True)), kind, visit.id)
        )
        path = re.sub(r"^https?://[^/]+", "", url) + endpoint.path.partition("{token}")[2]
        answer: Answer = getattr(self.api, endpoint.method.lower())(path, key=None, **visit.params)
        return answer

    def pass_time(self, seconds: int) -> list[str]:
        """Let time pass, and do what has become due in live mode.

        What failed for another reason than that nobody provides it.
        """
        core = self.api.core
        self.api.world.clock[0] += seconds
        for _ in range(1000):
            now = self.api.now
            waiting = core.database.read(lambda tx, now=now: due_jobs(tx, now, 1_000_000))
            mine = [item for item in waiting if item.scope.livemode and item.scope.account in self.owners]
            if not mine:
                failed = core.database.read(lambda tx: failing_jobs(tx, limit=1_000))
                return [
                    one.error for one in failed if one.job.scope.account in self.owners and _NOBODY not in one.error
                ]
            for item in mine:
                core.database.write(lambda tx, item=item, now=now: run_job(core.call(tx, item.scope, now), item))
        raise AssertionError("work never ends")

    def _real(self, value: Any) -> Any:
        """The same parameters with values that could be somebody's."""
        if isinstance(value, dict):
            return {name: self._real(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._real(inner) for inner in value]
        if value in REAL:
            return REAL[value]
        if value == "4242424242424242":
            return real_card()
        card = {"number": real_card(), "exp_month": 12, "exp_year": 2034, "cvc": "123"}
        if value == "tok_visa":
            return self.live.ok("post", "/v1/tokens", card=card)["id"]
        if value == "pm_card_visa":
            return self.live.ok("post", "/v1/payment_methods", type="card", card=card)["id"]
        if value == "btok_us_verified":
            bank = {"country": "US", "currency": "usd", "account_number": "9412345678", "routing_number": "021000021"}
            return self.live.ok("post", "/v1/tokens", bank_account=bank)["id"]
        return value


#: What a test value becomes.
REAL = {
    "000123456789": "9412345678", "110000000": "021000021", "000000000": "123456788",
    "address_full_match": "1 Main Street",
    "https://accessible.stripe.com": "https://shop.example.com",
}  # fmt: skip
#: Kinds that are not kept as objects of a mode: what is called in live mode is made there.
MADE_LIVE = frozenset({"api_key"})
_NOBODY = "live mode has no provider for"
FOR_BROWSERS = frozenset({"POST /v1/confirmation_tokens"})
#: What is made last, because it ends by itself and other recipes let days go by.
_EXPIRES = ("/v1/checkout", "/v1/payment_pages", "/v1/api_keys", "/pay", "/recover")


def _tables(tx: Any) -> dict[str, list[str]]:
    """The tables to copy with their columns, without what the database numbers itself."""
    if tx.dialect == "sqlite":
        rows = tx.execute(
            "SELECT m.name, c.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table'"
        )
    else:
        rows = tx.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
        )
    found: dict[str, list[str]] = {}
    for table, column in rows:
        if (table.startswith("obj_") or table in ("due", "connections", "meter_events")) and column != "seq":
            found.setdefault(table, []).append(column)
    return found


def _copy(tx: Any, table: str, columns: list[str], owners: list[str]) -> None:
    marks = ", ".join("?" for _ in owners)
    names = ", ".join(columns)
    for row in tx.execute(f"SELECT {names} FROM {table} WHERE livemode = 0 AND account IN ({marks})", owners):
        values = dict(zip(columns, row, strict=True))
        values["livemode"] = 1
        if values.get("private"):
            inner = json.loads(
                bytes(values["private"])
            )  # no version has kept in live mode which test card or test bank it is
            values["private"] = json.dumps({k: v for k, v in inner.items() if k not in ("_card", "_bank")}).encode()
        if "body" in values:
            values["body"] = re.sub(rb'"livemode": ?false', b'"livemode": true', bytes(values["body"]))
        tx.execute(
            f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' for _ in columns)}) ON CONFLICT DO NOTHING",
            tuple(values.values()),
        )


def _copy_bank_accounts(tx: Any, owners: list[str]) -> None:
    """Give an account that live mode has from the start the bank accounts of its test mode."""
    for owner in owners:
        found = {
            bool(livemode): json.loads(bytes(body))
            for livemode, body in tx.execute(
                "SELECT livemode, body FROM obj_account WHERE account = ? AND id = ?", (owner, owner)
            )
        }
        if len(found) == 2 and found[False].get("external_accounts"):
            found[True]["external_accounts"] = found[False]["external_accounts"]
            body = json.dumps(found[True]).encode()
            tx.execute(
                "UPDATE obj_account SET body = ? WHERE account = ? AND id = ? AND livemode = 1", (body, owner, owner)
            )
