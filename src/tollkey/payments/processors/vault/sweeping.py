"""Deletes numbers that nobody needs: those whose objects have ended, at once, and those that nothing refers to.

- Ended: a payment method was detached, its customer was deleted, a token was used for something else.
- Looked at once a day: objects and accounts that are gone, tokens that were not used within a day, and payment methods
  and cards of no customer that were neither made nor charged within eight days (a hold can be captured for seven).
- Nothing refers to it a day after it was made: the process ended between its two commits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from tollkey.db import Scope, Tx
from tollkey.payments.processors.vault import holding, store
from tollkey.payments.processors.vault.holding import FIELD, Holder
from tollkey.wire.tables import Tables

T = TypeVar("T")
_DAY: Final = 86_400
LOOSE_SECONDS: Final = 8 * _DAY
_BATCH: Final = 200
#: Runs a function in a transaction of one of the two databases.
Runs = Callable[[Callable[[Tx], Any]], Awaitable[Any]]
#: Returns whether there is an account.
Exists = Callable[[Tx, Scope], bool]


@dataclass(frozen=True, slots=True)
class Both:
    """Transactions of both databases. read, write: of the main one. vault: of the vault's."""

    read: Runs
    write: Runs
    vault: Runs


@dataclass(slots=True)
class Swept:
    """How many numbers were deleted: of objects that have ended, and those that nothing referred to."""

    ended: int = 0
    orphans: int = 0


async def delete_ended(both: Both, told: Callable[[int], None] = lambda count: None) -> int:
    """Delete the numbers whose objects have ended, and return how many. told: how many so far, after each batch."""
    count = 0
    while references := await both.read(lambda tx: holding.ended(tx, _BATCH)):
        count += await both.vault(partial(store.delete, references=references))
        await both.write(partial(holding.gone, references=references))
        told(count)
    return count


async def sweep(
    both: Both, tables: Tables, exists: Exists, now: int, told: Callable[[int], None] = lambda count: None
) -> Swept:
    """Delete everything that nobody needs. now: UTC epoch seconds."""
    while holders := await both.read(lambda tx: holding.not_looked_at(tx, now - _DAY, _BATCH)):
        used: Mapping[str, int] = await both.vault(
            partial(store.used_at, references=[one.reference for one in holders])
        )
        await both.write(partial(_look, tables=tables, exists=exists, holders=holders, used=used, now=now))
    found = Swept(await delete_ended(both, told))
    while references := await both.vault(lambda tx: store.unsettled(tx, now - _DAY, _BATCH)):
        held = set(await both.read(partial(holding.of, references=references)))
        orphans = [one for one in references if one not in held]
        found.orphans += await both.vault(partial(_settle, held=held, orphans=orphans))
        told(found.ended + found.orphans)
    return found


def _settle(tx: Tx, held: set[str], orphans: list[str]) -> int:
    store.settle(tx, sorted(held))
    return store.delete(tx, orphans)


def _look(tx: Tx, tables: Tables, exists: Exists, holders: list[Holder], used: Mapping[str, int], now: int) -> None:
    """End the holders that nobody needs, and note of the others that they were looked at."""
    there = {scope for scope in {one.scope for one in holders} if exists(tx, scope)}
    needless = [
        one.reference
        for one in holders
        if one.scope not in there or not _is_needed(tx, tables, one, used.get(one.reference), now)
    ]
    holding.end_these(tx, needless)
    holding.looked(tx, [one.reference for one in holders], now)


def _is_needed(tx: Tx, tables: Tables, holder: Holder, used_at: int | None, now: int) -> bool:
    """Return whether an object still needs its number. used_at: None for a number that the vault does not have."""
    if used_at is None:
        return False
    if holder.object == holding.ATTEMPT:
        return used_at > now - LOOSE_SECONDS
    value: Mapping[str, Any] | None = tables.load(tx, holder.scope, holder.object, holder.id)
    if value is None or value.get(FIELD) != holder.reference:
        return False
    if holder.object == "token":
        return not value["used"] and value["created"] > now - _DAY
    return bool(value.get("customer")) or used_at > now - LOOSE_SECONDS
