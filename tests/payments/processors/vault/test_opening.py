"""Which database and keyring a vault may have."""

from __future__ import annotations

from pathlib import Path

import pytest

from tollkey.db import migrate, open_database
from tollkey.keys import schema
from tollkey.keys.errors import KeyringError
from tollkey.keys.keyring import Keyring
from tollkey.payments.processors.vault import Place, VaultRefused, create, open_store

MAIN = Keyring.fresh()


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Place:
    """Where a vault can be made, on each kind of database."""
    return Place(database_url, str(tmp_path / "vault.json"))


def made(place: Place, main: str = "m1", keyring: Keyring = MAIN) -> Keyring:
    """Make a vault, and return its keyring."""
    opened = create(place, main, keyring)
    opened.database.close()
    return opened.keyring


def test_a_vault_is_made_once_and_opened_with_its_own_keyring(place: Place) -> None:
    first = made(place)
    assert made(place) == first
    opened = open_store(place, "m1", MAIN)
    opened.database.close()
    assert opened.keyring == first
    assert Path(place.keyring).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("main", ["m1", None])
def test_there_is_none_before_it_is_made(place: Place, main: str | None) -> None:
    with pytest.raises(VaultRefused, match="live vault on"):
        open_store(place, main, MAIN)


def test_without_its_keyring_it_is_not_opened_and_none_is_made(place: Place) -> None:
    made(place)
    Path(place.keyring).unlink()
    for opening in (create, open_store):
        with pytest.raises(KeyringError, match="is missing"):
            opening(place, "m1", MAIN)
    assert not Path(place.keyring).exists()


def test_another_keyring_is_refused(place: Place) -> None:
    made(place)
    Keyring.fresh().save(place.keyring)
    with pytest.raises(KeyringError, match=r"the card vault .* belongs to another database") as refused:
        open_store(place, "m1", MAIN)
    assert "TOLLKEY_KEYRING_FILE" not in str(refused.value)


def test_the_main_keyring_is_none_for_the_vault(place: Place) -> None:
    MAIN.create(place.keyring)
    with pytest.raises(VaultRefused, match="keyring of its own"):
        create(place, "m1", MAIN)


def test_the_vault_of_another_server_is_refused(place: Place) -> None:
    made(place)
    for opening in (create, open_store):
        with pytest.raises(VaultRefused, match="another server"):
            opening(place, "m2", MAIN)


def test_the_database_of_an_api_is_no_vault(place: Place) -> None:
    database = open_database(place.database)
    migrate(database, schema.MIGRATIONS)
    database.close()
    for opening in (create, open_store):
        with pytest.raises(VaultRefused, match="a database of its own"):
            opening(place, "m1", MAIN)


def test_the_address_of_a_database_is_in_no_repr(place: Place) -> None:
    assert place.database not in repr(place)
