"""Changing the plans of accounts: a part of ``KeyService``."""

from __future__ import annotations

from collections.abc import Callable

from tollkey.db import Database, Scope
from tollkey.keys.config import Config
from tollkey.keys.config.faults import suggestion
from tollkey.keys.errors import KeyRefused
from tollkey.keys.limiting import store
from tollkey.keys.limiting.plans import AccountPlans


class PlanChanges:
    """Sets and reads the plans of accounts. A base class of ``KeyService``."""

    database: Database
    config: Config
    plans: AccountPlans
    _clock: Callable[[], float]

    def set_plan(self, account: str, plan: str | None, *, livemode: bool = True) -> None:
        """Set what the keys of an account may use. It applies in all processes within a second.

        account: your name for the customer. plan: the name of a declared plan; None for the default one.
        livemode: the mode. What was used of a quota stays used, whatever the plan.
        Raises KeyRefused, ``plan_unknown``; StorageError.
        """
        names = [each.name for each in self.config.plans]
        if plan is not None and plan not in names:
            raise KeyRefused("plan_unknown", f"There is no plan '{plan[:64]}'{suggestion(plan, names)}", "plan")
        now = int(self._clock())
        self.database.write(lambda tx: self.plans.set(tx, Scope(account, livemode), plan, now))

    def plan_of(self, account: str, *, livemode: bool = True) -> str | None:
        """Return the name of an account's plan: the one that was set, or the default one; None for no plan.

        Raises StorageError.
        """
        stored = self.database.read(lambda tx: store.plan_of(tx, Scope(account, livemode)))
        plan = self.config.plan(stored) or self.config.plan(None)
        return None if plan is None else plan.name
