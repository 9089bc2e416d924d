"""Hands a new key to a place that keeps secrets, instead of showing it.

Nothing is half done. A key is stored here first and handed over then: if the place refuses it, it is revoked, and a
rolled key stays as it was. If it is not known whether the place took it, both keys stay valid, and the error says so:
programs may read the new one already.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tollkey.db import Database, StorageError, Tx
from tollkey.keys.actors import Actor
from tollkey.keys.authority import Authority
from tollkey.keys.errors import KeyRefused
from tollkey.keys.key import Key
from tollkey.keys.rules import LONGEST_NOTE
from tollkey.keys.token import Kind

#: How long a key that is rolled "now" goes on working until its successor has been handed over, in seconds.
HANDOVER_SECONDS = 600


class DeliveryFailed(Exception):
    """A key could not be handed over. The message says why and contains no secret.

    uncertain: whether the place took it is not known.
    """

    def __init__(self, message: str, *, uncertain: bool = False) -> None:
        super().__init__(message)
        self.uncertain = uncertain


class Destination(Protocol):
    """A place that keeps one secret."""

    @property
    def place(self) -> str:
        """Where it is, for the note of the key; without secrets."""

    def store(self, text: str) -> None:
        """Store the text of a key. Raises DeliveryFailed; after that the place is as it was, unless it is uncertain."""


def check_kind(kind: Kind) -> None:
    """Check that a key is a secret: a publishable key needs no vault, and cannot be revoked. Raises KeyRefused."""
    if kind == "publishable":
        raise KeyRefused("type_invalid", "A publishable key is public and is not delivered.", "deliver")


def note_of(note: str, destination: Destination) -> str:
    """Return the note of a key that is handed over: what was noted, and where the key is."""
    if destination.place in note:
        return note
    joined = f"{note}\n{destination.place}" if note else destination.place
    return joined if len(joined) <= LONGEST_NOTE else note


def hand_over(destination: Destination, text: str, key_id: str, undo: Callable[[], object]) -> None:
    """Store the text of a new key; if that fails, ``undo`` what was done here.

    key_id: for the message. Raises DeliveryFailed, and what else ``destination`` raises.
    """
    try:
        destination.store(text)
    except DeliveryFailed as failed:
        if failed.uncertain:
            message = f"{failed} The key {key_id} stays valid: look whether it arrived, else revoke it."
            raise DeliveryFailed(message, uncertain=True) from None
        _undo(undo, key_id)
        raise
    except BaseException:
        _undo(undo, key_id)
        raise


def roll_into(
    database: Database,
    authority: Authority,
    destination: Destination,
    key: Key,
    seconds: int,
    actor: Actor,
    clock: Callable[[], float],
) -> tuple[Key, Key]:
    """Roll a key, hand its successor over, and return both keys.

    seconds: how long the old key goes on working, from the delivery on if it is 0. clock: returns UTC epoch seconds.
    If the place refuses the new key, it is revoked and the old one goes on as before. Until it has been handed over,
    the text of a live key is sealed for one ``reveal``: if this process dies, somebody can still get it.
    Raises KeyRefused, StorageError, DeliveryFailed.
    """
    scope = key.scope

    def roll(tx: Tx) -> tuple[Key, Key, str]:
        now = int(clock())
        until = seconds or HANDOVER_SECONDS
        old, new, text = authority.roll(tx, scope, key.id, until, actor=actor, now=now, show=False)
        noted = authority.update(tx, scope, new.id, actor=actor, now=now, note=note_of(new.note, destination))
        return old, noted, text or authority.text_of(tx, noted)

    def undo(tx: Tx) -> None:
        now = int(clock())
        authority.revoke(tx, scope, new.id, actor=actor, now=now)
        authority.cancel_expiry(tx, scope, key.id, actor=actor, now=now)

    def end(tx: Tx) -> tuple[Key, Key]:
        now = int(clock())
        kept = authority.hide(tx, scope, new.id, actor=actor, now=now) if new.livemode else new
        current = authority.get(tx, scope, key.id) or old
        if seconds or current.ended(now):
            return current, kept
        return authority.expire_now(tx, scope, key.id, actor=actor, now=now), kept

    check_kind(key.kind)
    old, new, text = database.write(roll)
    hand_over(destination, text, new.id, lambda: database.write(undo))
    return database.write(end)


def _undo(undo: Callable[[], object], key_id: str) -> None:
    try:
        undo()
    except (StorageError, KeyRefused) as error:
        raise DeliveryFailed(
            f"The key {key_id} was not handed over, and could not be revoked ({type(error).__name__}). Revoke it."
        ) from None
