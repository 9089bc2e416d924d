"""The operations on keys: create, import, reveal, hide, update, roll, expire, revoke.

Each runs in the caller's transaction, writes one entry of the audit log, and announces the key's id and new version, so
that the verifiers of all nodes drop the key from their caches. The time (``now``, UTC epoch seconds) and the actor are
arguments.

Decisions where Stripe's public documentation does not say what happens:

- rolling a key that was rolled: refused with ``api_key_already_rolled``; its successor can be rolled
- rolling a publishable key: allowed; the text of the new one is public
- cancelling a pending expiry: both keys stay valid; the old one can be rolled again, the new one stays the default
- cancelling an expiry with the expiring key itself: refused, because it may have leaked
- expiring, revoking or hiding a key with a key that has fewer permissions or expires earlier: refused, because that key
  could not create it either
- any operation on an expired or revoked key: refused with ``api_key_expired``
- revoking a publishable key: refused with ``publishable_key_not_revocable``; roll it instead
- revealing a live secret key again: refused with ``api_key_already_revealed``
- rolling with immediate expiry returns the new text; rolling a live key with a delay seals it for one reveal
- a successor inherits note, permissions and allow-list, and a restricted key's also its name; publishable and secret
  successors get the default name of their kind
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tollkey.db.engine import Duplicate, Scope, Tx
from tollkey.keys import rules, store
from tollkey.keys.errors import KeyRefused
from tollkey.keys.key import Actor, Key
from tollkey.keys.token import KINDS, Kind, parse
from tollkey.keys.writing import KeyWriter


class Authority(KeyWriter):
    """Creates and changes keys; the base classes store (``KeyWriter``) and find them (``Lookup``).

    keyring: its digest keys and sealing keys. catalogue: the declared permissions. ids: generates ids and key texts.
    brand: the prefixes of keys. random_bytes: source of randomness for sealing.
    """

    # -- creating keys

    def create_defaults(
        self, tx: Tx, account: str, *, actor: Actor, now: int, hides_after_reveal: bool = True
    ) -> tuple[Key, ...]:
        """Create the default keys of an account that are missing: publishable and secret, in test and live mode.

        now: UTC epoch seconds.
        hides_after_reveal: False for an account under Stripe's older rule, whose live secret key can be revealed until
            it is hidden by hand.
        Returns the created keys. Raises StorageError.
        """
        made: list[Key] = []
        for livemode in (False, True):
            scope = Scope(account, livemode)
            there = {key.kind for key in self.defaults(tx, scope)}
            for kind in KINDS[:2]:
                if kind not in there:
                    draft = self._draft(scope, kind, "", now, actor, hides=hides_after_reveal)
                    made.append(self._store(tx, replace(draft, is_default=True), None, actor, now, shown=False)[0])
        return tuple(made)

    def create(
        self,
        tx: Tx,
        scope: Scope,
        kind: Kind,
        *,
        actor: Actor,
        now: int,
        name: str = "",
        note: str = "",
        permissions: Iterable[str] = (),
        connect_permissions: Iterable[str] = (),
        ip_allowlist: Iterable[str] = (),
        expires_at: int | None = None,
        granter: Key | None = None,
        hides_after_reveal: bool = True,
    ) -> tuple[Key, str]:
        """Create a key and return it with its text. The text of a live secret or restricted key is not stored.

        actor: for the audit log. now, expires_at: UTC epoch seconds. name: empty for the default of the kind.
        permissions, connect_permissions: grants of a restricted key, for example ``customer_read``.
        ip_allowlist: addresses and networks; empty allows all.
        granter: the key that authenticated the request; the new key cannot have more permissions, addresses or
            lifetime, and inherits its allow-list and expiry if they are not given. None if a person acts.
        hides_after_reveal: see ``create_defaults``.
        Raises KeyRefused, with ``code`` and ``param``; StorageError.
        """
        if kind not in KINDS:
            raise KeyRefused("type_invalid", "The type of a key is publishable, secret or restricted.", "type")
        draft = self._draft(scope, kind, name, now, actor, note=note, hides=hides_after_reveal)
        draft = self._with_limits(draft, permissions, connect_permissions, ip_allowlist)
        expires_at = rules.check_expiry(expires_at, now)
        if granter is not None:
            draft = (
                draft
                if draft.ip_allowlist or kind == "publishable"
                else replace(draft, ip_allowlist=granter.ip_allowlist)
            )
            expires_at = granter.expires_at if expires_at is None else expires_at
        draft = replace(draft, expires_at=expires_at, own_expires_at=expires_at)
        rules.check_grant(granter, draft)
        return self._store(tx, draft, None, actor, now, shown=True)

    def import_key(
        self,
        tx: Tx,
        scope: Scope,
        text: str,
        *,
        actor: Actor,
        now: int,
        name: str = "",
        note: str = "",
        permissions: Iterable[str] = (),
    ) -> Key:
        """Add a key that was created elsewhere. Its text determines its kind and mode.

        It cannot be revealed unless it is publishable. Verifying it needs a verifier with ``allow_imported``.
        now: UTC epoch seconds. The other arguments are those of ``create``.
        Raises KeyRefused: ``api_key_malformed``, ``api_key_exists`` and the codes of ``create``; StorageError.
        """
        parsed = parse(text, self.brand, imported=True)
        if parsed is None or parsed.livemode != scope.livemode:
            raise KeyRefused("api_key_malformed", "This is not the text of an API key of this mode.", "key")
        draft = self._with_limits(
            self._draft(scope, parsed.kind, name, now, actor, note=note, hides=True), permissions, (), ()
        )
        draft = replace(draft, imported=not parsed.checksummed, hidden_at=None if parsed.kind == "publishable" else now)
        try:
            with tx.savepoint():
                return self._store(tx, draft, text, actor, now, shown=False)[0]
        except Duplicate:
            raise KeyRefused("api_key_exists", "This key already exists.", "key") from None

    # -- showing and hiding

    def reveal(
        self, tx: Tx, scope: Scope, key_id: str, *, actor: Actor, now: int, granter: Key | None = None
    ) -> tuple[Key, str]:
        """Return a key and its text. This destroys the sealed copy of a live key with ``hides_after_reveal``.

        now: UTC epoch seconds. granter: see ``create``.
        Raises KeyRefused: ``api_key_already_revealed`` if there is no sealed copy, ``api_key_expired``,
        ``api_key_unreadable``, ``api_key_grant_exceeded``, ``resource_missing``; StorageError.
        """
        key = self._require(tx, scope, key_id)
        rules.check_not_ended(key, now)
        rules.check_grant(granter, key)
        if key.token is not None:
            return key, key.token
        sealed = store.sealed_text(tx, scope, key_id)
        if sealed is None:
            message = (
                f"The key {key.redacted} can no longer be shown: its text is shown once and not stored. Roll it to get "
                f"a new one."
            )
            raise KeyRefused("api_key_already_revealed", message, "id")
        text = self._unseal(sealed, key)
        changed = replace(key, revealed_at=key.revealed_at or now)
        if key.hides_after_reveal:
            changed = replace(changed, hidden_at=now, revealable=False)
        return self._save(tx, "revealed", key, changed, actor, now), text

    def default_test_texts(self, tx: Tx, account: str, now: int) -> dict[Kind, str]:
        """Return the texts of the account's default test keys by kind, for examples in the account's documentation.

        Nothing is logged or changed, since test keys can always be revealed. now: UTC epoch seconds.
        Raises KeyRefused: ``api_key_unreadable``.
        """
        found: dict[Kind, str] = {}
        for key in (key for key in self.defaults(tx, Scope(account, False)) if not key.ended(now)):
            sealed = store.sealed_text(tx, key.scope, key.id) if key.token is None else None
            text = key.token if sealed is None else self._unseal(sealed, key)
            if text is not None:
                found.setdefault(key.kind, text)
        return found

    def hide(self, tx: Tx, scope: Scope, key_id: str, *, actor: Actor, now: int, granter: Key | None = None) -> Key:
        """Destroy the sealed copy of a live secret or restricted key and return the key. No effect if it has none.

        now: UTC epoch seconds. granter: see ``create``.
        Raises KeyRefused: ``api_key_not_hideable`` for publishable and test keys, which can always be revealed,
        ``api_key_grant_exceeded``, ``resource_missing``; StorageError.
        """
        key = self._require(tx, scope, key_id)
        if not key.livemode or key.token is not None:
            raise KeyRefused("api_key_not_hideable", "Only live secret and restricted keys can be hidden.", "id")
        rules.check_grant(granter, key)
        if not key.revealable:
            return key
        return self._save(tx, "hidden", key, replace(key, hidden_at=now, revealable=False), actor, now)

    # -- changing

    def update(
        self,
        tx: Tx,
        scope: Scope,
        key_id: str,
        *,
        actor: Actor,
        now: int,
        name: str | None = None,
        note: str | None = None,
        permissions: Iterable[str] | None = None,
        connect_permissions: Iterable[str] | None = None,
        ip_allowlist: Iterable[str] | None = None,
        granter: Key | None = None,
    ) -> Key:
        """Change name, note, permissions or allow-list, and return the key.

        None leaves a field unchanged; an empty list clears it. The other arguments are those of ``create``.
        Raises KeyRefused, with ``code`` and ``param``; StorageError.
        """
        key = self._require(tx, scope, key_id)
        rules.check_not_ended(key, now)
        rules.check_grant(granter, key)
        changed = replace(
            key,
            name=key.name if name is None else rules.check_name(name, key.kind, self.brand),
            note=key.note if note is None else rules.check_note(note, self.brand),
        )
        changed = self._with_limits(changed, permissions, connect_permissions, ip_allowlist)
        rules.check_grant(granter, changed)
        return key if changed == key else self._save(tx, "updated", key, changed, actor, now)

    # -- rolling, expiring, revoking

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
        Raises KeyRefused: ``api_key_already_rolled``, ``api_key_expired``, ``expires_in_invalid``,
        ``api_key_grant_exceeded``, ``resource_missing``; StorageError.
        """
        rules.check_roll_seconds(expires_in_seconds)
        key = self._require(tx, scope, key_id)
        rules.check_not_ended(key, now)
        if key.replaced_by is not None:
            message = (
                f"The key {key.redacted} was rolled already. Roll its successor {key.replaced_by}, or expire it now."
            )
            raise KeyRefused("api_key_already_rolled", message, "id")
        draft = self._successor(key, actor, now)
        rules.check_grant(granter, draft)
        ends = min(now + expires_in_seconds, key.expires_at or 2**53)
        old = replace(key, expires_at=ends, replaced_by=draft.id, is_default=False)
        if expires_in_seconds == 0:
            old = self._without_text(old, now)
        old = self._save(tx, "rolled", key, old, actor, now)
        draft = replace(draft, is_default=key.is_default)
        shown = show or expires_in_seconds == 0 or not draft.hides_after_reveal
        new, text = self._store(tx, draft, None, actor, now, shown=shown)
        return old, new, text if shown else None

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
        rules.check_grant(granter, changed)
        return self._save(tx, "expiry_cancelled", key, changed, actor, now)

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
