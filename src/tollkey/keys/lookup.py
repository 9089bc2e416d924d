"""Finds keys by id, by text and in pages. It only reads; ``authority.py`` changes keys."""

from __future__ import annotations

from collections.abc import Sequence

from tollkey.db import Scope, Tx
from tollkey.keys import store
from tollkey.keys.errors import KeyNotFound
from tollkey.keys.foreign import plausible, text_digests
from tollkey.keys.key import Key
from tollkey.keys.keyring import Keyring
from tollkey.keys.permissions import PermissionCatalogue
from tollkey.keys.token import BRAND, Brand, Kind, parse


class Lookup:
    """Finds keys.

    keyring: computes the digest of a key's text. catalogue: expands permissions. brand: the prefixes of keys.
    """

    def __init__(self, keyring: Keyring, catalogue: PermissionCatalogue, brand: Brand = BRAND) -> None:
        self.keyring = keyring
        self.catalogue = catalogue
        self.brand = brand

    def get(self, tx: Tx, scope: Scope, key_id: str) -> Key | None:
        """Return a key of this account and mode by its id, also an expired or revoked one, or None."""
        return store.by_id(tx, scope, key_id, self.catalogue) if _may_be_id(key_id) else None

    def list(
        self,
        tx: Tx,
        scope: Scope,
        *,
        active_at: int | None = None,
        kind: Kind | None = None,
        limit: int | None = None,
        after: str | None = None,
        before: str | None = None,
    ) -> tuple[Key, ...]:
        """Return keys of this account and mode, newest first.

        active_at: only keys that are valid at this time, UTC epoch seconds. kind: only keys of this kind.
        limit: maximum number; None for all. after, before: only keys behind or in front of the key with this id.
        """
        return store.page(tx, scope, self.catalogue, active_at, kind, limit, after, before)

    def page(
        self, tx: Tx, scope: Scope, *, kind: Kind | None, active_at: int | None, limit: int | None, after: str | None
    ) -> KeyPage:
        """Return the keys that ``list`` returns, as a page that knows whether there are more.

        Raises ValueError for a limit below 1, and KeyNotFound for an unknown ``after``.
        """
        if limit is not None and limit < 1:
            raise ValueError("the limit of a page must be at least 1")
        if after is not None and self.get(tx, scope, after) is None:
            raise KeyNotFound(after, "after")
        most = None if limit is None else limit + 1
        return page_of(self.list(tx, scope, active_at=active_at, kind=kind, limit=most, after=after), limit)

    def defaults(self, tx: Tx, scope: Scope) -> tuple[Key, ...]:
        """Return the default keys of this account and mode, at most one of each kind."""
        return store.defaults(tx, scope, self.catalogue)

    def ending_in(self, tx: Tx, scope: Scope, characters: str) -> tuple[Key, ...]:
        """Return the newest two keys of this account and mode whose text ends in these four characters."""
        return store.ending_in(tx, scope, characters, self.catalogue)

    def find(self, tx: Tx, id_or_text: str) -> Key | None:
        """Return the key of any account with this id or text, also an expired or revoked one, or None.

        For the host's own staff; for an account use ``get``. It does not count as a use of the key. A key that was
        imported as a slow hash is found by its text from its first use on.
        """
        if parse(id_or_text, self.brand, imported=True) is None:
            found = store.by_id_anywhere(tx, id_or_text, self.catalogue) if _may_be_id(id_or_text) else None
            if found is not None or not plausible(id_or_text):
                return found
        digests = [digest for _, digest in self.keyring.digests(id_or_text)]
        digests += text_digests(tx, self.keyring, id_or_text)
        key, stored, _ = store.by_digest(tx, digests, self.catalogue)
        return None if stored is None else key

    def usages(self, tx: Tx, scope: Scope, key_ids: Sequence[str] | None = None) -> dict[str, store.Usage]:
        """Return the usage of keys by key id. key_ids: only of these keys. Unused keys are left out."""
        return store.usages(tx, scope, key_ids)


def _may_be_id(text: str) -> bool:
    """Return whether a text can be an id; others may contain characters that a database does not accept."""
    return text.isascii() and text.isprintable()


class KeyPage(tuple[Key, ...]):
    """A page of keys, newest first. has_more: there are further keys behind the last one."""

    has_more: bool = False


def page_of(found: Sequence[Key], limit: int | None) -> KeyPage:
    """Return the page of the first ``limit`` of the found keys, which are up to ``limit`` + 1; None: all of them."""
    page = KeyPage(found if limit is None else found[:limit])
    page.has_more = limit is not None and len(found) > limit
    return page
