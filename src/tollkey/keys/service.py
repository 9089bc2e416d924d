"""The key authority in one object, for an application that wants keys of its own and nothing else."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, TypeVar, overload

from tollkey.db import Database, Scope, SQLite, StorageError, Tx, forking, migrate, open_database
from tollkey.db.ids import Ids
from tollkey.keys import audit, belonging, chain, store
from tollkey.keys.attempts import Attempt, Attempts, refused_attempts
from tollkey.keys.authority import Authority
from tollkey.keys.errors import KeyRefused
from tollkey.keys.hearing import Hearing
from tollkey.keys.key import SYSTEM, Actor, Denied, Key, Reason
from tollkey.keys.keyring import Keyring
from tollkey.keys.limits import Limiter
from tollkey.keys.lookup import KeyPage, page_of
from tollkey.keys.once import OncePerRequest, first_use
from tollkey.keys.permissions import Catalogue, Permission
from tollkey.keys.schema import MIGRATIONS
from tollkey.keys.token import BRAND, Brand, Kind, mask_unknown
from tollkey.keys.verifier import FLUSH_MOST, Verifier

T = TypeVar("T")
_log = logging.getLogger(__name__)
_MISSING = Denied(Reason.missing)
_LONGEST_TEXT = 512  # characters; the body of a key has 247 at most
_BATCH = 1000  # keys read at a time by ``each``


class KeyService(forking.ForkAware):
    """Make keys, verify keys. One object a process, also one made before a fork; ``close`` it at the end.

    Every key belongs to an ``account``, the host's name for a customer, and to a mode. Changes raise KeyRefused when
    the rules do not allow them. Threads may share it, and a forked child goes on by itself, with connections and a
    memory of its own.
    """

    def __init__(
        self,
        database: Database,
        authority: Authority,
        verifier: Verifier,
        *,
        clock: Callable[[], float] = time.time,
        flush_seconds: float = 10.0,
        attempts: Attempts | None = None,
    ) -> None:
        self.database = database
        self.authority = authority
        self.verifier = verifier
        self.attempts = attempts or Attempts()
        self._clock = clock
        self._flush_seconds = flush_seconds
        self._reset()
        migrate(database, MIGRATIONS)
        database.write(lambda tx: audit.guard(tx, authority.keyring, int(clock())), lock="migrate")
        verifier.attach(database)
        self._hearing = Hearing(database, verifier.lease)
        if isinstance(database, SQLite):
            database.close_connections()  # whoever loads the application before it forks holds nothing open then
        forking.register(self)

    def _reset(self) -> None:
        self._closing = threading.Event()
        self._flusher: threading.Thread | None = None
        self._starting = threading.Lock()

    def after_fork_in_child(self) -> None:
        """The thread is the parent's; the first use begins another that writes uses down."""
        closed = self._closing.is_set()
        self._reset()
        if closed:
            self._closing.set()

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
        flush_seconds: float = 10.0,
        attempts: Attempts | None = None,
        clock: Callable[[], float] = time.time,
    ) -> KeyService:
        """Open or make everything that is needed.

        database: the path of an SQLite file, or ``postgresql://…``. permissions: the host's own.
        keyring: the file with the key material, made when missing and no key needs it; beside the SQLite file unless
            given.
            Back it up apart from the database: without it no key verifies any more. Or the material itself:
                ``Keyring.from_text``.
        implied: row name to the grants it brings along. limiter: asked last, once a request, about accepted keys.
        flush_seconds: how often last-used and refusals are written; 0: never by itself. clock: returns UTC epoch
            seconds.
        attempts: counts what is refused, by the hour unless another is given; ``Attempts(0)`` counts nothing.
        Raises ValueError, KeyringError, StorageError.
        """
        sqlite_path = database.removeprefix("sqlite:///")
        if keyring is None:
            if "://" in sqlite_path:
                raise ValueError("with PostgreSQL, say where the keyring file is: keyring=…")
            keyring = f"{sqlite_path}.keyring"
        catalogue = Catalogue(permissions, implied or {}, ())
        opened = open_database(database, origin=f"keys-{os.getpid()}-{Ids().text(12)}")
        try:
            migrate(opened, MIGRATIONS)
            material = belonging.settle(opened, belonging.source_of(keyring))
            authority = Authority(material, catalogue, brand=brand)
            once = None if limiter is None else OncePerRequest(limiter)
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
        """Whether ``text`` is a key that may be used now, from ``ip``: a ``Key``, which is true, or a ``Denied``, which
        is false.

        Never raises for what a caller may send. text: None or empty is ``missing``; bytes are read as Latin-1, as
        headers are.
        endpoint: what it is used for, kept as last-used. account: only keys of this account; another's is as unknown as
            any.
        """
        forking.detect_fork()
        readable, now = _readable(text), int(self._clock())
        if isinstance(readable, Denied):
            return self._counted(readable, now, ip, endpoint)
        self._hearing.keep_fresh()
        answer = self.verifier.verify_cached(readable, now, ip)
        if answer is None or _of_another(answer, account):  # known or not, another account's key takes the long way
            answer = self.verifier.read(self.database, readable, now, ip)
        if _of_another(answer, account):
            answer = Denied(Reason.unknown, mask_unknown(readable))
        return self._counted(answer, now, ip, endpoint)

    def verify_cached(
        self, text: str | bytes | None, ip: str | None = None, endpoint: str | None = None, account: str | None = None
    ) -> Key | Denied | None:
        """The same without waiting for anything; None when ``verify`` must be asked."""
        forking.detect_fork()
        readable, now = _readable(text), int(self._clock())
        if isinstance(readable, Denied):
            return self._counted(readable, now, ip, endpoint)
        answer = self.verifier.verify_cached(readable, now, ip)
        if answer is None or (account is not None and _of_another(answer, account)):
            return None
        return self._counted(answer, now, ip, endpoint)

    def _counted(self, answer: Key | Denied, now: int, ip: str | None, endpoint: str | None) -> Key | Denied:
        if isinstance(answer, Denied):
            self.attempts.denied(answer, ip, now)
        elif first_use(answer.id):
            self.verifier.used(answer, now, ip, endpoint)
        if self._flusher is None and self._flush_seconds > 0:
            self._start_flusher()
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
        """A new key and its text, which of a live key is not kept.

        permissions: for example ``report_read``; connect_permissions: those it has when it acts for a connected
            account.
        note: where it is kept. ip_allowlist: addresses and networks; empty: from anywhere. expires_at: UTC epoch
            seconds.
        granter: the key on whose behalf it is made; it gets no more than that one has. None: a person acts.
        hides_after_reveal: False for a live key that can be revealed again until it is hidden by hand. actor: for the
            audit log.
        Raises KeyRefused: what is wrong is in ``code`` and ``param``.
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
    def roll(self, key: Key, expires_in_seconds: int = 0, *, actor: Actor = SYSTEM) -> tuple[Key, Key, str]: ...

    @overload
    def roll(
        self, key: Key, expires_in_seconds: int = 0, *, show: Literal[True], actor: Actor = SYSTEM
    ) -> tuple[Key, Key, str]: ...

    @overload
    def roll(
        self, key: Key, expires_in_seconds: int = 0, *, show: bool, actor: Actor = SYSTEM
    ) -> tuple[Key, Key, str | None]: ...

    def roll(
        self, key: Key, expires_in_seconds: int = 0, *, show: bool = True, actor: Actor = SYSTEM
    ) -> tuple[Key, Key, str | None]:
        """Make the successor of a key, usable at once. Returns the old key, the new key, and the new text.

        expires_in_seconds: how long the old key goes on, 0 to 604800.
        show: the text is wanted now; of a live key this is the only time. False: the text is None for a live key rolled
            with a delay, and waits, sealed, for its one ``reveal``.
        Raises KeyRefused: ``api_key_already_rolled``, ``api_key_expired``, ``expires_in_invalid``.
        """
        return self._change(
            lambda tx, now: self.authority.roll(
                tx, key.scope, key.id, expires_in_seconds, actor=actor, now=now, show=show
            )
        )

    def reveal(self, key: Key, *, actor: Actor = SYSTEM) -> tuple[Key, str]:
        """The text of a key while it may be shown; a live one's is destroyed by this.

        Raises KeyRefused: ``api_key_already_revealed``, ``api_key_expired``.
        """
        return self._change(lambda tx, now: self.authority.reveal(tx, key.scope, key.id, actor=actor, now=now))

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
        """Rename, note, restrict. None leaves a field as it is, an empty list empties it; the rest is as in ``create``.

        Raises KeyRefused.
        """
        return self._change(
            lambda tx, now: self.authority.update(
                tx, key.scope, key.id, actor=actor, now=now, name=name, note=note, permissions=permissions,
                connect_permissions=connect_permissions, ip_allowlist=ip_allowlist, granter=granter,
            )
        )  # fmt: skip

    def revoke(self, key: Key, *, actor: Actor = SYSTEM) -> Key:
        """End a key for good, everywhere within the lease. Raises KeyRefused."""
        return self._change(lambda tx, now: self.authority.revoke(tx, key.scope, key.id, actor=actor, now=now))

    def _change(self, work: Callable[[Tx, int], T]) -> T:
        now = int(self._clock())
        return self.database.write(lambda tx: work(tx, now))

    # -- looking

    def get(self, key_id: str, *, account: str = "main", livemode: bool = True) -> Key | None:
        """A key of this account and mode by its id, ended or not."""
        return self.database.read(lambda tx: self.authority.get(tx, Scope(account, livemode), key_id))

    def find(self, id_or_text: str) -> Key | None:
        """A key by its id or by its text, ended or not, whichever account has it; None when there is none.

        For the host's own staff ("whose key is this?"): it neither asks whether the key may be used nor counts a use.
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
        """The account's keys in this mode, newest first: all of them, or a page.

        kind: only these. active: leave out those that have ended. limit: keys of this page at most; None: all there
            are.
        after: the id of the last key of the page before; the answer's ``has_more`` says whether there is another page.
        """
        return self.database.read(lambda tx: self._page(tx, Scope(account, livemode), kind, active, limit, after))

    def each(
        self, *, account: str = "main", livemode: bool = True, kind: Kind | None = None, active: bool = False
    ) -> Iterator[Key]:
        """The same keys one by one, read in pages of 1,000: for more of them than should be in memory at once."""
        page = self.list(account=account, livemode=livemode, kind=kind, active=active, limit=_BATCH)
        yield from page
        while page.has_more:
            page = self.list(
                account=account, livemode=livemode, kind=kind, active=active, limit=_BATCH, after=page[-1].id
            )
            yield from page

    def _page(
        self, tx: Tx, scope: Scope, kind: Kind | None, active: bool, limit: int | None, after: str | None
    ) -> KeyPage:
        if limit is not None and limit < 1:
            raise ValueError("a page has at least one key: limit=1 or more")
        if after is not None and self.authority.get(tx, scope, after) is None:
            raise KeyRefused("resource_missing", f"No such api_key: '{after[:100]}'", "after")
        active_at = int(self._clock()) if active else None
        return page_of(
            self.authority.list(
                tx, scope, active_at=active_at, kind=kind, limit=None if limit is None else limit + 1, after=after
            ),
            limit,
        )

    def usage(self, key: Key) -> store.Usage | None:
        """When, from where and for what a key was last used, as of the last flush; None when it never was."""
        return self.database.read(lambda tx: self.authority.usages(tx, key.scope, [key.id])).get(key.id)

    def usages(self, *, account: str = "main", livemode: bool = True) -> dict[str, store.Usage]:
        """The same for every key of the account in this mode that was ever used, by key id."""
        return self.database.read(lambda tx: self.authority.usages(tx, Scope(account, livemode)))

    def audit(
        self,
        *,
        account: str = "main",
        livemode: bool = True,
        key_id: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> Sequence[audit.Entry]:
        """Who did what to which key, newest first.

        key_id: only of this key. limit: 1 to 1000 lines. before: only lines with a smaller ``seq``, for the page after.
        """
        return self.database.read(lambda tx: audit.entries(tx, Scope(account, livemode), key_id, limit, before))

    def refusals(self, limit: int = 100) -> Sequence[Attempt]:
        """What was refused, by hour, address and reason, of all accounts, newest first; as of the last flush.

        limit: at most so many.
        """
        return self.database.read(lambda tx: refused_attempts(tx, limit))

    def verify_audit(self, expected: str | None = None) -> chain.Verdict:
        """Whether the audit log of all accounts is as it was written, and where it first is not; see
        ``chain.verify``.
        """
        return self.database.read(lambda tx: chain.verify(tx, self.authority.keyring, audit.LOG, expected))

    # -- in the background

    def flush(self) -> int:
        """Write down when keys were last used, and what was refused; a thread does so every ``flush_seconds``.

        Returns how many keys were written.
        """

        def work(tx: Tx) -> int:
            self.attempts.flush(tx)
            return self.verifier.flush(tx)

        counts = [FLUSH_MOST]
        with self._starting:
            while counts[-1] == FLUSH_MOST:
                counts.append(self.database.write(work))
        return sum(counts[1:])

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


def _readable(text: str | bytes | None) -> str | Denied:
    """What a caller sent as text of a length that a key may have, or why it is none.

    Work is bounded whatever was sent.
    """
    if type(text) is str and 0 < len(text) <= _LONGEST_TEXT:
        return text
    if isinstance(text, bytes):
        text = text[: _LONGEST_TEXT + 1].decode("latin-1")
    if text is None or text == "":
        return _MISSING
    if not isinstance(text, str):
        return Denied(Reason.unknown)
    return text if len(text) <= _LONGEST_TEXT else Denied(Reason.unknown, mask_unknown(text[:_LONGEST_TEXT]))


def _of_another(answer: Key | Denied, account: str | None) -> bool:
    """Whether the answer is about a key that ``account`` must not learn of."""
    key = answer if isinstance(answer, Key) else answer.key
    return account is not None and key is not None and key.account != account
