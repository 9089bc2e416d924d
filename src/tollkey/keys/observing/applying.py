"""Gives a key the proposed permissions, and gives them back."""

from __future__ import annotations

import json
from typing import NamedTuple

from tollkey.db import Migration, Row, Scope, Tx
from tollkey.keys.actors import Actor
from tollkey.keys.authority import Authority
from tollkey.keys.errors import KeyNotFound, KeyRefused
from tollkey.keys.key import Key
from tollkey.keys.observing.proposing import Proposal
from tollkey.keys.store import names_as_text

MIGRATION = Migration(
    "key_tightenings",
    (
        """CREATE TABLE key_tightenings (
            seq {key},
            account TEXT NOT NULL,
            livemode {bool} NOT NULL,
            key_id TEXT NOT NULL,
            at {int} NOT NULL,
            was TEXT NOT NULL,
            became TEXT NOT NULL,
            connect_was TEXT NOT NULL,
            connect_became TEXT NOT NULL,
            undone_at {int}
        )""",
        "CREATE INDEX key_tightenings_of_key ON key_tightenings (key_id, seq)",
    ),
)


class Tightening(NamedTuple):
    """An applied proposal.

    seq: its number. at: UTC epoch seconds. was, became: the grants of the key before and after.
    connect_was, connect_became: those on connected accounts. undone_at: UTC epoch seconds, or None.
    """

    seq: int
    at: int
    was: frozenset[str]
    became: frozenset[str]
    connect_was: frozenset[str]
    connect_became: frozenset[str]
    undone_at: int | None


def apply(tx: Tx, authority: Authority, proposal: Proposal, *, actor: Actor, now: int) -> Key:
    """Give the key the proposed permissions, and remember those it had.

    actor: for the audit log. now: UTC epoch seconds.
    Raises UnknownPermission if the key has a grant that is not declared here, so that nobody knows what it implies;
    KeyRefused: ``api_key_not_restricted``; ``nothing_observed``, if no request was observed, as the key would
    lose all permissions; ``api_key_changed``, if the permissions of the key have changed since the proposal;
    ``api_key_expired``; StorageError.
    """
    key = _current(tx, authority, proposal.key)
    if key.kind != "restricted":
        message = f"A {key.kind} key has no permissions of its own. Create a restricted key with the proposed ones."
        raise KeyRefused("api_key_not_restricted", message, "id")
    if not proposal.observed.needs:
        raise KeyRefused("nothing_observed", "The key was not used in this time: it would lose all permissions.", "id")
    was = (key.permissions, key.connect_permissions)
    if was != (proposal.key.permissions, proposal.key.connect_permissions):
        raise KeyRefused("api_key_changed", "The permissions of this key have changed. Make a new proposal.", "id")
    authority.catalogue.check_known((*key.permissions, *key.connect_permissions))
    became = authority.update(
        tx, key.scope, key.id, actor=actor, now=now,
        permissions=proposal.permissions, connect_permissions=proposal.connect_permissions,
    )  # fmt: skip
    texts = [names_as_text(names) for names in (was[0], proposal.permissions, was[1], proposal.connect_permissions)]
    tx.execute(
        "INSERT INTO key_tightenings (account, livemode, key_id, at, was, became, connect_was, connect_became)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (key.account, int(key.livemode), key.id, now, *texts),
    )
    return became


def undo(tx: Tx, authority: Authority, key: Key, *, actor: Actor, now: int) -> Key:
    """Give a key back the permissions it had before the latest proposal was applied.

    actor: for the audit log. now: UTC epoch seconds.
    Raises KeyRefused: ``nothing_to_undo``; ``api_key_changed``, if its permissions were changed after that proposal;
    ``api_key_expired``; StorageError.
    """
    key, done = _current(tx, authority, key), latest(tx, key.scope, key.id)
    if done is None or done.undone_at is not None:
        raise KeyRefused("nothing_to_undo", "No proposal has been applied to this key.", "id")
    if (key.permissions, key.connect_permissions) != (done.became, done.connect_became):
        message = "The permissions of this key were changed after the proposal was applied. Edit them by hand."
        raise KeyRefused("api_key_changed", message, "id")
    tx.execute("UPDATE key_tightenings SET undone_at = ? WHERE seq = ?", (now, done.seq))
    return authority.update(
        tx, key.scope, key.id, actor=actor, now=now, permissions=done.was, connect_permissions=done.connect_was
    )


def latest(tx: Tx, scope: Scope, key_id: str) -> Tightening | None:
    """Return the latest proposal that was applied to a key, also an undone one, or None. Raises StorageError."""
    rows = tx.execute(
        "SELECT seq, at, was, became, connect_was, connect_became, undone_at FROM key_tightenings"
        " WHERE key_id = ? AND account = ? AND livemode = ? ORDER BY seq DESC LIMIT 1",
        (key_id, scope.account, int(scope.livemode)),
    )
    return _tightening(rows[0]) if rows else None


def _tightening(row: Row) -> Tightening:
    was, became, connect_was, connect_became = (frozenset(json.loads(text)) for text in row[2:6])
    return Tightening(row[0], row[1], was, became, connect_was, connect_became, row[6])


def _current(tx: Tx, authority: Authority, key: Key) -> Key:
    found = authority.get(tx, key.scope, key.id)
    if found is None:
        raise KeyNotFound(key.id)
    return found
