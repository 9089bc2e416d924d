"""Adds keys that were created elsewhere: by their text, or by the hash that another system stored of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tollkey.db import Duplicate, Scope, Tx
from tollkey.keys import audit, foreign, inserting, rules
from tollkey.keys.actors import Actor
from tollkey.keys.errors import KeyRefused
from tollkey.keys.foreign_hashes import ForeignHash, HashRefused, PlainHash
from tollkey.keys.key import NO_METADATA, Key
from tollkey.keys.token import Kind, mask_unknown, parse
from tollkey.keys.writing import CHANNEL, KeyWriter

_SHOWN = 4  # characters at the end of a text of another form that are shown


@dataclass(frozen=True, slots=True)
class ImportedLimits:
    """What else is known of a key that is imported; the fields are those of ``Authority.create``.

    disabled: it is paused. shown: the beginning of its text, for lists.
    """

    ip_allowlist: tuple[str, ...] = ()
    expires_at: int | None = None
    metadata: Mapping[str, str] | None = None
    disabled: bool = False
    shown: str = ""


def _malformed() -> KeyRefused:
    return KeyRefused("api_key_malformed", "This is not the text of an API key of this mode.", "key")


def _existing(param: str) -> KeyRefused:
    return KeyRefused("api_key_exists", "This key already exists.", param)


class KeyImports(KeyWriter):
    """Imports keys, for ``Authority``."""

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
        metadata: Mapping[str, str] = NO_METADATA,
        kind: Kind | None = None,
        limits: ImportedLimits | None = None,
    ) -> Key:
        """Add a key that was created elsewhere, by its text.

        A text with the prefix of our brand determines kind and mode. For one of another form ``kind`` is required,
        ``secret`` or ``restricted``. It cannot be revealed unless it is publishable. Verifying it needs a verifier
        with ``allow_imported``, and with ``foreign`` for other forms, as ``KeyService.open(allow_imported=True)`` has.
        now: UTC epoch seconds. The other arguments are those of ``create``.
        Raises KeyRefused: ``api_key_malformed``, ``api_key_exists`` and the codes of ``create``; StorageError.
        """
        parsed = parse(text, self.brand, imported=True)
        digests = [digest for _, digest in self.keyring.digests(text)]
        limits = limits or ImportedLimits(metadata=metadata)
        if parsed is None:
            if kind not in ("secret", "restricted") or not foreign.plausible(text):
                raise _malformed()
            draft = self._imported(scope, kind, name, note, permissions, actor, now, limits)
            draft = replace(draft, redacted=f"...{text[-_SHOWN:]}", masked=mask_unknown(text))
            try:
                with tx.savepoint():
                    digests += foreign.text_digests(tx, self.keyring, text)
                    return self._adopt(tx, draft, digests, actor, now)
            except Duplicate:
                raise _existing("key") from None
        if parsed.livemode != scope.livemode or (kind is not None and kind != parsed.kind):
            raise _malformed()
        draft = self._imported(scope, parsed.kind, name, note, permissions, actor, now, limits)
        draft = replace(draft, imported=not parsed.checksummed, hidden_at=None if parsed.kind == "publishable" else now)
        try:
            with tx.savepoint():
                if inserting.has_digest(tx, digests):
                    raise Duplicate
                return self._store(tx, draft, text, actor, now, shown=False)[0]
        except Duplicate:
            raise _existing("key") from None

    def import_hash(
        self,
        tx: Tx,
        scope: Scope,
        hash: ForeignHash,
        *,
        kind: Kind,
        actor: Actor,
        now: int,
        name: str = "",
        note: str = "",
        permissions: Iterable[str] = (),
        limits: ImportedLimits | None = None,
    ) -> Key:
        """Add a key that was created elsewhere, by the hash of its text. Its first use replaces the hash.

        hash: see ``foreign_hashes``. kind: ``secret`` or ``restricted``. now: UTC epoch seconds.
        The other arguments are those of ``import_key``. Raises KeyRefused: ``api_key_hash_invalid``,
        ``api_key_exists`` and the codes of ``create``; StorageError.
        """
        if kind not in ("secret", "restricted"):
            raise KeyRefused("type_invalid", "An imported key is secret or restricted.", "type")
        limits = limits or ImportedLimits()
        draft = self._imported(scope, kind, name, note, permissions, actor, now, limits)
        start = "".join(c for c in limits.shown[:12] if c.isascii() and c.isprintable())
        draft = replace(draft, redacted=f"{start}...", masked=f"{start}...")
        try:
            with tx.savepoint():
                if isinstance(hash, PlainHash):
                    foreign.add_form(tx, hash.form)
                    digests = foreign.stored_digests(self.keyring, hash.form, hash.value)
                else:
                    foreign.add_slow(tx, draft.id, hash)
                    digests = [self.keyring.digest(f"foreign\n{draft.id}")]
                return self._adopt(tx, draft, digests, actor, now)
        except HashRefused as refused:
            raise KeyRefused("api_key_hash_invalid", str(refused), "hash") from None
        except Duplicate:
            raise _existing("hash") from None

    def _imported(
        self, scope: Scope, kind: Kind, name: str, note: str, permissions: Iterable[str], actor: Actor, now: int,
        limits: ImportedLimits,
    ) -> Key:  # fmt: skip
        """The key as it would be stored, without a text."""
        draft = self._draft(scope, kind, name, now, actor, note=note, hides=True)
        draft = self._with_limits(draft, permissions, (), limits.ip_allowlist)
        ends = rules.check_expiry(limits.expires_at, now)
        metadata = self._valid_metadata(limits.metadata or NO_METADATA)
        return replace(
            draft, imported=True, revealable=kind == "publishable", hidden_at=now, expires_at=ends, own_expires_at=ends,
            metadata=metadata, disabled_at=now if limits.disabled else None,
        )  # fmt: skip

    def _adopt(self, tx: Tx, key: Key, digests: Sequence[bytes], actor: Actor, now: int) -> Key:
        """Store a key without a text, with the first of the digests under which it may be there already.

        Raises Duplicate if it is, within the caller's savepoint.
        """
        if inserting.has_digest(tx, digests):
            raise Duplicate
        inserting.insert(tx, [inserting.NewRow(key, digests[0], self.keyring.digest_current, None)])
        audit.record(tx, self.keyring, "imported", actor, now, None, key)
        tx.notify(CHANNEL, f"{key.id} {key.version}")
        return key
