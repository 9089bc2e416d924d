from __future__ import annotations

from pathlib import Path

import pytest

from tollkey.db import Scope, SQLite, migrate
from tollkey.keys import Permission, store
from tollkey.keys.actors import SYSTEM
from tollkey.keys.authority import Authority
from tollkey.keys.errors import SealBroken
from tollkey.keys.keyring import Keyring
from tollkey.keys.permissions import PermissionCatalogue
from tollkey.keys.schema import MIGRATIONS
from tollkey.keys.sealing import reseal, seal, unseal

RING = Keyring.fresh()
HERE = "acct_1/live/mk_1"


def test_a_sealed_text_opens_in_its_own_row_only() -> None:
    sealed = seal("the text", HERE, RING)
    assert unseal(sealed, HERE, RING) == "the text"
    with pytest.raises(SealBroken):
        unseal(sealed, "acct_1/live/mk_2", RING)


def test_the_text_does_not_stand_in_what_is_stored() -> None:
    assert b"the text" not in seal("the text", HERE, RING)
    assert seal("the text", HERE, RING) != seal("the text", HERE, RING)


def test_another_keyring_opens_nothing() -> None:
    with pytest.raises(SealBroken):
        unseal(seal("the text", HERE, RING), HERE, Keyring.fresh())


def test_every_changed_byte_is_noticed() -> None:
    sealed = seal("the text", HERE, RING)
    for index in range(len(sealed)):
        broken = bytearray(sealed)
        broken[index] ^= 1
        with pytest.raises(SealBroken):
            unseal(bytes(broken), HERE, RING)
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            unseal(sealed[:length], HERE, RING)


def test_rotation_moves_a_text_to_the_new_sealing_key() -> None:
    rotated = RING.rotate_sealing()
    sealed = seal("the text", HERE, RING)
    assert unseal(sealed, HERE, rotated) == "the text"
    moved = reseal(sealed, HERE, rotated)
    assert unseal(moved, HERE, rotated.without("s1")) == "the text"
    assert reseal(moved, HERE, rotated) == moved


def test_a_sealed_copy_that_was_destroyed_is_nowhere_in_the_file_any_more(tmp_path: Path) -> None:
    other = SQLite(tmp_path / "other.db")
    assert other.read(lambda tx: tx.execute("PRAGMA secure_delete")) == [(1,)]
    other.close()
    database = SQLite(tmp_path / "keys.db")
    migrate(database, MIGRATIONS)
    authority, scope = (
        Authority(Keyring.fresh(), PermissionCatalogue([Permission("charge", "Charges")])),
        Scope("acct_1", True),
    )
    made = database.write(lambda tx: authority.create_defaults(tx, "acct_1", actor=SYSTEM, now=1))
    key = next(key for key in made if key.livemode and key.kind == "secret")
    sealed = database.read(lambda tx: store.sealed_text(tx, scope, key.id))
    assert sealed
    database.write(lambda tx: authority.reveal(tx, scope, key.id, actor=SYSTEM, now=2))
    database.close()
    assert sealed not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
