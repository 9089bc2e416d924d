"""The plans of accounts in memory: used only while changes are heard of."""

from __future__ import annotations

from tollkey.db import Database, Scope, migrate
from tollkey.keys.limiting.plans import AccountPlans
from tollkey.keys.schema import MIGRATIONS

HERS = Scope("a", True)


def test_a_plan_is_answered_from_memory_only_while_changes_are_heard_of(database: Database) -> None:
    migrate(database, MIGRATIONS)
    hearing = [True]
    plans, elsewhere = (AccountPlans(database, lambda: hearing[0]) for _ in range(2))
    database.write(lambda tx: elsewhere.set(tx, HERS, "pro", 1))
    assert (plans.known(HERS), plans.get(HERS), plans.known(HERS)) == (None, "pro", "pro")
    # A change whose announcement does not come: by a process that another part of the network holds.
    database.write(lambda tx: tx.execute("UPDATE account_plans SET plan = 'free'"))
    assert plans.get(HERS) == "pro", "announcements arrive, and none did"
    hearing[0] = False
    assert (plans.known(HERS), plans.get(HERS)) == (None, "free")
