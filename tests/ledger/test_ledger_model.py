"""A machine that posts at random, also what must not be posted, and keeps its own simple books beside the ledger."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tollkey.db import Duplicate, Scope, SQLite, Tx, migrate
from tollkey.ledger import MIGRATION, Balance, LedgerError, Posting, audit, balance, post, total
from tollkey.ledger.books import BALANCE, BOOKS, FEES, NETWORK

SCOPES = [Scope("acct_a", False), Scope("acct_b", False), Scope("acct_a", True)]
CURRENCIES = ["usd", "jpy"]
scopes = st.sampled_from(SCOPES)
currencies = st.sampled_from(CURRENCIES)
kinds = st.sampled_from(["card", "bank_account"])
amounts = st.integers(-(10**12), 10**12)
delays = st.one_of(st.none(), st.integers(-2, 5))
postings = st.lists(
    st.builds(Posting, st.sampled_from(sorted(BOOKS)), currencies, st.integers(-9, 9), kinds), max_size=6
)


class Ledger(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.database = SQLite(Path(self.folder.name) / "ledger.db")
        migrate(self.database, [MIGRATION])
        self.now = 1000
        self.posted = 0
        #: What should stand in balances: (scope, currency, kind, amount, available from).
        self.lines: list[tuple[Scope, str, str, int, int]] = []

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()
            self.folder.cleanup()

    def due(self, delay: int | None) -> int | None:
        return None if delay is None else self.now + delay

    def id(self) -> str:
        self.posted += 1
        return f"txn_{self.posted}"

    def keep(self, scope: Scope, sides: list[Posting], due: int | None) -> None:
        for side in sides:
            if side.book == BALANCE:
                self.lines.append((scope, side.currency, side.source_type, side.amount, -1 if due is None else due))

    @rule(scope=scopes, currency=currencies, kind=kinds, amount=amounts, fee=st.integers(0, 500), delay=delays)
    def charge(self, scope: Scope, currency: str, kind: str, amount: int, fee: int, delay: int | None) -> None:
        sides = [
            Posting(BALANCE, currency, amount - fee, kind),
            Posting(FEES, currency, fee, kind),
            Posting(NETWORK, currency, -amount, kind),
        ]
        due, txn = self.due(delay), self.id()
        with contextlib.suppress(LedgerError):  # nothing but zeros
            self.database.write(lambda tx: post(tx, scope, self.now, sides, "ch", due, txn=txn))
            self.keep(scope, sides, due)

    @rule(scope=scopes, sides=postings, delay=delays)
    def anything(self, scope: Scope, sides: list[Posting], delay: int | None) -> None:
        fits = all(sum(side.amount for side in sides if side.currency == currency) == 0 for currency in CURRENCIES)
        due, txn = self.due(delay), self.id()
        try:
            self.database.write(lambda tx: post(tx, scope, self.now, sides, "any", due, txn=txn))
        except LedgerError:
            assert not fits or not any(side.amount for side in sides)
        else:
            assert fits
            self.keep(scope, sides, due)

    @rule(scope=scopes, amount=amounts.filter(bool))
    def fail_half_way(self, scope: Scope, amount: int) -> None:
        def work(tx: Tx) -> None:
            with contextlib.suppress(ZeroDivisionError), tx.savepoint():
                post(
                    tx,
                    scope,
                    self.now,
                    [Posting(BALANCE, "usd", amount), Posting(NETWORK, "usd", -amount)],
                    "ch",
                    txn="txn_lost",
                )
                raise ZeroDivisionError

        self.database.write(work)

    @rule(scope=scopes, amount=amounts.filter(bool))
    def post_twice(self, scope: Scope, amount: int) -> None:
        sides = [Posting(BALANCE, "usd", amount), Posting(NETWORK, "usd", -amount)]
        txn = self.id()
        self.database.write(lambda tx: post(tx, scope, self.now, sides, "ch", txn=txn))
        self.keep(scope, sides, None)
        try:
            self.database.write(lambda tx: post(tx, scope, self.now, sides, "ch", txn=txn))
        except Duplicate:
            return
        raise AssertionError("the same transaction was posted twice")

    @rule(seconds=st.integers(1, 3))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @invariant()
    def every_scope_sums_to_zero_and_its_totals_fit_its_entries(self) -> None:
        if hasattr(self, "database"):
            for scope in SCOPES:
                assert [
                    self.database.read(lambda tx, s=scope, c=currency: total(tx, s, c)) for currency in CURRENCIES
                ] == [0, 0]  # type: ignore[misc]
                assert self.database.read(lambda tx, s=scope: audit(tx, s)) == []  # type: ignore[misc]

    @invariant()
    def every_balance_is_what_the_simple_books_say(self) -> None:
        if hasattr(self, "database"):
            for scope in SCOPES:
                found = self.database.read(lambda tx, s=scope: balance(tx, s, self.now))  # type: ignore[misc]
                for currency in CURRENCIES:
                    mine = [line for line in self.lines if line[:2] == (scope, currency)]
                    available = sum(amount for *_, amount, due in mine if due <= self.now)
                    pending = sum(amount for *_, amount, due in mine if due > self.now)
                    got = found.get(currency, Balance(0, 0))
                    assert (got.available, got.pending) == (available, pending)


TestLedger = Ledger.TestCase
TestLedger.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
