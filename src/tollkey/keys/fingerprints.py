"""Checks that a keyring belongs to a database. The database stores a fingerprint of each key of its keyring.

A fingerprint is a keyed hash of a constant text: it reveals nothing about the key and cannot be computed without it.
Without this check a missing keyring would silently be replaced by a new one, with which no API key verifies.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tollkey.db import Database, Migration, Row, SQLite, Tx
from tollkey.keys.errors import KeyringError, SealBroken
from tollkey.keys.keyring import Keyring
from tollkey.keys.keyring_use import KeyringUse, use
from tollkey.keys.sealing import seal_context, sealing_key_name, unseal

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
FINGERPRINTS = ("purpose", "name", "fingerprint", "retired")  # columns
_SAMPLE = 20  # API keys, oldest and newest, to check a keyring with if the database has no fingerprints yet
_HINT = (
    "all nodes need the same keyring: copy keyring.json from the data folder of the first node or from a backup,"
    " or set TOLLKEY_KEYRING_FILE to its path"
)


@dataclass(frozen=True, slots=True)
class KeyringSource:
    """Where the keyring comes from: a file, or a value.

    place: its name in error messages. path: the file. given: the keyring itself.
    own: the file may be created if it is missing, and replaced by a rotation; False for a mounted secret.
    """

    place: str
    path: Path | None = None
    given: Keyring | None = None
    own: bool = False

    @classmethod
    def file(cls, path: str | Path) -> KeyringSource:
        """Return the source for a file that is created if it is missing and the database is new."""
        return cls(str(path), Path(path), own=True)

    def read(self) -> Keyring:
        """Return the keyring. Raises KeyringError if it is not valid, FileNotFoundError, OSError."""
        if self.path is not None:
            return Keyring.load(self.path)
        if self.given is None:
            raise FileNotFoundError(self.place)
        return self.given


def source_of(keyring: str | Path | Keyring) -> KeyringSource:
    """Return the source for the path of a file or a keyring."""
    if isinstance(keyring, Keyring):
        return KeyringSource("that was given", given=keyring)
    return KeyringSource.file(keyring)


def load_keyring(database: Database, source: KeyringSource) -> Keyring:
    """Read the keyring and check that it belongs to the database; create it if the database is new.

    If several nodes start at once, one of them creates it. Run the migrations of this package before.
    Raises KeyringError for a keyring that is missing, incomplete or of another database; StorageError, OSError.
    """

    def load(tx: Tx) -> Keyring:
        known = _stored(tx)
        try:
            keyring = source.read()
        except FileNotFoundError:
            keyring = _create(tx, source, bool(known))
        if known:
            _check_fingerprints(keyring, known, source)
        else:
            _check_samples(tx, keyring, source)
        _record(tx, keyring, known)
        return keyring

    return database.write(load, lock="migrate")


def check_keyring(rows: Iterable[Row], source: KeyringSource) -> None:
    """Check that a keyring belongs to a database that is not opened. rows: of ``FINGERPRINTS``, read from it.

    Raises KeyringError for a keyring that is not valid, incomplete or of another database; FileNotFoundError, OSError.
    """
    _check_fingerprints(source.read(), _known(rows), source)


def load_used(database: Database, source: KeyringSource) -> tuple[Keyring, list[KeyringUse]]:
    """Do what ``load_keyring`` does, and mark the keyring as used by this process.

    Returns the keyring, and what ends that mark: nothing for a keyring that was given for PostgreSQL. Raises what
    ``load_keyring`` raises; KeyringError also while the keyring is changed.
    """
    marks = _marked_beside(database, source)
    try:
        while True:
            keyring = load_keyring(database, source)
            if source.path is None:
                return keyring, marks
            mark = use(source.path)
            if mark.of(source.path) and source.read() == keyring:
                return keyring, [*marks, mark]
            mark.close()  # it was changed in between
    except BaseException:
        for mark in marks:
            mark.close()
        raise


def _marked_beside(database: Database, source: KeyringSource) -> list[KeyringUse]:
    """Mark a keyring that does not come from the usual file of an SQLite database: a rotation of that does not see it.

    Raises KeyringError, OSError.
    """
    if not isinstance(database, SQLite):
        return []
    file = database.path.resolve()
    if source.path is not None and source.path.resolve() == Path(f"{file}.keyring"):
        return []
    return [use(Path(f"{file}.keyring-use"), create=True)]


def replace_keyring(
    database: Database, source: KeyringSource, change: Callable[[Keyring], Keyring], save: Callable[[Keyring], None]
) -> Keyring:
    """Change the keyring of a database: from now on every node needs the keys that were added.

    Processes that change it at once do so one after the other, each the result of the one before. The keyring is saved
    before its fingerprints are: a process killed in between leaves a keyring that the database accepts.

    source: where the keyring is read again. change: returns the new one. save: stores it.
    Returns the new keyring. Raises KeyringError, StorageError, OSError, and what ``save`` raises.
    """

    made: list[Keyring] = []  # PostgreSQL may run ``work`` again, which must not change the keyring twice

    def work(tx: Tx) -> Keyring:
        known = _stored(tx)
        if not made:
            keyring = source.read()
            _check_fingerprints(keyring, known, source)
            changed = change(keyring)
            save(changed)
            made.append(changed)
        _record(tx, made[0], known)
        return made[0]

    return database.write(work, lock="migrate")


def retire_sealing_key(tx: Tx, name: str) -> None:
    """Mark a sealing key as retired: nodes no longer need it, but may have it. Raises StorageError."""
    tx.execute("UPDATE keyring_keys SET retired = 1 WHERE purpose = 'sealing' AND name = ?", (name,))


def fingerprint(purpose: str, name: str, key: bytes) -> bytes:
    """Return the fingerprint of a key: 16 bytes. purpose: ``digest`` or ``sealing``. name: for example ``d1``."""
    return hashlib.blake2b(f"tollkey keyring fingerprint: {purpose} {name}".encode(), key=key, digest_size=16).digest()


def _fingerprints(keyring: Keyring) -> dict[tuple[str, str], bytes]:
    of = {"digest": keyring.digest_keys, "sealing": keyring.sealing_keys}
    return {
        (purpose, name): fingerprint(purpose, name, key) for purpose, keys in of.items() for name, key in keys.items()
    }


def _stored(tx: Tx) -> dict[tuple[str, str], tuple[bytes, bool]]:
    return _known(tx.execute(f"SELECT {', '.join(FINGERPRINTS)} FROM keyring_keys"))


def _known(rows: Iterable[Row]) -> dict[tuple[str, str], tuple[bytes, bool]]:
    return {(row[0], row[1]): (bytes(row[2]), bool(row[3])) for row in rows}


def _record(tx: Tx, keyring: Keyring, known: dict[tuple[str, str], tuple[bytes, bool]]) -> None:
    for (purpose, name), found in _fingerprints(keyring).items():
        if (purpose, name) not in known:
            tx.execute(
                "INSERT INTO keyring_keys (purpose, name, fingerprint, retired) VALUES (?, ?, ?, 0)",
                (purpose, name, found),
            )


def _create(tx: Tx, source: KeyringSource, known: bool) -> Keyring:
    if known or tx.execute("SELECT 1 FROM api_keys LIMIT 1"):
        raise KeyringError(f"the keyring {source.place} is missing, but this database needs one; {_HINT}")
    if not source.own or source.path is None:
        raise KeyringError(f"the keyring {source.place} is missing: create one with `tollkey keyring create FILE`")
    return Keyring.load_or_create(source.path)


def _check_fingerprints(
    keyring: Keyring, known: dict[tuple[str, str], tuple[bytes, bool]], source: KeyringSource
) -> None:
    held = _fingerprints(keyring)
    for (purpose, name), (found, retired) in sorted(known.items()):
        mine = held.get((purpose, name))
        if mine is None and not retired:
            raise KeyringError(
                f"the keyring {source.place} lacks the {purpose} key {name}, which this database needs; {_HINT}"
            )
        if mine is not None and not hmac.compare_digest(mine, found):
            raise KeyringError(
                f"the keyring {source.place} belongs to another database ({purpose} key {name} differs); {_HINT}"
            )


def _check_samples(tx: Tx, keyring: Keyring, source: KeyringSource) -> None:
    """Check a keyring with samples of the API keys, for a database that has no fingerprints yet. Raises
    KeyringError.
    """
    other = KeyringError(f"the keyring {source.place} cannot open the sealed keys of this database; {_HINT}")
    for (name,) in tx.execute("SELECT DISTINCT digest_key FROM api_keys"):
        if name not in keyring.digest_keys:
            raise KeyringError(
                f"the keyring {source.place} lacks the digest key {name}, which this database needs; {_HINT}"
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
                text = unseal(sealed, seal_context(account, bool(livemode), key_id), keyring)
            except SealBroken:
                if sealing_key_name(sealed) in keyring.sealing_keys:
                    raise other from None
                raise KeyringError(
                    f"the keyring {source.place} lacks the sealing key {sealing_key_name(sealed)[:20]},"
                    f" which this database needs; {_HINT}"
                ) from None
            if bytes(digest) not in dict(keyring.digests(text)).values():
                raise other
