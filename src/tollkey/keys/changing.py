"""Changing keys: the part of ``KeyService`` that writes. Each call is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, NamedTuple, TypeVar, overload

from tollkey.db import Scope, Tx
from tollkey.keys import times
from tollkey.keys.actors import SYSTEM, Actor
from tollkey.keys.delivering import Destination, check_kind, hand_over, note_of, roll_into
from tollkey.keys.hiding import repr_without
from tollkey.keys.key import NO_METADATA, Key
from tollkey.keys.reading import KeyReading
from tollkey.keys.token import Kind

T = TypeVar("T")
Secret = TypeVar("Secret", str, str | None)
MOST_AT_ONCE = 1_000


class Made(NamedTuple):
    """A key and its text. key: the key. secret: its text; show or store it now. Not part of the repr."""

    key: Key
    secret: str

    def __repr__(self) -> str:
        return repr_without(self, "secret")


class Rolled(NamedTuple, Generic[Secret]):
    """A rolled key. old: the key that was rolled. key: its successor. secret: the text of the successor.

    The text is None if it was not to be shown and is sealed for one ``reveal``. It is not part of the repr.
    """

    old: Key
    key: Key
    secret: Secret

    def __repr__(self: Rolled[Any]) -> str:
        return repr_without(self, "secret")


@dataclass(frozen=True, kw_only=True, slots=True)
class NewKey:
    """A key to create; the fields are the arguments of ``KeyService.create``."""

    name: str = ""
    permissions: Iterable[str] = ()
    kind: Kind = "restricted"
    account: str = "main"
    livemode: bool = True
    note: str = ""
    ip_allowlist: Iterable[str] = ()
    expires_at: int | datetime | None = None
    expires_in: int | timedelta | None = None
    metadata: Mapping[str, str] = field(default_factory=lambda: NO_METADATA)
    max_uses: int | None = None
    rotate_every: int | timedelta | None = None


class KeyChanges(KeyReading):
    """Changes keys for ``KeyService``. The arguments are those of ``KeyReading``."""

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
        expires_at: int | datetime | None = None,
        expires_in: int | timedelta | None = None,
        metadata: Mapping[str, str] = NO_METADATA,
        max_uses: int | None = None,
        rotate_every: int | timedelta | None = None,
        granter: Key | None = None,
        hides_after_reveal: bool = True,
        deliver: Destination | None = None,
        actor: Actor = SYSTEM,
    ) -> Made:
        """Create a key and return it with its text. The text of a live secret or restricted key is not stored.

        name: who uses it. permissions: its grants, for example ``report_read`` or ``project:42:write``.
        connect_permissions: its grants for requests on behalf of a connected account.
        kind: ``restricted``, ``secret`` or ``publishable``. account: your name for the customer. livemode: the mode.
        note: for example where the key is stored. ip_allowlist: addresses and networks; empty allows all.
        expires_at: UTC epoch seconds, or a datetime with a time zone. expires_in: instead of it, seconds from now or a
            timedelta.
        metadata: up to 50 names and values of your own, without secrets.
        max_uses: how many requests the key is for, exactly, on all nodes; each of them writes to the database.
        rotate_every: how often ``rotate_due`` rolls the key: seconds or a timedelta, an hour at least.
        granter: the key that authenticated the request; the new key cannot have more access. None if a person acts.
        hides_after_reveal: False for a live key that can be revealed until it is hidden by hand.
        deliver: a place that stores the key, from ``tollkey.keys.vaults``; the text is then not returned but empty, and
            the note says where it is. If the place refuses it, the key is revoked.
        actor: for the audit log.
        Raises KeyRefused, with ``code`` and ``param``; StorageError; DeliveryFailed.
        """
        scope, now = Scope(account, livemode), int(self._clock())
        ends, every = times.expiry(expires_at, expires_in, now), times.optional_seconds(rotate_every)
        if deliver is not None:
            check_kind(kind)
            note = note_of(note, deliver)
        key, text = self.database.write(
            lambda tx: self.authority.create(
                tx, scope, kind, actor=actor, now=now, name=name, note=note, permissions=permissions,
                connect_permissions=connect_permissions, ip_allowlist=ip_allowlist, expires_at=ends,
                metadata=metadata, max_uses=max_uses, rotate_every=every, granter=granter,
                hides_after_reveal=hides_after_reveal,
            )
        )  # fmt: skip
        if deliver is None:
            return Made(key, text)
        hand_over(deliver, text, key.id, lambda: self.revoke(key, actor=actor))
        return Made(key, "")

    def create_many(self, new: Iterable[NewKey], *, actor: Actor = SYSTEM) -> list[Made]:
        """Create up to 1,000 keys in one transaction: all of them or none.

        new: what to create. actor: for the audit log.
        Returns keys and texts in the same order. Raises ValueError for more; KeyRefused, with ``code`` and ``param``;
        StorageError.
        """
        wanted = tuple(new)
        if len(wanted) > MOST_AT_ONCE:
            raise ValueError(f"at most {MOST_AT_ONCE} keys can be created at once")
        if not wanted:
            return []
        now = int(self._clock())
        drafts = [self._draft(one, actor, now) for one in wanted]
        made = self.database.write(lambda tx: self.authority.create_many(tx, drafts, actor=actor, now=now))
        return [Made(*one) for one in made]

    def _draft(self, new: NewKey, actor: Actor, now: int) -> Key:
        return self.authority.draft(
            Scope(new.account, new.livemode), new.kind, actor=actor, now=now, name=new.name, note=new.note,
            permissions=new.permissions, ip_allowlist=new.ip_allowlist,
            expires_at=times.expiry(new.expires_at, new.expires_in, now), metadata=new.metadata,
            max_uses=new.max_uses, rotate_every=times.optional_seconds(new.rotate_every),
        )  # fmt: skip

    @overload
    def roll(
        self, key: Key, expires_in: int | timedelta = 0, *, show: Literal[True] = True, actor: Actor = SYSTEM
    ) -> Rolled[str]: ...

    @overload
    def roll(
        self, key: Key, expires_in: int | timedelta = 0, *, deliver: Destination, actor: Actor = SYSTEM
    ) -> Rolled[str]: ...

    @overload
    def roll(
        self, key: Key, expires_in: int | timedelta = 0, *, show: bool, actor: Actor = SYSTEM
    ) -> Rolled[str | None]: ...

    def roll(
        self,
        key: Key,
        expires_in: int | timedelta = 0,
        *,
        show: bool = True,
        deliver: Destination | None = None,
        actor: Actor = SYSTEM,
    ) -> Rolled[str] | Rolled[str | None]:
        """Create a key's successor, valid at once, and set the expiry of the old key.

        expires_in: how long the old key stays valid: 0 to 604800 seconds, or a timedelta.
        show: return the new text now; that of a live key is then not stored. False: for a live key rolled with a delay
            the text is None, and sealed for one ``reveal``.
        deliver: a place that stores the new key, from ``tollkey.keys.vaults``; its text is then returned empty. If the
            place refuses it, the new key is revoked and the old one stays. The old key ends after the delivery.
        actor: for the audit log.
        Returns the old key, the new key and the new text.
        Raises KeyRefused: ``api_key_already_rolled``, ``api_key_expired``, ``api_key_disabled``,
        ``expires_in_invalid``; StorageError; DeliveryFailed.
        """
        seconds = times.seconds(expires_in)
        if deliver is not None:
            return Rolled(*roll_into(self.database, self.authority, deliver, key, seconds, actor, self._clock), "")
        return self._write(
            lambda tx, now: Rolled(
                *self.authority.roll(tx, key.scope, key.id, seconds, actor=actor, now=now, show=show)
            )
        )

    def reveal(self, key: Key, *, actor: Actor = SYSTEM) -> Made:
        """Return a key and its text. This destroys the sealed copy of a live key. actor: for the audit log.

        Raises KeyRefused: ``api_key_already_revealed``, ``api_key_expired``, ``api_key_disabled``; StorageError.
        """
        return self._write(lambda tx, now: Made(*self.authority.reveal(tx, key.scope, key.id, actor=actor, now=now)))

    def update(
        self,
        key: Key,
        *,
        name: str | None = None,
        note: str | None = None,
        permissions: Iterable[str] | None = None,
        connect_permissions: Iterable[str] | None = None,
        ip_allowlist: Iterable[str] | None = None,
        metadata: Mapping[str, str | None] | None = None,
        rotate_every: int | timedelta | None = None,
        granter: Key | None = None,
        actor: Actor = SYSTEM,
    ) -> Key:
        """Change name, note, permissions, allow-list or metadata, and return the key.

        None leaves a field unchanged, an empty list clears it. metadata: entries to add or replace; an empty or None
        value removes an entry, ``{}`` all of them.
        rotate_every: see ``create``; 0 for no rotation. The other arguments are those of ``create``.
        Raises KeyRefused, with ``code`` and ``param``; StorageError.
        """
        return self._write(
            lambda tx, now: self.authority.update(
                tx, key.scope, key.id, actor=actor, now=now, name=name, note=note, permissions=permissions,
                connect_permissions=connect_permissions, ip_allowlist=ip_allowlist, metadata=metadata,
                rotate_every=times.optional_seconds(rotate_every),
                granter=granter,
            )
        )  # fmt: skip

    def revoke(self, key: Key, *, actor: Actor = SYSTEM) -> Key:
        """Revoke a key permanently and return it. All processes refuse it within the lease, 1 second by default.

        actor: for the audit log. Raises KeyRefused: ``api_key_expired``, ``publishable_key_not_revocable``;
        StorageError.
        """
        return self._write(lambda tx, now: self.authority.revoke(tx, key.scope, key.id, actor=actor, now=now))

    def revoke_text(self, text: str, *, actor: Actor = SYSTEM) -> Key | None:
        """Revoke the key with this text, for whoever has it: a form for leaked keys needs no other proof.

        text: of the key; its id is no proof. actor: for the audit log.
        Returns the key, also if it had ended before; None if there is no such key. Raises KeyRefused:
        ``publishable_key_not_revocable``; StorageError.
        """
        key = None if text.startswith("mk_") else self.find(text)
        if key is None or key.ended(int(self._clock())):
            return key
        return self.revoke(key, actor=actor)

    def disable(self, key: Key, *, actor: Actor = SYSTEM) -> Key:
        """Pause a key until ``enable`` and return it. All processes refuse it within the lease, 1 second by default.

        No effect on a paused key. actor: for the audit log. Raises KeyRefused: ``api_key_expired``; StorageError.
        """
        return self._write(lambda tx, now: self.authority.disable(tx, key.scope, key.id, actor=actor, now=now))

    def enable(self, key: Key, *, actor: Actor = SYSTEM) -> Key:
        """Resume a paused key and return it; all processes accept it within the lease, 1 second by default.

        No effect on a key that is not paused. actor: for the audit log.
        Raises KeyRefused: ``api_key_expired``; StorageError.
        """
        return self._write(lambda tx, now: self.authority.enable(tx, key.scope, key.id, actor=actor, now=now))

    def _write(self, callback: Callable[[Tx, int], T]) -> T:
        now = int(self._clock())
        return self.database.write(lambda tx: callback(tx, now))
