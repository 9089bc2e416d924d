"""The operations that begin, pause and end the life of a key: roll, expire, revoke, disable, enable.

The decisions behind them are in ``authority.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import ParamSpec

from tollkey.db import Scope, Tx
from tollkey.keys import rules
from tollkey.keys.actors import Actor
from tollkey.keys.errors import KeyRefused
from tollkey.keys.key import Key
from tollkey.keys.writing import KeyWriter

P = ParamSpec("P")

_ATTEMPTS = 10


def _wins(operation: Callable[P, Key]) -> Callable[P, Key]:
    """Repeat an operation on a key that somebody else has changed since it was read.

    Whoever ends or pauses a key has a reason that another change of the same moment does not take away.
    """

    @wraps(operation)
    def repeated(*args: P.args, **kwargs: P.kwargs) -> Key:
        for _ in range(_ATTEMPTS):
            try:
                return operation(*args, **kwargs)
            except KeyRefused as refused:
                if refused.code != "api_key_changed":
                    raise
        return operation(*args, **kwargs)

    return repeated


class KeyLifetimes(KeyWriter):
    """Rolls, pauses and ends keys for ``Authority``, whose arguments it takes."""

    def roll(
        self,
        tx: Tx,
        scope: Scope,
        key_id: str,
        expires_in_seconds: int,
        *,
        actor: Actor,
        now: int,
        granter: Key | None = None,
        show: bool = False,
    ) -> tuple[Key, Key, str | None]:
        """Create a key's successor, valid at once, and set the expiry of the old key.

        expires_in_seconds: how long the old key stays valid, 0 to 604800. An earlier expiry of its own is kept.
        now: UTC epoch seconds. granter: see ``create``.
        show: return the text in any case; a live key's text is then not stored.
        Returns the old key, the new key and the new text. Without ``show`` the text is None for a live secret or
        restricted key rolled with a delay: it is sealed for one ``reveal``.
        Raises KeyRefused: ``api_key_already_rolled``, ``api_key_expired``, ``api_key_disabled``,
        ``expires_in_invalid``, ``api_key_grant_exceeded``, ``resource_missing``; StorageError.
        """
        rules.check_roll_seconds(expires_in_seconds)
        key = self._require(tx, scope, key_id)
        rules.check_not_ended(key, now)
        rules.check_not_disabled(key)
        if key.replaced_by is not None:
            message = (
                f"The key {key.redacted} was rolled already. Roll its successor {key.replaced_by}, or expire it now."
            )
            raise KeyRefused("api_key_already_rolled", message, "id")
        draft = self._successor(key, actor, now)
        rules.check_grant(granter, draft)
        ends = min(now + expires_in_seconds, key.expires_at or 2**53)
        old = replace(key, expires_at=ends, replaced_by=draft.id, is_default=False, rotate_at=None)
        if expires_in_seconds == 0:
            old = self._without_text(old, now)
        old = self._save(tx, "rolled", key, old, actor, now)
        draft = replace(draft, is_default=key.is_default)
        shown = show or expires_in_seconds == 0 or not draft.hides_after_reveal
        new, text = self._store(tx, draft, None, actor, now, shown=shown)
        return old, new, text if shown else None

    @_wins
    def expire_now(
        self, tx: Tx, scope: Scope, key_id: str, *, actor: Actor, now: int, granter: Key | None = None
    ) -> Key:
        """Expire a key at ``now`` (UTC epoch seconds) and return it.

        Raises KeyRefused: ``publishable_key_not_revocable`` for the default publishable key, ``api_key_expired``,
        ``api_key_grant_exceeded``, ``resource_missing``; StorageError.
        """
        key = self._require(tx, scope, key_id)
        rules.check_not_ended(key, now)
        if key.kind == "publishable" and key.is_default:
            raise KeyRefused(
                "publishable_key_not_revocable", "An account always has a publishable key. Roll it instead.", "id"
            )
        rules.check_grant(granter, key)
        changed = replace(self._without_text(key, now), expires_at=now, is_default=False)
        return self._save(tx, "expired", key, changed, actor, now)

    def cancel_expiry(
        self, tx: Tx, scope: Scope, key_id: str, *, actor: Actor, now: int, granter: Key | None = None
    ) -> Key:
        """Cancel a pending expiry and return the key.

        A rolled key gets back the expiry it was created with, if any; any other key no longer expires.
        now: UTC epoch seconds. granter: see ``create``.
        Raises KeyRefused: ``no_pending_expiry``, ``api_key_expired``, ``api_key_grant_exceeded``,
        ``resource_missing``; StorageError.
        """
        key = self._require(tx, scope, key_id)
        rules.check_not_ended(key, now)
        if key.expires_at is None:
            raise KeyRefused("no_pending_expiry", f"The key {key.redacted} is not about to expire.", "id")
        rolled = key.replaced_by is not None
        own = key.own_expires_at if rolled else None
        if own is not None and own <= now:
            raise KeyRefused("no_pending_expiry", f"The key {key.redacted} expires by itself at this time.", "id")
        changed = replace(key, expires_at=own, own_expires_at=own, replaced_by=None)
        if key.rotate_every is not None:
            changed = replace(changed, rotate_at=now + key.rotate_every)
        rules.check_grant(granter, changed)
        return self._save(tx, "expiry_cancelled", key, changed, actor, now)

    @_wins
    def revoke(self, tx: Tx, scope: Scope, key_id: str, *, actor: Actor, now: int, granter: Key | None = None) -> Key:
        """Revoke a secret or restricted key permanently and return it; requests with it are refused as expired.

        now: UTC epoch seconds. granter: see ``create``.
        Raises KeyRefused: ``publishable_key_not_revocable``, ``api_key_expired``, ``api_key_grant_exceeded``,
        ``resource_missing``; StorageError.
        """
        key = self._require(tx, scope, key_id)
        if key.kind == "publishable":
            raise KeyRefused(
                "publishable_key_not_revocable", "A publishable key cannot be revoked. Roll it instead.", "id"
            )
        rules.check_not_ended(key, now)
        rules.check_grant(granter, key)
        changed = replace(self._without_text(key, now), revoked_at=now, is_default=False)
        return self._save(tx, "revoked", key, changed, actor, now)

    # -- pausing

    @_wins
    def disable(self, tx: Tx, scope: Scope, key_id: str, *, actor: Actor, now: int, granter: Key | None = None) -> Key:
        """Pause a key and return it; requests with it are refused as ``disabled``. No effect on a paused key.

        now: UTC epoch seconds. granter: see ``create``.
        Raises KeyRefused: ``api_key_expired``, ``api_key_grant_exceeded``, ``resource_missing``; StorageError.
        """
        key = self._require(tx, scope, key_id)
        rules.check_not_ended(key, now)
        rules.check_grant(granter, key)
        if key.disabled_at is not None:
            return key
        return self._save(tx, "disabled", key, replace(key, disabled_at=now), actor, now)

    def enable(self, tx: Tx, scope: Scope, key_id: str, *, actor: Actor, now: int, granter: Key | None = None) -> Key:
        """Resume a paused key and return it. No effect on one that is not paused.

        now: UTC epoch seconds. granter: see ``create``.
        Raises KeyRefused: ``api_key_expired``, ``api_key_grant_exceeded``, ``resource_missing``; StorageError.
        """
        key = self._require(tx, scope, key_id)
        rules.check_not_ended(key, now)
        rules.check_grant(granter, key)
        if key.disabled_at is None:
            return key
        return self._save(tx, "enabled", key, replace(key, disabled_at=None), actor, now)
