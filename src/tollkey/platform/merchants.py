"""The accounts of this server that have keys of their own. Their wire object is in ``accounts.py``."""

from __future__ import annotations

from typing import NamedTuple

from tollkey.db import Migration, Scope, Tx
from tollkey.keys.actors import SYSTEM, Actor
from tollkey.keys.authority import Authority
from tollkey.platform.accounts import own_account
from tollkey.wire import Call

MIGRATION = Migration(
    "merchants",
    ("CREATE TABLE merchants (seq {key}, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, created {int} NOT NULL)",),
)


class Merchant(NamedTuple):
    """An account of this server. created: UTC epoch seconds."""

    id: str
    name: str
    created: int


def first_merchant(tx: Tx) -> Merchant | None:
    """The oldest account, or None on a new server."""
    rows = tx.execute("SELECT id, name, created FROM merchants ORDER BY seq LIMIT 1")
    return Merchant(*rows[0]) if rows else None


def merchants(tx: Tx) -> list[Merchant]:
    """All accounts of this server, oldest first."""
    return [Merchant(*row) for row in tx.execute("SELECT id, name, created FROM merchants ORDER BY seq")]


def create_merchant(
    call: Call, authority: Authority, *, name: str, email: str | None, country: str, actor: Actor = SYSTEM
) -> Merchant:
    """Create an account with its four default keys, and its object in both modes.

    call: provides transaction, time and ids; its scope is ignored. country: two-letter code. actor: for the audit log.
    """
    id = "acct_1" + call.ids.text(15)
    merchant = Merchant(id, name, call.now)
    call.tx.execute("INSERT INTO merchants (id, name, created) VALUES (?, ?, ?)", merchant)
    for livemode in (False, True):
        inner = Call(call.setup, call.tx, Scope(id, livemode), call.now)
        inner.objects.insert(own_account(inner, name=name, email=email, country=country))
    authority.create_defaults(call.tx, id, now=call.now, actor=actor)
    return merchant


def rename_merchant(tx: Tx, id: str, name: str) -> None:
    """Rename an account in lists."""
    tx.execute("UPDATE merchants SET name = ? WHERE id = ?", (name, id))
