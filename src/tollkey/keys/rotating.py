"""Rotating keys on a schedule: the part of ``KeyService`` that rolls keys with ``rotate_every`` in time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from tollkey.db import Database, Tx
from tollkey.keys import rules, store, times
from tollkey.keys.actors import Actor
from tollkey.keys.authority import Authority
from tollkey.keys.changing import Rolled
from tollkey.keys.errors import KeyRefused
from tollkey.keys.key import Key
from tollkey.keys.limits import LONGEST_ROLL_SECONDS

ROTATION = Actor("system", "rotation")
_MOST_AT_ONCE = 1_000
_DELIVERY_SECONDS = 600  # after which a delivery that has not ended is made again: its process has died


def due_in(tx: Tx, authority: Authority, now: int, until: int, limit: int = _MOST_AT_ONCE) -> tuple[Key, ...]:
    """Do what ``KeyRotation.rotations_due`` does in a transaction of the caller's.

    now, until: UTC epoch seconds. Raises StorageError.
    """
    return store.due(tx, authority.catalogue, until, now, limit)


def rotate_in(
    tx: Tx, authority: Authority, key: Key, grace_seconds: int, now: int, actor: Actor = ROTATION
) -> Rolled[str | None] | None:
    """Roll a key whose rotation is due; None if it was changed or rolled since it was found, for example by a node.

    The text of the new key is sealed for one ``reveal``. now: UTC epoch seconds. Raises StorageError.
    """
    found = authority.get(tx, key.scope, key.id)
    if found is None or found.rotate_at != key.rotate_at:
        return None
    try:
        with tx.savepoint():
            return Rolled(*authority.roll(tx, key.scope, key.id, grace_seconds, actor=actor, now=now, show=False))
    except KeyRefused:
        return None


class KeyRotation:
    """Rotates keys. A base class of ``KeyService``."""

    database: Database
    authority: Authority
    _clock: Callable[[], float]

    def rotations_due(self, within: int | timedelta = 0, *, limit: int = _MOST_AT_ONCE) -> tuple[Key, ...]:
        """Return valid keys of all accounts whose rotation is due, the longest due first; paused keys are left out.

        within: also keys that are due within these seconds or this timedelta, to give notice.
        limit: maximum number. Raises StorageError.
        """
        now = int(self._clock())
        until = now + times.seconds(within)
        return self.database.read(lambda tx: due_in(tx, self.authority, now, until, limit))

    def rotate_due(
        self,
        *,
        grace: int | timedelta = timedelta(days=7),
        deliver: Callable[[Rolled[str]], None] | None = None,
        actor: Actor = ROTATION,
    ) -> list[Rolled[str | None]]:
        """Roll the keys whose rotation is due, at most 1,000; call it again while it returns any.

        grace: how long the old keys stay valid: 0 to 604800 seconds, or a timedelta.
        deliver: called with each rolled key and the new text, for example to write it to a secret manager; the sealed
            copy of a live key is destroyed when it returns. If it raises, the copy stays for one ``reveal``, the old
            key stays valid for the grace, and the exception is raised. A key that it was called with ten minutes ago,
            and that nobody has the text of since, because it raised or its process died, is delivered again while
            the old key is valid. None: all texts stay sealed.
        actor: for the audit log.
        Several processes may call it at once. Raises KeyRefused, ``expires_in_invalid``, for another grace and for one
        of 0; StorageError.
        """
        seconds = rules.check_roll_seconds(times.seconds(grace))
        if seconds == 0:
            raise KeyRefused(
                "expires_in_invalid", "A rotated key needs a grace, so that its users can follow.", "grace"
            )
        rolled: list[Rolled[str | None]] = []
        for key in self.rotations_due():
            made = self._rotate(key, seconds, actor)
            if made is None:
                continue
            rolled.append(made)
            if deliver is not None:
                self._deliver(made, deliver, actor)
        if deliver is not None:
            self._deliver_again(deliver, actor)
        return rolled

    def _deliver_again(self, deliver: Callable[[Rolled[str]], None], actor: Actor) -> None:
        """Repeat deliveries that have not ended. One that raises keeps no other from being made; it is raised last."""
        failed: Exception | None = None
        for each in self._undelivered(actor):
            try:
                self._deliver(each, deliver, actor)
            except Exception as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def _undelivered(self, actor: Actor) -> list[Rolled[str | None]]:
        """Return the keys whose delivery was begun and has not ended, and whose old keys are still valid."""
        now = int(self._clock())

        def find(tx: Tx) -> list[Rolled[str | None]]:
            since, until = now - LONGEST_ROLL_SECONDS, now - _DELIVERY_SECONDS
            found = store.undelivered(tx, self.authority.catalogue, str(actor), since, until, now, _MOST_AT_ONCE)
            pairs = ((self.authority.get(tx, new.scope, new.rolled_from or ""), new) for new in found)
            return [Rolled(old, new, None) for old, new in pairs if old is not None and not old.ended(now)]

        return self.database.read(find)

    def _rotate(self, key: Key, seconds: int, actor: Actor) -> Rolled[str | None] | None:
        """Roll one key; None if it was changed or rolled since it was found."""
        now = int(self._clock())
        return self.database.write(lambda tx: rotate_in(tx, self.authority, key, seconds, now, actor))

    def _deliver(self, rolled: Rolled[str | None], deliver: Callable[[Rolled[str]], None], actor: Actor) -> None:
        """Deliver a new key and destroy its sealed copy, unless another process has done it meanwhile."""
        new = rolled.key
        try:
            text = self.database.read(lambda tx: self.authority.text_of(tx, new))
            deliver(Rolled(rolled.old, new, text))
            now = int(self._clock())
            self.database.write(lambda tx: self.authority.reveal(tx, new.scope, new.id, actor=actor, now=now))
        except KeyRefused as refused:
            if refused.code != "api_key_already_revealed":
                raise
