"""The operations on keys: create, import, reveal, hide, update; ``lifetime.py`` has those that end or pause a key.

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
- a disabled key is paused: it can be updated, hidden, expired and revoked, its expiry can be cancelled, and it still
  expires at its time; it cannot be revealed or rolled (``api_key_disabled``), since either would hand out a working
  text while the key is meant to be stopped
- disabling a disabled key and enabling an enabled one: no effect and no entry in the audit log; both need what revoking
  needs, and also default and publishable keys can be disabled
- metadata is merged as in Stripe's API: other entries stay, an empty value removes its entry, ``{}`` removes all
- a key with ``max_uses`` ends with its last one, like an expired key; a successor has all of them again. Each of its
  requests updates one row before it is accepted, so that the number is exact on all nodes
- a rotation is a roll: a paused or ended key is not rotated, and a successor is rotated after the same time
- a successor inherits note, metadata, permissions and allow-list, and a restricted key's also its name; publishable and
  secret successors get the default name of their kind
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tollkey.db import Scope, Tx
from tollkey.keys import rules, store
from tollkey.keys.actors import Actor
from tollkey.keys.adopting import KeyImports
from tollkey.keys.errors import KeyRefused
from tollkey.keys.key import NO_METADATA, Key
from tollkey.keys.lifetime import KeyLifetimes
from tollkey.keys.token import KINDS, Kind


class Authority(KeyImports, KeyLifetimes):
    """Creates and changes keys; base classes end and pause (``KeyLifetimes``), store (``KeyWriter``) and find them
    (``Lookup``).

    keyring: its digest keys and sealing keys. catalogue: the declared permissions. ids: generates ids and key texts.
    brand: the prefixes of keys. random_bytes: source of randomness for sealing.
    check_metadata: raises KeyRefused for metadata that the host, who may give entries a meaning, does not take.
    for_services: it may create and import keys of the account ``tollkey``, which call a key server. Otherwise that is
        refused (``account_reserved``): a host may let its customers choose the names of their accounts.
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
        drafts: list[Key] = []
        for livemode in (False, True):
            scope = Scope(account, livemode)
            there = {key.kind for key in self.defaults(tx, scope)}
            for kind in KINDS[:2]:
                if kind not in there:
                    draft = self._draft(scope, kind, "", now, actor, hides=hides_after_reveal)
                    drafts.append(replace(draft, is_default=True))
        made = self._store_many(tx, drafts, actor, now, shown=False) if drafts else []
        return tuple(key for key, _ in made)

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
        metadata: Mapping[str, str] = NO_METADATA,
        max_uses: int | None = None,
        rotate_every: int | None = None,
        granter: Key | None = None,
        hides_after_reveal: bool = True,
    ) -> tuple[Key, str]:
        """Create a key and return it with its text. The text of a live secret or restricted key is not stored.

        actor: for the audit log. now, expires_at: UTC epoch seconds. name: empty for the default of the kind.
        permissions, connect_permissions: grants of a restricted key, for example ``customer_read``.
        ip_allowlist: addresses and networks; empty allows all. metadata: see ``Key``.
        max_uses: how many requests the key is for; None for any number. rotate_every: seconds between rotations.
        granter: the key that authenticated the request; the new key cannot have more permissions, addresses, lifetime
            or uses, and inherits its allow-list and expiry if they are not given. None if a person acts.
        hides_after_reveal: see ``create_defaults``.
        Raises KeyRefused, with ``code`` and ``param``; StorageError.
        """
        draft = self.draft(
            scope, kind, actor=actor, now=now, name=name, note=note, permissions=permissions,
            connect_permissions=connect_permissions, ip_allowlist=ip_allowlist, expires_at=expires_at,
            metadata=metadata, max_uses=max_uses, rotate_every=rotate_every, hides_after_reveal=hides_after_reveal,
        )  # fmt: skip
        if granter is not None:
            if not draft.ip_allowlist and kind != "publishable":
                draft = replace(draft, ip_allowlist=granter.ip_allowlist)
            if draft.expires_at is None:
                draft = replace(draft, expires_at=granter.expires_at, own_expires_at=granter.expires_at)
        rules.check_grant(granter, draft)
        return self._store(tx, draft, None, actor, now, shown=True)

    def create_many(self, tx: Tx, drafts: Iterable[Key], *, actor: Actor, now: int) -> list[tuple[Key, str]]:
        """Create keys and return them with their texts, in the same order.

        drafts: at least one, each made by ``draft``. actor: for the audit log. now: UTC epoch seconds.
        Raises StorageError.
        """
        return self._store_many(tx, drafts, actor, now, shown=True)

    def draft(
        self,
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
        metadata: Mapping[str, str] = NO_METADATA,
        max_uses: int | None = None,
        rotate_every: int | None = None,
        hides_after_reveal: bool = True,
    ) -> Key:
        """Check what a new key is to be, and return it. It is not stored, and has no text yet.

        Arguments: see ``create``. Raises KeyRefused, with ``code`` and ``param``.
        """
        if kind not in KINDS:
            raise KeyRefused("type_invalid", "The type of a key is publishable, secret or restricted.", "type")
        draft = self._draft(scope, kind, name, now, actor, note=note, hides=hides_after_reveal)
        uses, every = rules.check_max_uses(max_uses, kind), rules.check_rotation(rotate_every)
        draft = replace(
            draft,
            metadata=self._valid_metadata(metadata),
            max_uses=uses,
            uses_left=uses,
            rotate_every=every,
            rotate_at=None if every is None else now + every,
        )
        draft = self._with_limits(draft, permissions, connect_permissions, ip_allowlist)
        expires_at = rules.check_expiry(expires_at, now)
        return replace(draft, expires_at=expires_at, own_expires_at=expires_at)

    # -- showing and hiding

    def reveal(
        self, tx: Tx, scope: Scope, key_id: str, *, actor: Actor, now: int, granter: Key | None = None
    ) -> tuple[Key, str]:
        """Return a key and its text. This destroys the sealed copy of a live key with ``hides_after_reveal``.

        now: UTC epoch seconds. granter: see ``create``.
        Raises KeyRefused: ``api_key_already_revealed`` if there is no sealed copy, ``api_key_expired``,
        ``api_key_disabled``, ``api_key_unreadable``, ``api_key_grant_exceeded``, ``resource_missing``; StorageError.
        """
        key = self._require(tx, scope, key_id)
        rules.check_not_ended(key, now)
        rules.check_not_disabled(key)
        rules.check_grant(granter, key)
        text = self.text_of(tx, key)
        if key.token is not None:
            return key, key.token
        changed = replace(key, revealed_at=key.revealed_at or now)
        if key.hides_after_reveal:
            changed = replace(changed, hidden_at=now, revealable=False)
        return self._save(tx, "revealed", key, changed, actor, now), text

    def text_of(self, tx: Tx, key: Key) -> str:
        """Return the text of a key without changing or logging anything, for a program that delivers it.

        Raises KeyRefused: ``api_key_already_revealed`` if there is no sealed copy, ``api_key_unreadable``.
        """
        if key.token is not None:
            return key.token
        sealed = store.sealed_text(tx, key.scope, key.id)
        if sealed is None:
            message = (
                f"The key {key.redacted} can no longer be shown: its text is shown once and not stored. Roll it to get "
                f"a new one."
            )
            raise KeyRefused("api_key_already_revealed", message, "id")
        return self._unseal(sealed, key)

    def default_test_texts(self, tx: Tx, account: str, now: int) -> dict[Kind, str]:
        """Return the texts of the account's default test keys by kind, for examples in the account's documentation.

        Nothing is logged or changed, since test keys can always be revealed. now: UTC epoch seconds.
        Raises KeyRefused: ``api_key_unreadable``.
        """
        found: dict[Kind, str] = {}
        for key in (key for key in self.defaults(tx, Scope(account, False)) if key.status(now) == "active"):
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
        metadata: Mapping[str, str | None] | None = None,
        rotate_every: int | None = None,
        granter: Key | None = None,
    ) -> Key:
        """Change name, note, permissions, allow-list or metadata, and return the key.

        None leaves a field unchanged; an empty list clears it. metadata: entries to add or replace; an empty or None
        value removes an entry, ``{}`` all of them.
        rotate_every: seconds between rotations, counted from now; 0 for none.
        The other arguments are those of ``create``.
        Raises KeyRefused, with ``code`` and ``param``; StorageError.
        """
        key = self._require(tx, scope, key_id)
        rules.check_not_ended(key, now)
        rules.check_grant(granter, key)
        changed = replace(
            key,
            name=key.name if name is None else rules.check_name(name, key.kind, self.brand),
            note=key.note if note is None else rules.check_note(note, self.brand),
            metadata=key.metadata
            if metadata is None
            else self._valid_metadata(rules.merge_metadata(key.metadata, metadata)),
        )
        if rotate_every is not None:
            every = rules.check_rotation(rotate_every)
            changed = replace(changed, rotate_every=every, rotate_at=None if every is None else now + every)
        changed = self._with_limits(changed, permissions, connect_permissions, ip_allowlist)
        rules.check_grant(granter, changed)
        return key if changed == key else self._save(tx, "updated", key, changed, actor, now)
