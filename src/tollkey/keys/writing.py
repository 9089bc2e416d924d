"""Stores new and changed keys: with their digest, sealed copy, entry in the audit log, and announcement."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from tollkey.db import Ids, Scope, Tx
from tollkey.keys import audit, inserting, rules, store
from tollkey.keys.actors import Actor
from tollkey.keys.errors import KeyNotFound, KeyRefused, SealBroken
from tollkey.keys.key import SERVICE_ACCOUNT, Key
from tollkey.keys.keyring import Keyring, RandomBytes
from tollkey.keys.limits import check_allowlist
from tollkey.keys.lookup import Lookup
from tollkey.keys.permissions import PermissionCatalogue
from tollkey.keys.sealing import seal, seal_context, unseal
from tollkey.keys.token import BRAND, Brand, Kind, generate, mask_known, redact

CHANNEL = "keys"  # announcements on it are "<key id> <version>"


class KeyWriter(Lookup):
    """Builds and stores keys for ``Authority``, whose arguments it takes."""

    def __init__(
        self,
        keyring: Keyring,
        catalogue: PermissionCatalogue,
        ids: Ids | None = None,
        brand: Brand = BRAND,
        random_bytes: RandomBytes = os.urandom,
        *,
        for_services: bool = False,
        check_metadata: Callable[[Mapping[str, str]], None] = lambda metadata: None,
    ) -> None:
        super().__init__(keyring, catalogue, brand)
        self._check_metadata = check_metadata
        self._for_services = for_services
        self.ids = ids or Ids()
        self._random_bytes = random_bytes

    def _valid_metadata(self, metadata: Mapping[str, str]) -> Mapping[str, str]:
        """Return valid metadata. Raises KeyRefused, ``metadata_invalid``, also for what the host does not take."""
        checked = rules.check_metadata(metadata, self.brand)
        self._check_metadata(checked)
        return checked

    def _require(self, tx: Tx, scope: Scope, key_id: str) -> Key:
        key = self.get(tx, scope, key_id)
        if key is None:
            raise KeyNotFound(key_id)
        return key

    def _unseal(self, sealed: bytes, key: Key) -> str:
        try:
            return unseal(sealed, seal_context(key.account, key.livemode, key.id), self.keyring)
        except SealBroken as broken:
            message = (
                f"The stored copy of the key {key.redacted} cannot be opened: {broken}. Roll the key to get a new one."
            )
            raise KeyRefused("api_key_unreadable", message, "id") from None

    def _draft(
        self, scope: Scope, kind: Kind, name: str, now: int, actor: Actor, *, note: str = "", hides: bool,
        rolled: bool = False,
    ) -> Key:  # fmt: skip
        """Return a new key that is not stored and has no text yet."""
        if scope.account == SERVICE_ACCOUNT and not self._for_services and not rolled:
            message = f"The account {SERVICE_ACCOUNT} is reserved for the keys of a key server's own callers."
            raise KeyRefused("account_reserved", message, "account")
        if not rolled:
            rules.check_account(scope.account)
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
        """Return the successor of a key, with the same permissions and limits; it is not stored and has no text yet."""
        name = key.name if key.kind == "restricted" else ""
        draft = self._draft(key.scope, key.kind, name, now, actor, hides=True, rolled=True)
        return replace(
            draft,
            note=key.note,
            metadata=key.metadata,
            max_uses=key.max_uses,
            uses_left=key.max_uses,
            rotate_every=key.rotate_every,
            rotate_at=None if key.rotate_every is None else now + key.rotate_every,
            permissions=key.permissions,
            effective=key.effective,
            connect_permissions=key.connect_permissions,
            effective_connect=key.effective_connect,
            ip_allowlist=key.ip_allowlist,
            expires_at=key.own_expires_at,
            own_expires_at=key.own_expires_at,
            rolled_from=key.id,
        )

    def _with_limits(
        self,
        key: Key,
        permissions: Iterable[str] | None,
        connect: Iterable[str] | None,
        allowlist: Iterable[str] | None,
    ) -> Key:
        """Return the key with these permissions and this allow-list; None keeps the present ones. Raises KeyRefused."""
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
        """Generate the text of a new key, or use ``text``, and store the key. shown: the caller shows the text now."""
        if text is None:
            return self._store_many(tx, [draft], actor, now, shown=shown)[0]
        key = self._with_text(draft, text, now, shown=shown, imported=True)
        self._insert(tx, "imported", [(key, text)], actor, now)
        return key, text

    def _store_many(
        self, tx: Tx, drafts: Iterable[Key], actor: Actor, now: int, *, shown: bool
    ) -> list[tuple[Key, str]]:
        """Generate the texts of at least one new key, and store the keys. shown: the caller shows the texts now."""
        made: list[tuple[Key, str]] = []
        for draft in drafts:
            mark = self.keyring.account_mark(draft.account)
            text = generate(draft.kind, draft.livemode, mark, self.ids, self.brand)
            made.append((self._with_text(draft, text, now, shown=shown), text))
        self._insert(tx, "created", made, actor, now)
        return made

    def _with_text(self, draft: Key, text: str, now: int, *, shown: bool, imported: bool = False) -> Key:
        key = replace(draft, redacted=redact(text), masked=mask_known(text))
        if key.kind == "publishable":
            return replace(key, token=text)
        if imported or (shown and key.hides_after_reveal):
            return replace(key, revealable=False, hidden_at=now, revealed_at=now if shown else None)
        return key

    def _insert(self, tx: Tx, action: str, made: Sequence[tuple[Key, str]], actor: Actor, now: int) -> None:
        """Store keys with these texts. action: for the audit log."""
        rows, current = [], self.keyring.digest_current
        for key, text in made:
            context = seal_context(key.account, key.livemode, key.id)
            sealed = key.revealable and key.token is None
            copy = seal(text, context, self.keyring, self._random_bytes) if sealed else None
            rows.append(inserting.NewRow(key, self.keyring.digest(text), current, copy))
        inserting.insert(tx, rows)
        keys = [key for key, _ in made]
        audit.record_new(tx, self.keyring, action, actor, now, keys)
        for key in keys:
            tx.notify(CHANNEL, f"{key.id} {key.version}")

    def _without_text(self, key: Key, now: int) -> Key:
        """Return the key without its sealed copy, for a key that ends."""
        if key.token is not None or not key.revealable:
            return key
        return replace(key, revealable=False, hidden_at=now)

    def _save(self, tx: Tx, action: str, was: Key, changed: Key, actor: Actor, now: int) -> Key:
        changed = replace(changed, version=was.version + 1)
        if not store.change(tx, changed, was.version, drop_sealed=was.revealable and not changed.revealable):
            raise KeyRefused(
                "api_key_changed", "This key was changed at the same time by someone else. Reload it and retry.", "id"
            )
        audit.record(tx, self.keyring, action, actor, now, was, changed)
        tx.notify(CHANNEL, f"{changed.id} {changed.version}")
        return changed
