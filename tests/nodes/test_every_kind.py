"""Every kind of timed work that any resource declares, done by two nodes at once: nothing more happens than with one
node.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

import tollkey.payments
import tollkey.platform
from tests.support.api import Api
from tests.support.nodes import Nodes
from tests.support.recipes import Maker, recipes
from tollkey.core import gather
from tollkey.db import Scope, Tx
from tollkey.db.table import column
from tollkey.wire.jobs import failing_jobs

KINDS = sorted(kind for resource in gather(tollkey.platform, tollkey.payments) for kind in resource.on_due)


def test_every_kind_of_timed_work_has_a_recipe() -> None:
    assert sorted(recipes("DUE")) == KINDS


def accounts(api: Api, tx: Tx) -> list[str]:
    """The merchant and its connected accounts."""
    found = tx.execute("SELECT account FROM connections WHERE platform = ? AND livemode = 0", (api.account,))
    return [api.account, *(account for (account,) in found)]


def when(api: Api, kind: str) -> int:
    """The time at which work of that kind waits to be done for the merchant."""

    def work(tx: Tx) -> list[int]:
        every = (
            (account, tx.execute("SELECT account, at FROM due WHERE kind = ? AND account = ?", (kind, account)))
            for account in accounts(api, tx)
        )
        return [at for _, rows in every for _, at in rows]

    found = api.core.database.read(work)
    assert found, f"the recipe of {kind} makes no such work"
    return max(found)


def facts(api: Api) -> dict[str, Any]:
    """What there is of the merchant and its accounts: objects of each kind, events of each type, money in each book,
    deliveries.
    """

    def work(tx: Tx) -> dict[str, Any]:
        found: Counter[str] = Counter()
        for account in accounts(api, tx):
            for name, table in api.core.setup.tables.of.items():
                found[name] += table.count(tx, Scope(account, False))
            for event in tx.execute(f"SELECT {column('type')} FROM obj_event WHERE account = ?", (account,)):
                found[f"event {event[0]}"] += 1
            for book, currency, total in tx.execute(
                "SELECT book, currency, total FROM ledger_totals WHERE account = ?", (account,)
            ):
                found[f"{book} {currency}"] += total
            found["ledger"] += tx.execute("SELECT count(*) FROM ledger_transactions WHERE account = ?", (account,))[0][
                0
            ]
            found["deliveries"] += tx.execute("SELECT count(*) FROM outbox_deliveries WHERE account = ?", (account,))[
                0
            ][0]
            assert not failing_jobs(tx, Scope(account, False))
        return dict(found)

    return api.core.database.read(work)


def begun(nodes: Nodes, kind: str) -> Api:
    """A merchant who hears every event, and for whom work of that kind waits."""
    api = nodes.api()
    for connect in (False, True):
        api.ok("POST", "/v1/webhook_endpoints", url="https://example.com/hook", enabled_events=["*"], connect=connect)
    recipes("DUE")[kind](Maker(api))
    return api


@pytest.mark.parametrize("kind", KINDS)
def test_two_nodes_do_what_one_does(nodes: Nodes, kind: str) -> None:
    one = begun(nodes, kind)
    one.advance(max(when(one, kind) - one.now, 0))
    two = begun(nodes, kind)
    before = facts(two)
    nodes.pass_time(max(when(two, kind) - two.now, 0))
    assert facts(two) == facts(one)
    if kind != "payout.plan":  # it only makes an appointment
        assert facts(two) != before
