"""The verbs: create, reveal once, hide, note, restrict, roll, expire, revoke.

Every verb runs in the caller's transaction, writes one line of the audit log there, and
announces the key with its new version, so that every verifier on every node lets go of it.
Time (``now``, UTC epoch seconds) and who acts are arguments.

Answers to what the public pages leave open:

- rolling a key that is being rolled: refused, ``api_key_already_rolled``; its successor can be rolled
- rolling a publishable key: as any other; the text of the new one is public
- cancelling a pending expiry: both keys go on; the old one can be rolled again, the new one stays the default
- cancelling by the very key that is about to expire: refused, as it may be the key that leaked
- ending or hiding a key by one that has less, or lives shorter: refused, as it could take away what it could not give
- an ended key never comes back, whatever the verb: ``api_key_expired``
- revoking a publishable key: refused, ``publishable_key_not_revocable``; roll it
- revealing a live secret again: refused, ``api_key_already_revealed``
- a roll with expiry now returns the new text at once; a scheduled roll of a live key leaves it sealed for one reveal
- name, note, permissions and allow-list pass to the successor, but a publishable or secret key's successor has its
kind's name
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace

from tollkey.db.engine import Duplicate, Scope, Tx
from tollkey.db.ids import Ids
from tollkey.keys import audit, rules, store
from tollkey.keys.errors import KeyRefused
from tollkey.keys.key import Actor, Key
from tollkey.keys.keyring import Keyring, RandomBytes
from tollkey.keys.limits import check_allowlist
from tollkey.keys.lookup import Lookup
from tollkey.keys.permissions import Catalogue
from tollkey.keys.sealing import SealBroken, row_of, seal, unseal
from tollkey.keys.token import BRAND, KINDS, Brand, Kind, generate, mask_known, parse, redact

CHANNEL = "keys"  # what is announced on it: "<key id> <version>"


class Authority(Lookup):
    """Makes and changes keys; ``Lookup`` has how they are found.

    keyring: digests and seals them. catalogue: the permissions there are. ids: randomness.
    brand: the words a key begins with. random_bytes: for sealing.
    """

    def __init__(
        self,
        keyring: Keyring,
        catalogue: Catalogue,
        ids: Ids | None = None,
        brand: Brand = BRAND,
        random_bytes: RandomBytes = os.urandom,
    ) -> None:
        super().__init__(keyring, catalogue, brand)
        self.ids = ids or Ids()
        self._random_bytes = random_bytes

    # -- making keys

    def create_defaults(
        self, tx: Tx, account: str, *, actor: Actor, now: int, hides_after_reveal: bool = True
    ) -> tuple[Key, ...]:
        """The four keys each account has: publishable and secret, test and live. Makes those that are missing; returns
        what it made.

        hides_after_reveal: False for an account under the older rule, whose live secret stays revealable until hidden
            by hand.
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
        """A further key, and its text. For a live secret or restricted key this is the only time that the text is
        there.

        granter: the key that authenticated the request; the new key gets no more than it has. What is not said
            (allow-list, expiry) is taken over from it. None when a person acts.
        Raises KeyRefused: what is wrong is in ``code`` and ``param``.
        """
        if kind not in KINDS:
            raise KeyRefused("type_invalid", "The type of a key is publishable, secret or restricted.", "type")
        draft = self._draft(scope, kind, name, now, actor, note=note, hides=hides_after_reveal)
        draft = self._restricted(draft, permissions, connect_permissions, ip_allowlist)
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
        """Take in a key that was made elsewhere. Its kind and mode are those its text says. Never revealable, unless
        publishable.

        The verifier must be set to ``allow_imported``. Raises KeyRefused: ``api_key_malformed``, ``api_key_exists``.
        """
        parsed = parse(text, self.brand, imported=True)
        if parsed is None or parsed.livemode != scope.livemode:
            raise KeyRefused("api_key_malformed", "Not the text of a key in this mode.", "key")
        draft = self._restricted(
            self._draft(scope, parsed.kind, name, now, actor, note=note, hides=True), permissions, (), ()
        )
        draft = replace(draft, imported=not parsed.checksummed, hidden_at=None if parsed.kind == "publishable" else now)
        try:
            with tx.savepoint():
                return self._store(tx, draft, text, actor, now, shown=False)[0]
        except Duplicate:
            raise KeyRefused("api_key_exists", "This key is there already.", "key") from None

    # -- showing and hiding

    def reveal(
        self, tx: Tx, scope: Scope, key_id: str, *, actor: Actor, now: int, granter: Key | None = None
    ) -> tuple[Key, str]:
        """The text of a key while it may be shown. A live secret's sealed copy is destroyed by this.

        Raises KeyRefused: ``api_key_already_revealed`` when no copy is there any more, ``api_key_expired``.
        """
        key = self._mine(tx, scope, key_id)
        rules.check_not_ended(key, now)
        rules.check_grant(granter, key)
        if key.token is not None:
            return key, key.token
        sealed = store.sealed_text(tx, scope, key_id)
        if sealed is None:
            message = (
                f"The key {key.redacted} can no longer be shown: its text is shown once and not kept. Roll it to get "
                f"a new one."
            )
            raise KeyRefused("api_key_already_revealed", message, "id")
        text = self._opened(sealed, key)
        became = replace(key, revealed_at=key.revealed_at or now)
        if key.hides_after_reveal:
            became = replace(became, hidden_at=now, revealable=False)
        return self._change(tx, "revealed", key, became, actor, now), text

    def default_test_texts(self, tx: Tx, account: str, now: int) -> dict[Kind, str]:
        """The texts of the account's default test keys, by kind, for examples that only its own people see.

        Nothing is written: test keys stay revealable, and reading the docs is not revealing a key.
        """
        found: dict[Kind, str] = {}
        for key in (key for key in self.defaults(tx, Scope(account, False)) if not key.ended(now)):
            sealed = store.sealed_text(tx, key.scope, key.id) if key.token is None else None
            text = key.token if sealed is None else self._opened(sealed, key)
            if text is not None:
                found.setdefault(key.kind, text)
        return found

    def hide(self, tx: Tx, scope: Scope, key_id: str, *, actor: Actor, now: int, granter: Key | None = None) -> Key:
        """Destroy the sealed copy of a live secret or restricted key by hand; hiding it again changes nothing.

        Raises KeyRefused: ``api_key_not_hideable`` for publishable and test keys, which stay revealable.
        """
        key = self._mine(tx, scope, key_id)
        if not key.livemode or key.token is not None:
            raise KeyRefused("api_key_not_hideable", "Only live secret and restricted keys can be hidden.", "id")
        rules.check_grant(granter, key)
        if not key.revealable:
            return key
        return self._change(tx, "hidden", key, replace(key, hidden_at=now, revealable=False), actor, now)

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
        """Rename, note, restrict. None leaves a field as it is; an empty list empties it. Raises KeyRefused."""
        key = self._mine(tx, scope, key_id)
        rules.check_not_ended(key, now)
        rules.check_grant(granter, key)
        became = replace(
            key,
            name=key.name if name is None else rules.check_name(name, key.kind, self.brand),
            note=key.note if note is None else rules.check_note(note, self.brand),
        )
        became = self._restricted(became, permissions, connect_permissions, ip_allowlist)
        rules.check_grant(granter, became)
        return key if became == key else self._change(tx, "updated", key, became, actor, now)

    # -- ending

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
        """Make the successor of a key, usable at once, and let the old one expire after 0 to 604800 seconds.

        Returns old key, new key, and the new text. The text is None for a live secret or restricted key
        rolled with a delay: it waits, sealed, for its one reveal. An expiry of its own that comes earlier stays.
        show: the caller shows the text now, whatever the delay; of a live key it is not kept then.
        Raises KeyRefused: ``api_key_already_rolled``, ``api_key_expired``, ``expires_in_invalid``.
        """
        rules.check_roll_seconds(expires_in_seconds)
        key = self._mine(tx, scope, key_id)
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
        old = self._change(tx, "rolled", key, old, actor, now)
        draft = replace(draft, is_default=key.is_default)
        shown = show or expires_in_seconds == 0 or not draft.hides_after_reveal
        new, text = self._store(tx, draft, None, actor, now, shown=shown)
        return old, new, text if shown else None

    def expire_now(
        self, tx: Tx, scope: Scope, key_id: str, *, actor: Actor, now: int, granter: Key | None = None
    ) -> Key:
        """End a key at this second. Raises KeyRefused, ``publishable_key_not_revocable`` for the default publishable
        key.
        """
        key = self._mine(tx, scope, key_id)
        rules.check_not_ended(key, now)
        if key.kind == "publishable" and key.is_default:
            raise KeyRefused(
                "publishable_key_not_revocable", "An account always has a publishable key. Roll it instead.", "id"
            )
        rules.check_grant(granter, key)
        became = replace(self._without_text(key, now), expires_at=now, is_default=False)
        return self._change(tx, "expired", key, became, actor, now)

    def cancel_expiry(
        self, tx: Tx, scope: Scope, key_id: str, *, actor: Actor, now: int, granter: Key | None = None
    ) -> Key:
        """Take back a pending expiry. A rolled key goes back to the expiry it was made with, if any; another one loses
        its own.

        Raises KeyRefused: ``no_pending_expiry``, ``api_key_expired``, ``api_key_grant_exceeded``.
        """
        key = self._mine(tx, scope, key_id)
        rules.check_not_ended(key, now)
        if key.expires_at is None:
            raise KeyRefused("no_pending_expiry", f"The key {key.redacted} is not about to expire.", "id")
        rolled = key.replaced_by is not None
        own = key.own_expires_at if rolled else None
        if own is not None and own <= now:
            raise KeyRefused("no_pending_expiry", f"The key {key.redacted} expires by itself at this time.", "id")
        became = replace(key, expires_at=own, own_expires_at=own, replaced_by=None)
        rules.check_grant(granter, became)
        return self._change(tx, "expiry_cancelled", key, became, actor, now)

    def revoke(self, tx: Tx, scope: Scope, key_id: str, *, actor: Actor, now: int, granter: Key | None = None) -> Key:
        """Delete a secret or restricted key for good: from now on it answers as expired. Raises KeyRefused."""
        key = self._mine(tx, scope, key_id)
        if key.kind == "publishable":
            raise KeyRefused(
                "publishable_key_not_revocable", "A publishable key cannot be revoked. Roll it instead.", "id"
            )
        rules.check_not_ended(key, now)
        rules.check_grant(granter, key)
        became = replace(self._without_text(key, now), revoked_at=now, is_default=False)
        return self._change(tx, "revoked", key, became, actor, now)

    # -- inside

    def _mine(self, tx: Tx, scope: Scope, key_id: str) -> Key:
        key = self.get(tx, scope, key_id)
        if key is None:
            raise KeyRefused("resource_missing", f"No such api_key: '{key_id[:100]}'", "id")
        return key

    def _opened(self, sealed: bytes, key: Key) -> str:
        try:
            return unseal(sealed, row_of(key.account, key.livemode, key.id), self.keyring)
        except SealBroken as broken:
            message = (
                f"The stored copy of the key {key.redacted} cannot be opened: {broken}. Roll the key to get a new one."
            )
            raise KeyRefused("api_key_unreadable", message, "id") from None

    def _draft(
        self, scope: Scope, kind: Kind, name: str, now: int, actor: Actor, *, note: str = "", hides: bool
    ) -> Key:
        """A new key, not stored yet and still without its text."""
        return Key(
            id=self.ids.new("mk"), account=scope.account, livemode=scope.livemode, kind=kind,
            name=rules.check_name(name, kind, self.brand), note=rules.check_note(note, self.brand),
            permissions=frozenset(), effective=frozenset(), connect_permissions=frozenset(), ip_allowlist=(),
            created=now, created_by=str(actor), expires_at=None, own_expires_at=None, revoked_at=None,
            redacted="", masked="", token=None, revealable=True,
            hides_after_reveal=hides and scope.livemode and kind != "publishable",
            revealed_at=None, hidden_at=None, is_default=False, imported=False, version=1, rolled_from=None,
            replaced_by=None,
        )  # fmt: skip

    def _successor(self, key: Key, actor: Actor, now: int) -> Key:
        """What a rolled key's successor is: the same limits, a life of its own; not stored yet."""
        draft = self._draft(key.scope, key.kind, key.name if key.kind == "restricted" else "", now, actor, hides=True)
        return replace(
            draft,
            note=key.note,
            permissions=key.permissions,
            effective=key.effective,
            connect_permissions=key.connect_permissions,
            effective_connect=key.effective_connect,
            ip_allowlist=key.ip_allowlist,
            expires_at=key.own_expires_at,
            own_expires_at=key.own_expires_at,
            rolled_from=key.id,
        )

    def _restricted(
        self,
        key: Key,
        permissions: Iterable[str] | None,
        connect: Iterable[str] | None,
        allowlist: Iterable[str] | None,
    ) -> Key:
        """The key with these limits in place of its own; None keeps them."""
        granted = key.permissions if permissions is None else self.catalogue.check_known(permissions)
        connected = key.connect_permissions if connect is None else self.catalogue.check_known(connect)
        allowed = key.ip_allowlist if allowlist is None else check_allowlist(allowlist)
        rules.check_limits_fit(key.kind, (*granted, *connected), allowed)
        return replace(
            key,
            permissions=granted,
            effective=self.catalogue.expand(granted),
            connect_permissions=connected,
            effective_connect=self.catalogue.expand(connected),
            ip_allowlist=allowed,
        )

    def _store(self, tx: Tx, draft: Key, text: str | None, actor: Actor, now: int, *, shown: bool) -> tuple[Key, str]:
        """Give the draft its text and keep it. shown: the caller is about to show the text."""
        imported = text is not None
        text = text or generate(draft.kind, draft.livemode, self.keyring.mark(draft.account), self.ids, self.brand)
        key = replace(draft, redacted=redact(text), masked=mask_known(text))
        if key.kind == "publishable":
            key = replace(key, token=text)
        elif imported or (shown and key.hides_after_reveal):
            key = replace(key, revealable=False, hidden_at=now, revealed_at=now if shown else None)
        row = row_of(key.account, key.livemode, key.id)
        sealed = seal(text, row, self.keyring, self._random_bytes) if key.revealable and key.token is None else None
        store.insert(tx, key, self.keyring.digest(text), self.keyring.digest_current, sealed)
        audit.record(tx, self.keyring, "imported" if imported else "created", actor, now, None, key)
        tx.notify(CHANNEL, f"{key.id} {key.version}")
        return key, text

    def _without_text(self, key: Key, now: int) -> Key:
        """The same with its sealed copy destroyed: nobody needs the text of an ended key."""
        if key.token is not None or not key.revealable:
            return key
        return replace(key, revealable=False, hidden_at=now)

    def _change(self, tx: Tx, action: str, was: Key, became: Key, actor: Actor, now: int) -> Key:
        became = replace(became, version=was.version + 1)
        if not store.change(tx, became, was.version, drop_sealed=was.revealable and not became.revealable):
            raise KeyRefused(
                "api_key_changed", "Somebody else changed this key at the same moment. Look again and retry.", "id"
            )
        audit.record(tx, self.keyring, action, actor, now, was, became)
        tx.notify(CHANNEL, f"{became.id} {became.version}")
        return became
