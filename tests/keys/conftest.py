"""A key authority on a fresh database of each kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.conftest import Clock
from tollkey.db import Database, Ids, Scope, Tx, migrate
from tollkey.keys import Key, KeyRefused, KeyService, Permission
from tollkey.keys.actors import Actor
from tollkey.keys.audit import guard
from tollkey.keys.authority import Authority
from tollkey.keys.keyring import Keyring
from tollkey.keys.permissions import PermissionCatalogue
from tollkey.keys.schema import MIGRATIONS
from tollkey.keys.token import Kind
from tollkey.keys.verifier import Verifier

T = TypeVar("T")
LIVE = Scope("acct_1AaBbCcDdEeFfGgHh", True)
TEST = Scope("acct_1AaBbCcDdEeFfGgHh", False)
OTHER = Scope("acct_1ZzYyXxWwVvUuTtSs", True)
ALICE = Actor("user", "alice", ip="192.0.2.1", request_id="req_1")
PERMISSIONS = (
    Permission("customer", "Customers"),
    Permission("charge", "Charges"),
    Permission("invoice", "Invoices", "Billing"),
    Permission("credit_note", "Credit notes", "Billing"),
    Permission("transfer", "Transfers", "Connect"),
    Permission("payout", "Payouts"),
    Permission("balance", "Balance", levels=("read",)),
    Permission("balance_transaction_source", "Balance transaction sources", levels=("read",)),
    Permission("top_up", "Top-ups", "Connect"),
    Permission("api_key", "API keys", levels=("write",)),
)


def refused(code: str) -> pytest.RaisesExc[KeyRefused]:
    """A block that must raise KeyRefused with that code."""
    return pytest.RaisesExc(KeyRefused, check=lambda error: error.code == code)


class Ticker:
    """A monotonic clock set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """Everything a test of the verbs needs, with the transaction and the time filled in."""

    database: Database
    authority: Authority
    verifier: Verifier
    clock: Clock
    ticker: Ticker
    keyring: Keyring
    catalogue: PermissionCatalogue = field(default_factory=lambda: PermissionCatalogue(PERMISSIONS))

    def read(self, work: Callable[[Tx], T]) -> T:
        return self.database.read(work)

    def do(self, verb: str, *args: Any, **kwargs: Any) -> Any:
        """Run a verb of the authority in a transaction of its own, as Alice, now."""
        kwargs.setdefault("actor", ALICE)
        kwargs.setdefault("now", self.clock.now)
        return self.database.write(lambda tx: getattr(self.authority, verb)(tx, *args, **kwargs))

    def make(self, kind: Kind = "secret", scope: Scope = LIVE, **kwargs: Any) -> tuple[Key, str]:
        made: tuple[Key, str] = self.do("create", scope, kind, **kwargs)
        return made

    def on(self, verb: str, key: Key, *args: Any, **kwargs: Any) -> Any:
        return self.do(verb, key.scope, key.id, *args, **kwargs)

    def get(self, key: Key) -> Key:
        found = self.read(lambda tx: self.authority.get(tx, key.scope, key.id))
        assert found is not None
        return found

    def default(self, kind: Kind, scope: Scope = LIVE) -> Key:
        self.do("create_defaults", scope.account)
        keys = self.read(lambda tx: self.authority.list(tx, scope, kind=kind))
        return next(key for key in keys if key.is_default)

    def verify(self, text: str, ip: str | None = None) -> Any:
        return self.verifier.verify(self.database, text, self.clock.now, ip)


@pytest.fixture
def world(database: Database, clock: Clock, ids: Ids) -> World:
    migrate(database, MIGRATIONS)
    keyring = Keyring.fresh()
    database.write(lambda tx: guard(tx, keyring, clock.now))
    catalogue = PermissionCatalogue(PERMISSIONS)
    ticker = Ticker()
    verifier = Verifier(keyring, catalogue, monotonic=ticker)
    verifier.attach(database)
    verifier.lease.renew(ticker.now)
    return World(database, Authority(keyring, catalogue, ids), verifier, clock, ticker, keyring, catalogue)


@pytest.fixture
def service(database_url: str, tmp_path: Path, clock: Clock) -> Any:
    """The library's one object, with permissions of the host's own."""
    permissions = [Permission("report", "Reports"), Permission("user", "Users")]
    with KeyService.open(
        database_url, permissions, keyring=str(tmp_path / "keyring"), clock=clock, flush_seconds=0
    ) as opened:
        yield opened
