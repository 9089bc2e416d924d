"""The key authority in one object, for an application that wants keys of its own and nothing else."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from tollkey.db import Database, Scope, SQLite, StorageError, Tx, migrate, open_database
from tollkey.db.ids import Ids
from tollkey.keys import audit, store
from tollkey.keys.authority import Authority
from tollkey.keys.key import SYSTEM, Actor, Denied, Key, Reason
from tollkey.keys.keyring import Keyring
from tollkey.keys.limits import RateLimiter
from tollkey.keys.permissions import Catalogue, Permission
from tollkey.keys.token import BRAND, Brand, Kind, mask_unknown
from tollkey.keys.verifier import Verifier

if TYPE_CHECKING:
    from tollkey.db import Postgres

T = TypeVar("T")
_log = logging.getLogger(__name__)


class KeyService:
    """Make keys, verify keys. One object a process, made after any fork; ``close`` it at the end.

    Every key belongs to an ``account``, the host's name for a customer, and to a mode.
    Threads may share it. Changes raise KeyRefused when the rules do not allow them.
    """

    def __init__(
        self,
        database: Database,
        authority: Authority,
        verifier: Verifier,
        *,
        clock: Callable[[], float] = time.time,
        flush_seconds: float = 10.0,
    ) -> None:
        self.database = database
        self.authority = authority
        self.verifier = verifier
        self._clock = clock
        self._flush_seconds = flush_seconds
        self._refreshing = threading.Lock()
        self._closing = threading.Event()
        self._flusher: threading.Thread | None = None
        self._starting = threading.Lock()
        migrate(database, [store.MIGRATION])
        database.write(store.guard, lock="migrate")
        verifier.attach(database)
        if database.dialect == "postgres":
            self._listen(cast("Postgres", database))

    @classmethod
    def open(
        cls,
        database: str,
        permissions: Iterable[Permission] = (),
        *,
        keyring: str | None = None,
        implied: Mapping[str, tuple[str, ...]] | None = None,
        brand: Brand = BRAND,
        allow_imported: bool = False,
        limiter: RateLimiter | None = None,
        flush_seconds: float = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> KeyService:
        """Open or make everything that is needed.

        database: the path of an SQLite file, or ``postgresql://…``. permissions: the host's own.
        keyring: the file with the key material, made when missing; beside the SQLite file unless given.
            Back it up apart from the database: without it no key verifies any more.
        implied: row name to the grants it brings along. flush_seconds: how often last-used is written; 0: never by itself.
        """
        sqlite_path = database.removeprefix("sqlite:///")
        if keyring is None:
            if "://" in sqlite_path:
                raise ValueError("with PostgreSQL, say where the keyring file is: keyring=…")
            keyring = f"{sqlite_path}.keyring"
        material = Keyring.load_or_create(keyring)
        catalogue = Catalogue(permissions, implied or {}, ())
        opened = open_database(database, sender=f"keys-{os.getpid()}-{Ids().text(12)}")
        authority = Authority(material, catalogue, brand=brand)
        verifier = Verifier(material, catalogue, brand=brand, allow_imported=allow_imported, limiter=limiter)
        return cls(opened, authority, verifier, clock=clock, flush_seconds=flush_seconds)

    def _listen(self, database: Postgres) -> None:
        """Renew the lease with each heartbeat; return after the first, or after a second: until then memory is not trusted."""
        heard = threading.Event()

        def alive(began: float) -> None:
            self.verifier.lease.renew(began)
            heard.set()

        database.listen(alive)
        heard.wait(1.0)

    # -- verifying

    def verify(self, text: str, *, ip: str | None = None, endpoint: str | None = None, account: str | None = None) -> Key | Denied:
        """Whether ``text`` is a key that may be used now, from ``ip``. Never raises for what a caller may send.

        endpoint: what it is used for, kept as last-used. account: only keys of this account; another's is as unknown as any.
        """
        now = int(self._clock())
        self._keep_fresh()
        answer = self.verifier.verify_cached(text, now, ip)
        if answer is None or _of_another(answer, account):  # known or not, another account's key takes the long way
            answer = self.verifier.read(self.database, text, now, ip)
        if _of_another(answer, account):
            return Denied(Reason.unknown, mask_unknown(text))
        return self._counted(answer, now, ip, endpoint)

    def verify_cached(
        self, text: str, ip: str | None = None, endpoint: str | None = None, account: str | None = None
    ) -> Key | Denied | None:
        """The same without waiting for anything; None when ``verify`` must be asked."""
        now = int(self._clock())
        answer = self.verifier.verify_cached(text, now, ip)
        if answer is None or _of_another(answer, account):
            return None
        return self._counted(answer, now, ip, endpoint)

    def _counted(self, answer: Key | Denied, now: int, ip: str | None, endpoint: str | None) -> Key | Denied:
        if isinstance(answer, Key):
            self.verifier.used(answer, now, ip, endpoint)
            if self._flusher is None and self._flush_seconds > 0:
                self._start_flusher()
        return answer

    def _keep_fresh(self) -> None:
        """SQLite: hear what other processes on this file announced, once a lease's length. PostgreSQL tells by itself."""
        lease = self.verifier.lease
        if not isinstance(self.database, SQLite) or lease.fresh(time.monotonic()):
            return
        with self._refreshing:
            began = time.monotonic()
            if lease.fresh(began):
                return
            try:
                self.database.poll()
                lease.renew(began)
            except StorageError as error:  # memory stays untrusted; the database is asked, and answers or does not
                _log.warning("announcements could not be read: %s", type(error).__name__)

    # -- changing; each is one transaction

    def create(
        self,
        name: str = "",
        *,
        permissions: Iterable[str] = (),
        kind: Kind = "restricted",
        account: str = "main",
        livemode: bool = True,
        actor: Actor = SYSTEM,
        **limits: Any,
    ) -> tuple[Key, str]:
        """A new key and its text, which is not kept.

        limits: ``note``, ``ip_allowlist``, ``expires_at`` (UTC epoch seconds), ``granter``.
        """
        scope, now = Scope(account, livemode), int(self._clock())
        return self.database.write(
            lambda tx: self.authority.create(tx, scope, kind, name=name, permissions=permissions, actor=actor, now=now, **limits)
        )

    def roll(self, key: Key, expires_in_seconds: int = 0, *, actor: Actor = SYSTEM) -> tuple[Key, Key, str | None]:
        """Old key, new key, new text; see ``Authority.roll``."""
        return self._change(lambda tx, now: self.authority.roll(tx, key.scope, key.id, expires_in_seconds, actor=actor, now=now))

    def reveal(self, key: Key, *, actor: Actor = SYSTEM) -> tuple[Key, str]:
        """The text of a key while it may be shown; see ``Authority.reveal``."""
        return self._change(lambda tx, now: self.authority.reveal(tx, key.scope, key.id, actor=actor, now=now))

    def update(self, key: Key, *, actor: Actor = SYSTEM, **changes: Any) -> Key:
        """changes: ``name``, ``note``, ``permissions``, ``ip_allowlist``."""
        return self._change(lambda tx, now: self.authority.update(tx, key.scope, key.id, actor=actor, now=now, **changes))

    def revoke(self, key: Key, *, actor: Actor = SYSTEM) -> Key:
        """End a key for good, everywhere within the lease."""
        return self._change(lambda tx, now: self.authority.revoke(tx, key.scope, key.id, actor=actor, now=now))

    def _change(self, work: Callable[[Tx, int], T]) -> T:
        now = int(self._clock())
        return self.database.write(lambda tx: work(tx, now))

    # -- looking

    def get(self, key_id: str, *, account: str = "main", livemode: bool = True) -> Key | None:
        """A key by its id, ended or not."""
        return self.database.read(lambda tx: self.authority.get(tx, Scope(account, livemode), key_id))

    def list(self, *, account: str = "main", livemode: bool = True) -> Sequence[Key]:
        """The account's keys in this mode, newest first, ended ones too."""
        return self.database.read(lambda tx: self.authority.list(tx, Scope(account, livemode)))

    def usages(self, *, account: str = "main", livemode: bool = True) -> dict[str, store.Usage]:
        """When, from where and for what each key was last used, by key id; as of the last flush."""
        return self.database.read(lambda tx: self.authority.usages(tx, Scope(account, livemode)))

    def audit(self, *, account: str = "main", livemode: bool = True, limit: int = 100) -> Sequence[audit.Entry]:
        """Who did what to which key, newest first."""
        return self.database.read(lambda tx: audit.entries(tx, Scope(account, livemode), limit=limit))

    # -- in the background

    def flush(self) -> int:
        """Write down when keys were last used; a thread does so every ``flush_seconds``."""
        with self._starting:
            return self.database.write(self.verifier.flush)

    def _start_flusher(self) -> None:
        with self._starting:
            if self._flusher is None and not self._closing.is_set():
                self._flusher = threading.Thread(target=self._keep_flushing, name="tollkey-keys", daemon=True)
                self._flusher.start()

    def _keep_flushing(self) -> None:
        while not self._closing.wait(self._flush_seconds):
            try:
                self.flush()
            except StorageError as error:  # counted again next time; never in the way of a request
                _log.warning("last-used could not be written: %s", type(error).__name__)

    def close(self) -> None:
        """Write what is left and let go of the database. Safe to call twice."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self._flusher is not None:
            self._flusher.join(timeout=5)
        try:
            self.flush()
        except StorageError as error:
            _log.warning("last-used could not be written: %s", type(error).__name__)
        self.database.close()

    def __enter__(self) -> KeyService:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _of_another(answer: Key | Denied, account: str | None) -> bool:
    """Whether the answer is about a key that ``account`` must not learn of."""
    key = answer if isinstance(answer, Key) else answer.key
    return account is not None and key is not None and key.account != account
