"""Changing the plans of accounts: a part of ``KeyService``."""

from __future__ import annotations

from collections.abc import Callable

from tollkey.db import Database, Scope, Tx
from tollkey.keys import audit
from tollkey.keys.actors import SYSTEM, Actor
from tollkey.keys.authority import Authority
from tollkey.keys.config import Config
from tollkey.keys.config.faults import suggestion
from tollkey.keys.errors import KeyRefused
from tollkey.keys.header import beginning
from tollkey.keys.limiting import store
from tollkey.keys.limiting.plans import AccountPlans
from tollkey.keys.rules import check_account


class PlanChanges:
    """Sets and reads the plans of accounts. A base class of ``KeyService``."""

    database: Database
    authority: Authority
    config: Config
    plans: AccountPlans
    _clock: Callable[[], float]

    def set_plan(self, account: str, plan: str | None, *, livemode: bool = True, actor: Actor = SYSTEM) -> None:
        """Set what the keys of an account may use. It applies in all processes within a second.

        account: your name for the customer. plan: the name of a declared plan; None for the default one.
        livemode: the mode. actor: for the audit log. What was used of a quota stays used, whatever the plan.
        Raises KeyRefused, ``account_invalid``, ``plan_unknown``; StorageError.
        """
        now = int(self._clock())
        self.database.write(lambda tx: self.set_plan_in(tx, Scope(account, livemode), plan, now, actor))

    def set_plan_in(self, tx: Tx, scope: Scope, plan: str | None, now: int, actor: Actor = SYSTEM) -> None:
        """Do what ``set_plan`` does in a transaction of the caller's. now: UTC epoch seconds."""
        check_account(scope.account)
        names = [each.name for each in self.config.plans]
        if plan is not None and plan not in names:
            raise KeyRefused(
                "plan_unknown", f"There is no plan '{beginning(plan, 64)}'{suggestion(plan, names)}", "plan"
            )
        before = store.plan_of(tx, scope)
        if plan != before:
            self.plans.set(tx, scope, plan, now)
            audit.record_plan(tx, self.authority.keyring, scope, actor, now, before, plan)

    def plan_of(self, account: str, *, livemode: bool = True) -> str | None:
        """Return the name of an account's plan: the one that was set, or the default one; None for no plan.

        Raises StorageError.
        """
        return self.database.read(lambda tx: self.plan_in(tx, Scope(account, livemode)))

    def plan_in(self, tx: Tx, scope: Scope) -> str | None:
        """Do what ``plan_of`` does in a transaction of the caller's."""
        plan = self.config.plan(store.plan_of(tx, scope)) or self.config.plan(None)
        return None if plan is None else plan.name
