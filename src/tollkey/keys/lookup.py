"""Finding keys: by id, by text, in pages. Reads only; what changes keys is ``authority.py``."""

from __future__ import annotations

from collections.abc import Sequence

from tollkey.db.engine import Scope, Tx
from tollkey.keys import store
from tollkey.keys.key import Key
from tollkey.keys.keyring import Keyring
from tollkey.keys.permissions import Catalogue
from tollkey.keys.token import BRAND, Brand, Kind, parse


class Lookup:
    """Finds keys.

    keyring: digests a text that is looked up. catalogue: expands what a key was granted. brand: the words a key begins
        with.
    """

    def __init__(self, keyring: Keyring, catalogue: Catalogue, brand: Brand = BRAND) -> None:
        self.keyring = keyring
        self.catalogue = catalogue
        self.brand = brand

    def get(self, tx: Tx, scope: Scope, key_id: str) -> Key | None:
        """A key of this account and mode, ended or not; None when there is none."""
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
        """Keys of this account and mode, newest first.

        active_at: leave out those that ended by then (UTC epoch seconds). limit: at most so many; None: all there are.
        after, before: the ids a page stands between.
        """
        return store.page(tx, scope, self.catalogue, active_at, kind, limit, after, before)

    def defaults(self, tx: Tx, scope: Scope) -> tuple[Key, ...]:
        """The default keys of this account and mode, one of each kind at most."""
        return store.defaults(tx, scope, self.catalogue)

    def ending_in(self, tx: Tx, scope: Scope, characters: str) -> tuple[Key, ...]:
        """Keys of this account and mode whose text ends in these four characters, newest first; two of them at most."""
        return store.ending_in(tx, scope, characters, self.catalogue)

    def find(self, tx: Tx, id_or_text: str) -> Key | None:
        """A key by its id or by its text, ended or not, whichever account has it; None when there is none.

        For the host itself: what an account may see of others is nothing, so it asks ``get``. Counts no use.
        """
        if parse(id_or_text, self.brand, imported=True) is None:
            return store.by_id_anywhere(tx, id_or_text, self.catalogue) if _may_be_id(id_or_text) else None
        key, stored, _ = store.by_digest(tx, [digest for _, digest in self.keyring.digests(id_or_text)], self.catalogue)
        return None if stored is None else key

    def usages(self, tx: Tx, scope: Scope, key_ids: Sequence[str] | None = None) -> dict[str, store.Usage]:
        """When, from where and for what each key was last used, by key id. key_ids: of these keys only."""
        return store.usages(tx, scope, key_ids)


def _may_be_id(text: str) -> bool:
    """Whether a text can be the id of a key. What is none may be something that a database does not take as text."""
    return text.isascii() and text.isprintable()


class KeyPage(tuple[Key, ...]):
    """Keys, newest first. has_more: whether there are more after the last one of them."""

    has_more: bool = False


def page_of(found: Sequence[Key], limit: int | None) -> KeyPage:
    """The first ``limit`` of the keys found (one more than that was asked for), or all of them."""
    page = KeyPage(found if limit is None else found[:limit])
    page.has_more = limit is not None and len(found) > limit
    return page
