"""``KeyService``: API keys for an application of your own, in one object."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, TypeVar, overload

from tollkey.db import Database, Scope, SQLite, Tx, forking, migrate, open_database
from tollkey.db.ids import Ids
from tollkey.keys import audit, chain, fingerprints, store
from tollkey.keys.attempts import Attempts, RefusedAttempt, refused_attempts
from tollkey.keys.authority import Authority
from tollkey.keys.flushing import Flusher
from tollkey.keys.header import decode_key
from tollkey.keys.key import SYSTEM, Actor, Denied, Key, Reason
from tollkey.keys.keyring import Keyring
from tollkey.keys.lease_renewal import LeaseRenewer
from tollkey.keys.limits import Limiter
from tollkey.keys.lookup import KeyPage
from tollkey.keys.once import PerRequestLimiter, first_use
from tollkey.keys.permissions import Permission, PermissionCatalogue
from tollkey.keys.schema import MIGRATIONS
from tollkey.keys.token import BRAND, Brand, Kind, mask_unknown
from tollkey.keys.usage import UsageReports
from tollkey.keys.verifier import Verifier

T = TypeVar("T")
_BATCH = 1000  # keys read at a time by ``each``


class KeyService(UsageReports, forking.ForkAware):
    """Creates and verifies API keys. Use one object for each process and ``close`` it at the end.

    Every key belongs to an ``account``, the host's name for its customer, and to a mode. It is thread-safe and may be
    created before a fork: a child process opens its own connections and has its own cache. Create it with ``open``; the
    constructor is for hosts that create the parts themselves:

    database: open, shared with nothing that closes it. authority: creates and changes keys. verifier: verifies them.
    clock: returns UTC epoch seconds. flush_seconds: how often uses and refused attempts are written; 0: never.
    attempts: counts refused attempts. Raises StorageError.
    """

    def __init__(
        self,
        database: Database,
        authority: Authority,
        verifier: Verifier,
        *,
        clock: Callable[[], float] = time.time,
        flush_seconds: float = 1.0,
        attempts: Attempts | None = None,
    ) -> None:
        self.database = database
        self.authority = authority
        self.verifier = verifier
        self.attempts = attempts or Attempts()
        self._clock = clock
        migrate(database, MIGRATIONS)
        database.write(lambda tx: audit.guard(tx, authority.keyring, int(clock())), lock="migrate")
        verifier.attach(database)
        self._flusher = Flusher(database, verifier, self.attempts, flush_seconds)
        self._lease_renewer = LeaseRenewer(database, verifier.lease)
        if isinstance(database, SQLite):
            database.close_connections()  # so that none is open when a preloaded application forks
        forking.register(self)

    def after_fork_in_child(self) -> None:
        """Start without a flusher thread; the first use starts one."""
        self._flusher.reset()

    @classmethod
    def open(
        cls,
        database: str,
        permissions: Iterable[Permission] = (),
        *,
        keyring: str | Keyring | None = None,
        implied: Mapping[str, tuple[str, ...]] | None = None,
        brand: Brand = BRAND,
        allow_imported: bool = False,
        limiter: Limiter | None = None,
        flush_seconds: float = 1.0,
        attempts: Attempts | None = None,
        clock: Callable[[], float] = time.time,
    ) -> KeyService:
        """Open the database and the keyring, and create what is missing.

        database: the path of an SQLite file, or ``postgresql://…``.
        permissions: the permissions that restricted keys of this application can have.
        keyring: the path of the keyring file, or a ``Keyring``. By default the file is next to the SQLite file, with
            the suffix ``.keyring``. It is created for a new database. Back it up apart from the database: without it no
            key verifies.
        implied: name of a permission to the grants it implies. brand: the prefixes of keys.
        allow_imported: also verify keys without our checksum, see ``Authority.import_key``.
        limiter: rate limiter, called once for each request with an accepted key.
        flush_seconds: how often uses and refused attempts are written; 0: only by ``flush`` and ``close``.
        attempts: counts refused attempts, by hour by default; ``Attempts(0)`` disables it.
        clock: returns UTC epoch seconds.
        Raises ValueError for a URL that is not valid, or PostgreSQL without ``keyring``; KeyringError, StorageError.
        """
        sqlite_path = database.removeprefix("sqlite:///")
        if keyring is None:
            if "://" in sqlite_path:
                raise ValueError("PostgreSQL needs the path of the keyring file: keyring=…")
            keyring = f"{sqlite_path}.keyring"
        catalogue = PermissionCatalogue(permissions, implied or {}, ())
        opened = open_database(database, origin=f"keys-{os.getpid()}-{Ids().text(12)}")
        try:
            migrate(opened, MIGRATIONS)
            material = fingerprints.load_keyring(opened, fingerprints.source_of(keyring))
            authority = Authority(material, catalogue, brand=brand)
            once = None if limiter is None else PerRequestLimiter(limiter)
            verifier = Verifier(material, catalogue, brand=brand, allow_imported=allow_imported, limiter=once)
            return cls(opened, authority, verifier, clock=clock, flush_seconds=flush_seconds, attempts=attempts)
        except BaseException:
            opened.close()
            raise

    # -- verifying

    def verify(
        self,
        text: str | bytes | None,
        *,
        ip: str | None = None,
        endpoint: str | None = None,
        account: str | None = None,
    ) -> Key | Denied:
        """Verify an API key.

        text: the key as the caller sent it. None or empty is refused as ``missing``; bytes are decoded as Latin-1.
        ip: the caller's address; a key with an allow-list is refused without it.
        endpoint: what the key is used for, stored as its last use.
        account: accept only keys of this account; all others are refused as ``unknown``.
        Returns the ``Key``, whose truth value is True, or ``Denied``, whose truth value is False. It never raises for
        anything a caller can send. It uses the cache, or reads the database.
        """
        forking.detect_fork()
        readable, now = decode_key(text), int(self._clock())
        if isinstance(readable, Denied):
            return self._record(readable, now, ip, endpoint)
        self._lease_renewer.keep_fresh()
        answer = self.verifier.verify_cached(readable, now, ip)
        # Keys of other accounts are read from the database even if cached: they take as long as unknown ones.
        if answer is None or _of_other_account(answer, account):
            answer = self.verifier.read(self.database, readable, now, ip)
        if _of_other_account(answer, account):
            answer = Denied(Reason.unknown, mask_unknown(readable))
        return self._record(answer, now, ip, endpoint)

    def verify_cached(
        self, text: str | bytes | None, ip: str | None = None, endpoint: str | None = None, account: str | None = None
    ) -> Key | Denied | None:
        """Verify from the cache, without blocking; None if the database must be read: call ``verify`` then."""
        forking.detect_fork()
        readable, now = decode_key(text), int(self._clock())
        if isinstance(readable, Denied):
            return self._record(readable, now, ip, endpoint)
        answer = self.verifier.verify_cached(readable, now, ip)
        if answer is None or (account is not None and _of_other_account(answer, account)):
            return None
        return self._record(answer, now, ip, endpoint)

    def _record(self, answer: Key | Denied, now: int, ip: str | None, endpoint: str | None) -> Key | Denied:
        if isinstance(answer, Denied):
            self.attempts.count_denied(answer, ip, now)
            if answer.key is not None:
                self.verifier.usage.count(answer.key, now, outcome=answer.reason.value)
        elif first_use(answer.id):
            self.verifier.record_use(answer, now, ip, endpoint)
        self._flusher.start()
        return answer

    # -- changing; each is one transaction

    def create(
        self,
        name: str = "",
        *,
        permissions: Iterable[str] = (),
        connect_permissions: Iterable[str] = (),
        kind: Kind = "restricted",
        account: str = "main",
        livemode: bool = True,
        note: str = "",
        ip_allowlist: Iterable[str] = (),
        expires_at: int | None = None,
        granter: Key | None = None,
        hides_after_reveal: bool = True,
        actor: Actor = SYSTEM,
    ) -> tuple[Key, str]:
        """Create a key and return it with its text. The text of a live secret or restricted key is not stored.

        name: who uses it. permissions: its grants, for example ``report_read``. connect_permissions: its grants for
            requests on behalf of a connected account.
        kind: ``restricted``, ``secret`` or ``publishable``. account: your name for the customer. livemode: the mode.
        note: for example where the key is stored. ip_allowlist: addresses and networks; empty allows all.
        expires_at: UTC epoch seconds.
        granter: the key that authenticated the request; the new key cannot have more access. None if a person acts.
        hides_after_reveal: False for a live key that can be revealed until it is hidden by hand.
        actor: for the audit log.
        Raises KeyRefused, with ``code`` and ``param``; StorageError.
        """
        scope, now = Scope(account, livemode), int(self._clock())
        return self.database.write(
            lambda tx: self.authority.create(
                tx, scope, kind, actor=actor, now=now, name=name, note=note, permissions=permissions,
                connect_permissions=connect_permissions, ip_allowlist=ip_allowlist, expires_at=expires_at,
                granter=granter,
                hides_after_reveal=hides_after_reveal,
            )
        )  # fmt: skip

    @overload
    def roll(
        self, key: Key, expires_in_seconds: int = 0, *, show: Literal[True] = True, actor: Actor = SYSTEM
    ) -> tuple[Key, Key, str]: ...

    @overload
    def roll(
        self, key: Key, expires_in_seconds: int = 0, *, show: bool, actor: Actor = SYSTEM
    ) -> tuple[Key, Key, str | None]: ...

    def roll(
        self, key: Key, expires_in_seconds: int = 0, *, show: bool = True, actor: Actor = SYSTEM
    ) -> tuple[Key, Key, str | None]:
        """Create a key's successor, valid at once, and set the expiry of the old key.

        expires_in_seconds: how long the old key stays valid, 0 to 604800.
        show: return the new text now; that of a live key is then not stored. False: for a live key rolled with a delay
            the text is None, and sealed for one ``reveal``.
        actor: for the audit log.
        Returns the old key, the new key and the new text.
        Raises KeyRefused: ``api_key_already_rolled``, ``api_key_expired``, ``expires_in_invalid``; StorageError.
        """
        return self._write(
            lambda tx, now: self.authority.roll(
                tx, key.scope, key.id, expires_in_seconds, actor=actor, now=now, show=show
            )
        )

    def reveal(self, key: Key, *, actor: Actor = SYSTEM) -> tuple[Key, str]:
        """Return a key and its text. This destroys the sealed copy of a live key. actor: for the audit log.

        Raises KeyRefused: ``api_key_already_revealed``, ``api_key_expired``; StorageError.
        """
        return self._write(lambda tx, now: self.authority.reveal(tx, key.scope, key.id, actor=actor, now=now))

    def update(
        self,
        key: Key,
        *,
        name: str | None = None,
        note: str | None = None,
        permissions: Iterable[str] | None = None,
        connect_permissions: Iterable[str] | None = None,
        ip_allowlist: Iterable[str] | None = None,
        granter: Key | None = None,
        actor: Actor = SYSTEM,
    ) -> Key:
        """Change name, note, permissions or allow-list, and return the key.

        None leaves a field unchanged, an empty list clears it. The other arguments are those of ``create``.
        Raises KeyRefused, with ``code`` and ``param``; StorageError.
        """
        return self._write(
            lambda tx, now: self.authority.update(
                tx, key.scope, key.id, actor=actor, now=now, name=name, note=note, permissions=permissions,
                connect_permissions=connect_permissions, ip_allowlist=ip_allowlist, granter=granter,
            )
        )  # fmt: skip

    def revoke(self, key: Key, *, actor: Actor = SYSTEM) -> Key:
        """Revoke a key permanently and return it. All processes refuse it within the lease, 1 second by default.

        actor: for the audit log. Raises KeyRefused: ``api_key_expired``, ``publishable_key_not_revocable``;
        StorageError.
        """
        return self._write(lambda tx, now: self.authority.revoke(tx, key.scope, key.id, actor=actor, now=now))

    def _write(self, callback: Callable[[Tx, int], T]) -> T:
        now = int(self._clock())
        return self.database.write(lambda tx: callback(tx, now))

    # -- reading

    def get(self, key_id: str, *, account: str = "main", livemode: bool = True) -> Key | None:
        """Return a key of this account and mode by its id, even if it has ended, or None. Raises StorageError."""
        return self.database.read(lambda tx: self.authority.get(tx, Scope(account, livemode), key_id))

    def find(self, id_or_text: str) -> Key | None:
        """Return the key of any account with this id or text, also an expired or revoked one, or None.

        For the host's own staff ("whose key is this?"). It does not verify the key and does not count as a use.
        Raises StorageError.
        """
        return self.database.read(lambda tx: self.authority.find(tx, id_or_text))

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

    # -- in the background

    def flush(self) -> int:
        """Write last uses and refused attempts to the database; a thread does so every ``flush_seconds``.

        Returns the number of used keys written. Raises StorageError.
        """
        return self._flusher.flush()

    def close(self) -> None:
        """Flush and close the database. May be called again."""
        if self._flusher.stop():
            self.database.close()

    def __enter__(self) -> KeyService:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _of_other_account(answer: Key | Denied, account: str | None) -> bool:
    """Return whether the answer is about a key of another account."""
    key = answer if isinstance(answer, Key) else answer.key
    return account is not None and key is not None and key.account != account
