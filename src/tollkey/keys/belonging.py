"""Which keyring belongs to a database. The database keeps a fingerprint of each key in it, so that another one is
refused.

A fingerprint is a keyed hash of a fixed sentence: it tells nothing about the key, and nobody who does not have the key
    can make it. Without this, a keyring that was lost or forgotten would be made anew in silence, and no key would
    verify any more.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path

from tollkey.db.engine import Database, Tx
from tollkey.db.schema import Migration
from tollkey.keys.keyring import Keyring, KeyringError
from tollkey.keys.sealing import SealBroken, row_of, sealing_key_of, unseal

MIGRATION = Migration(
    "keyring",
    (
        """CREATE TABLE keyring_keys (
            purpose TEXT NOT NULL CHECK (purpose IN ('digest', 'sealing')),
            name TEXT NOT NULL,
            fingerprint {blob} NOT NULL,
            retired {bool} NOT NULL,
            PRIMARY KEY (purpose, name)
        )""",
    ),
)
_SAMPLE = (
    20  # sealed keys that a keyring has to open before a database without fingerprints takes it, oldest and newest
)
_SHARE = (
    "every node needs the same one: copy keyring.json from the data folder of the first node or from a backup,"
    " or name it with TOLLKEY_KEYRING_FILE"
)


@dataclass(frozen=True, slots=True)
class KeyringSource:
    """Where key material comes from: a file, or given as it is.

    place: how it is named in errors. own: whether the file may be made when it is missing, and replaced by a rotation;
        a
        mounted secret may not.
    """

    place: str
    path: Path | None = None
    given: Keyring | None = None
    own: bool = False

    @classmethod
    def file(cls, path: str | Path) -> KeyringSource:
        """A file of our own, made when it is missing and there is nothing yet that needs it."""
        return cls(str(path), Path(path), own=True)

    def read(self) -> Keyring:
        """The material. Raises KeyringError, FileNotFoundError, OSError."""
        if self.path is not None:
            return Keyring.load(self.path)
        if self.given is None:
            raise FileNotFoundError(self.place)
        return self.given


def source_of(keyring: str | Path | Keyring) -> KeyringSource:
    """A file of our own, or material that is there already."""
    if isinstance(keyring, Keyring):
        return KeyringSource("that was given", given=keyring)
    return KeyringSource.file(keyring)


def settle(database: Database, source: KeyringSource) -> Keyring:
    """The keyring that belongs to the database; made when there is none and nothing that one was needed for.

    Of nodes that start together one makes it. Raises KeyringError, in one sentence, for one that is missing,
    incomplete, or of another database; StorageError, OSError. Run it after the migrations of this room.
    """

    def work(tx: Tx) -> Keyring:
        known = _known(tx)
        try:
            keyring = source.read()
        except FileNotFoundError:
            keyring = _made(tx, source, bool(known))
        if known:
            _check(keyring, known, source)
        else:
            _check_opens(tx, keyring, source)
        _record(tx, keyring, known)
        return keyring

    return database.write(work, lock="migrate")


def record(tx: Tx, keyring: Keyring) -> None:
    """From now on every node needs what is in this keyring."""
    _record(tx, keyring, _known(tx))


def retire(tx: Tx, name: str) -> None:
    """From now on no node needs this sealing key any more; one that has it still may."""
    tx.execute("UPDATE keyring_keys SET retired = 1 WHERE purpose = 'sealing' AND name = ?", (name,))


def fingerprint(purpose: str, name: str, key: bytes) -> bytes:
    """What the database keeps of a key: 16 bytes that do not lead back to it."""
    return hashlib.blake2b(f"tollkey keyring fingerprint: {purpose} {name}".encode(), key=key, digest_size=16).digest()


def _held(keyring: Keyring) -> dict[tuple[str, str], bytes]:
    of = {"digest": keyring.digest_keys, "sealing": keyring.sealing_keys}
    return {
        (purpose, name): fingerprint(purpose, name, key) for purpose, keys in of.items() for name, key in keys.items()
    }


def _known(tx: Tx) -> dict[tuple[str, str], tuple[bytes, bool]]:
    rows = tx.execute("SELECT purpose, name, fingerprint, retired FROM keyring_keys")
    return {(row[0], row[1]): (bytes(row[2]), bool(row[3])) for row in rows}


def _record(tx: Tx, keyring: Keyring, known: dict[tuple[str, str], tuple[bytes, bool]]) -> None:
    for (purpose, name), found in _held(keyring).items():
        if (purpose, name) not in known:
            tx.execute(
                "INSERT INTO keyring_keys (purpose, name, fingerprint, retired) VALUES (?, ?, ?, 0)",
                (purpose, name, found),
            )


def _made(tx: Tx, source: KeyringSource, known: bool) -> Keyring:
    if known or tx.execute("SELECT 1 FROM api_keys LIMIT 1"):
        raise KeyringError(f"the keyring {source.place} is missing, and this database was made with one; {_SHARE}")
    if not source.own or source.path is None:
        raise KeyringError(f"the keyring {source.place} is missing: make one with `tollkey keyring create FILE`")
    return Keyring.load_or_create(source.path)


def _check(keyring: Keyring, known: dict[tuple[str, str], tuple[bytes, bool]], source: KeyringSource) -> None:
    held = _held(keyring)
    for (purpose, name), (found, retired) in sorted(known.items()):
        mine = held.get((purpose, name))
        if mine is None and not retired:
            raise KeyringError(
                f"the keyring {source.place} lacks the {purpose} key {name}, which this database needs; {_SHARE}"
            )
        if mine is not None and not hmac.compare_digest(mine, found):
            raise KeyringError(
                f"the keyring {source.place} is not the one of this database ({purpose} key {name} is another);"
                f" {_SHARE}"
            )


def _check_opens(tx: Tx, keyring: Keyring, source: KeyringSource) -> None:
    """A database from before fingerprints: what its keys were made with is in the keyring, and opens and verifies
    samples of them.
    """
    other = KeyringError(f"the keyring {source.place} does not open what is in this database; {_SHARE}")
    for (name,) in tx.execute("SELECT DISTINCT digest_key FROM api_keys"):
        if name not in keyring.digest_keys:
            raise KeyringError(
                f"the keyring {source.place} lacks the digest key {name}, which this database needs; {_SHARE}"
            )
        rows = tx.execute(
            "SELECT token, digest FROM api_keys WHERE token IS NOT NULL AND digest_key = ? LIMIT ?", (name, _SAMPLE)
        )
        if any(bytes(digest) not in dict(keyring.digests(token)).values() for token, digest in rows):
            raise other
    for order in ("ASC", "DESC"):
        for account, livemode, key_id, sealed, digest in tx.execute(
            f"SELECT account, livemode, id, sealed, digest FROM api_keys WHERE sealed IS NOT NULL ORDER BY seq {order}"
            f" LIMIT {_SAMPLE}"
        ):
            try:
                text = unseal(sealed, row_of(account, bool(livemode), key_id), keyring)
            except SealBroken:
                if sealing_key_of(sealed) in keyring.sealing_keys:
                    raise other from None
                raise KeyringError(
                    f"the keyring {source.place} lacks the sealing key {sealing_key_of(sealed)[:20]},"
                    f" which this database needs; {_SHARE}"
                ) from None
            if bytes(digest) not in dict(keyring.digests(text)).values():
                raise other
