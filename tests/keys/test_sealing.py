from __future__ import annotations

import pytest

from tollkey.keys import Keyring, SealBroken
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
