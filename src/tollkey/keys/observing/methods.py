"""The methods of ``KeyService`` for least privilege."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tollkey.db import Database
from tollkey.keys import times
from tollkey.keys.actors import SYSTEM, Actor
from tollkey.keys.authority import Authority
from tollkey.keys.key import Key
from tollkey.keys.observing.applying import apply, undo
from tollkey.keys.observing.proposing import Proposal, proposal_of


class LeastPrivilege:
    """Proposes, applies and takes back smaller sets of permissions. A base class of ``KeyService``."""

    database: Database
    authority: Authority
    _clock: Callable[[], float]

    def least_privilege(self, key: Key, *, since: datetime | int | None = None) -> Proposal:
        """Return the smallest set of permissions that the requests of a key needed, as of the last flush.

        The requests of keys that it replaced count, too.
        since: only requests from this time on: UTC epoch seconds or a datetime with a time zone, rounded down to the
            hour. None for all. What earlier requests needed besides stands in ``would_refuse``.
        A request that is checked several times is counted with what its first check needed.
        Raises ValueError for a datetime without a time zone; StorageError.
        """
        start = times.epoch(since)
        return self.database.read(lambda tx: proposal_of(tx, self.authority, key, start))

    def tighten(self, proposal: Proposal, *, actor: Actor = SYSTEM) -> Key:
        """Give a key the permissions of a proposal, and return it. actor: for the audit log.

        Raises KeyRefused: ``api_key_not_restricted``, ``nothing_observed``, ``api_key_changed``, ``api_key_expired``;
        StorageError.
        """
        now = int(self._clock())
        return self.database.write(lambda tx: apply(tx, self.authority, proposal, actor=actor, now=now))

    def undo_tightening(self, key: Key, *, actor: Actor = SYSTEM) -> Key:
        """Give a key back the permissions it had before the latest ``tighten``, and return it.

        actor: for the audit log. Raises KeyRefused: ``nothing_to_undo``, ``api_key_changed``, ``api_key_expired``;
        StorageError.
        """
        now = int(self._clock())
        return self.database.write(lambda tx: undo(tx, self.authority, key, actor=actor, now=now))
