"""Reading keys, their usage and the audit log: the part of ``KeyService`` that changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tollkey.db import Database, Scope, StorageError
from tollkey.keys import audit, chain, store
from tollkey.keys.attempts import RefusedAttempt, refused_attempts
from tollkey.keys.authority import Authority
from tollkey.keys.config import Config
from tollkey.keys.key import Denied, Key, Reason
from tollkey.keys.lookup import KeyPage
from tollkey.keys.permissions import PermissionCatalogue
from tollkey.keys.succession import OldKeyUse, old_key_use
from tollkey.keys.token import Kind
from tollkey.keys.verifier import Verifier

_BATCH = 1000  # keys read at a time by ``each``


class KeyReading:
    """Reads keys for ``KeyService``, which sets ``config`` and ``verifier``.

    database, authority: its own. clock: returns UTC epoch seconds.
    """

    config: Config
    verifier: Verifier

    def __init__(self, database: Database, authority: Authority, clock: Callable[[], float]) -> None:
        self.database = database
        self.authority = authority
        self._clock = clock

    @property
    def declares_routes(self) -> bool:
        """Whether the configuration declares routes."""
        return bool(self.config.routes)

    @property
    def permission_names(self) -> PermissionCatalogue:
        """The names of the declared permissions."""
        return self.authority.catalogue

    def get(self, key_id: str, *, account: str = "main", livemode: bool = True) -> Key | None:
        """Return a key of this account and mode by its id, even if it has ended, or None. Raises StorageError."""
        return self.database.read(lambda tx: self.authority.get(tx, Scope(account, livemode), key_id))

    def find(self, id_or_text: str) -> Key | None:
        """Return the key of any account with this id or text, also an expired or revoked one, or None.

        For the host's own staff ("whose key is this?"). It does not verify the key and does not count as a use.
        Raises StorageError, also while a key that was imported as a slow hash cannot be looked for.
        """
        found = self.database.read(lambda tx: self.authority.find(tx, id_or_text))
        if found is not None or id_or_text.startswith("mk_"):
            return found
        answer = self.verifier.read(self.database, id_or_text, int(self._clock()))  # computes slow hashes
        if isinstance(answer, Denied) and answer.reason is Reason.unavailable:
            raise StorageError("whether this is a key cannot be known at the moment")
        return answer if isinstance(answer, Key) else answer.key

    def list(
        self,
        *,
        account: str = "main",
        livemode: bool = True,
        kind: Kind | None = None,
        active: bool = False,
        limit: int | None = None,
        after: str | None = None,
    ) -> KeyPage:
        """Return the keys of an account in one mode, newest first: all, or a page.

        kind: only keys of this kind. active: leave out expired and revoked keys.
        limit: maximum number of the page; None for all.
        after: id of the last key of the previous page; ``has_more`` of the result says whether there is another page.
        Raises ValueError for a limit below 1; KeyRefused, ``resource_missing``, for an unknown ``after``; StorageError.
        """
        active_at = int(self._clock()) if active else None
        return self.database.read(
            lambda tx: self.authority.page(
                tx, Scope(account, livemode), kind=kind, active_at=active_at, limit=limit, after=after
            )
        )

    def each(
        self, *, account: str = "main", livemode: bool = True, kind: Kind | None = None, active: bool = False
    ) -> Iterator[Key]:
        """Yield the keys that ``list`` returns, read in pages of 1,000. Raises StorageError."""
        page = self.list(account=account, livemode=livemode, kind=kind, active=active, limit=_BATCH)
        yield from page
        while page.has_more:
            page = self.list(
                account=account, livemode=livemode, kind=kind, active=active, limit=_BATCH, after=page[-1].id
            )
            yield from page

    def usage(self, key: Key) -> store.Usage | None:
        """Return when, from where and for what a key was last used, as of the last flush; None if never.

        Raises StorageError.
        """
        return self.database.read(lambda tx: self.authority.usages(tx, key.scope, [key.id])).get(key.id)

    def old_key_use(self, key: Key) -> OldKeyUse | None:
        """Return who still uses the key that this one has replaced, or this one if it was rolled; None for others.

        Raises StorageError.
        """
        return self.database.read(lambda tx: old_key_use(tx, self.authority, key))

    def usages(self, *, account: str = "main", livemode: bool = True) -> dict[str, store.Usage]:
        """Return the usage of the account's keys in this mode by key id, without unused keys. Raises StorageError."""
        return self.database.read(lambda tx: self.authority.usages(tx, Scope(account, livemode)))

    def audit(
        self,
        *,
        account: str = "main",
        livemode: bool = True,
        key_id: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> Sequence[audit.AuditEntry]:
        """Return entries of the audit log of an account in one mode, newest first.

        key_id: only of this key. limit: maximum number, 1 to 1000. before: only entries with a smaller ``seq``, for the
        next page. Raises StorageError.
        """
        return self.database.read(lambda tx: audit.entries(tx, Scope(account, livemode), key_id, limit, before))

    def refusals(self, limit: int = 100) -> Sequence[RefusedAttempt]:
        """Return refused attempts on all accounts by hour, address and reason, newest first, as of the last flush.

        limit: maximum number. Raises StorageError.
        """
        return self.database.read(lambda tx: refused_attempts(tx, limit))

    def verify_audit(self, expected: str | None = None) -> chain.ChainVerification:
        """Verify the audit log of all accounts; see ``chain.verify``.

        expected: a ``ChainVerification.head`` stored earlier. Raises StorageError.
        """
        return self.database.read(lambda tx: chain.verify(tx, self.authority.keyring, audit.LOG, expected))
