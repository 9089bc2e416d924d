"""Opens the vault's own database and keyring, and checks that they belong together and to the main database."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from tollkey.db import Database, Tx, migrate, open_database
from tollkey.db.bounds import Bounds
from tollkey.db.opening import sqlite_file
from tollkey.db.schema import existing_tables
from tollkey.keys import fingerprints
from tollkey.keys.errors import KeyringError
from tollkey.keys.fingerprints import KeyringSource
from tollkey.keys.keyring import Keyring
from tollkey.payments.processors.vault.store import TABLES, Store
from tollkey.settings import Settings

_POOL = 4  # connections of PostgreSQL


class VaultRefused(ValueError):
    """The vault cannot be used as it is configured. The message is one sentence for people."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the vault is. database: a URL of PostgreSQL, or an SQLite file. keyring: the path of its own keyring.

    bounds: how long work on PostgreSQL may wait.
    """

    database: str = field(repr=False)
    keyring: str
    bounds: Bounds | None = None

    @property
    def in_postgres(self) -> bool:
        """Whether the database is PostgreSQL."""
        return self.database.startswith(("postgresql://", "postgres://"))

    @property
    def source(self) -> KeyringSource:
        """The source of the keyring."""
        return KeyringSource.file(self.keyring)

    def there(self) -> bool:
        """Return whether there may be a vault: a file that is missing says that there is none."""
        return self.in_postgres or sqlite_file(self.database).exists()


def place_of(settings: Settings) -> Place | None:
    """Return where the settings say that the vault is; None if they name none."""
    if not settings.vault_database:
        return None
    return Place(settings.vault_database, settings.vault_keyring, settings.bounds)


def create(place: Place, main: str, main_keyring: Keyring) -> Store:
    """Open the vault, and make what is missing of it. main: the name of the main database.

    Raises VaultRefused, KeyringError, StorageError, OSError.
    """
    database = _opened(place)
    try:
        _refuse_main(database)
        migrate(database, [fingerprints.MIGRATION, TABLES])
        if not database.read(_known):
            Keyring.load_or_create(place.keyring)
            _refuse_shared(place.source.read(), main_keyring)
            fingerprints.replace_keyring(database, place.source, lambda read: read, lambda made: None)
        database.write(lambda tx: _bind(tx, main), lock="card vault")
        return _checked(database, place, main, main_keyring)
    except BaseException:
        database.close()
        raise


def open_store(place: Place, main: str | None, main_keyring: Keyring) -> Store:
    """Open a vault that there is. main: the name of the main database, None if it has none.

    Raises VaultRefused, KeyringError, StorageError, OSError.
    """
    if main is None or not place.there():
        raise VaultRefused("there is no card vault yet: run `tollkey live vault on`")
    database = _opened(place)
    try:
        _refuse_main(database)
        if TABLES.module not in database.read(_modules):
            raise VaultRefused("there is no card vault in that database: run `tollkey live vault on`")
        migrate(database, [fingerprints.MIGRATION, TABLES])
        return _checked(database, place, main, main_keyring)
    except BaseException:
        database.close()
        raise


def reread(store: Store, place: Place) -> bool:
    """Read the keyring again, and return whether it has a sealing key that the store did not know.

    Raises KeyringError, OSError.
    """
    found = place.source.read()
    _check_keyring(store.database, place)
    newer = found.sealing_keys.keys() - store.keyring.sealing_keys.keys()
    store.keyring = found
    return bool(newer)


def _opened(place: Place) -> Database:
    if not place.in_postgres:
        path = sqlite_file(place.database)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return open_database(place.database, f"vault-{os.getpid()}", _POOL, bounds=place.bounds)


def _checked(database: Database, place: Place, main: str, main_keyring: Keyring) -> Store:
    """Return the store of a database whose keyring and main database these are."""
    try:
        keyring = place.source.read()
    except FileNotFoundError:
        raise KeyringError(
            f"the keyring of the card vault {place.keyring} is missing, but the vault needs it: put it back"
        ) from None
    _check_keyring(database, place)
    _refuse_shared(keyring, main_keyring)
    bound = database.read(lambda tx: [row[0] for row in tx.execute("SELECT main FROM card_vault")])
    if bound != [main]:
        raise VaultRefused("this card vault belongs to another server's database, whose cards it would delete")
    return Store(database, keyring)


def _check_keyring(database: Database, place: Place) -> None:
    """Raise KeyringError for a keyring that is not that of the vault, without the advice for the main one."""
    try:
        fingerprints.check_keyring(database.read(_known), place.source)
    except KeyringError as problem:
        raise KeyringError(f"the card vault cannot be opened: {str(problem).partition(';')[0]}") from None


def _bind(tx: Tx, main: str) -> None:
    """Note whose vault it is, unless that is noted."""
    if not tx.execute("SELECT 1 FROM card_vault"):
        tx.execute("INSERT INTO card_vault (main) VALUES (?)", (main,))


def _refuse_main(database: Database) -> None:
    if "api_keys" in database.read(existing_tables):
        raise VaultRefused("the card vault needs a database of its own: this one has the keys of an API")


def _refuse_shared(keyring: Keyring, main: Keyring) -> None:
    """Refuse a keyring that has a key of the main one: who has one of them must not have both."""
    mine = {*keyring.sealing_keys.values(), *keyring.digest_keys.values()}
    if mine & {*main.sealing_keys.values(), *main.digest_keys.values()}:
        raise VaultRefused("the card vault needs a keyring of its own: this one has keys of the main keyring")


def _modules(tx: Tx) -> frozenset[str]:
    if "migrations" not in existing_tables(tx):
        return frozenset()
    return frozenset(row[0] for row in tx.execute("SELECT DISTINCT module FROM migrations"))


def _known(tx: Tx) -> list[tuple[object, ...]]:
    return list(tx.execute(f"SELECT {', '.join(fingerprints.FINGERPRINTS)} FROM keyring_keys"))
