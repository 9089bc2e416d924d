"""The compact form of keys in memory."""

from __future__ import annotations

from dataclasses import fields, replace
from types import MappingProxyType

import pytest

from tests.keys.conftest import ALICE, LIVE, PERMISSIONS, TEST, World
from tollkey.keys import Key
from tollkey.keys.packing import pack, unpack
from tollkey.keys.permissions import PermissionCatalogue

CATALOGUE = PermissionCatalogue(PERMISSIONS)


@pytest.mark.parametrize("kind", ["secret", "publishable", "restricted"])
def test_a_key_comes_back_as_it_was(world: World, kind: str) -> None:
    for scope in (LIVE, TEST):
        key, text = world.make(kind, scope)  # type: ignore[arg-type]
        assert unpack(pack(key, text), text, CATALOGUE) == key


def test_every_field_comes_back(world: World) -> None:
    granted = frozenset(["charge_write"])
    key, text = world.make("restricted", permissions=granted, connect_permissions=["payout_read"], note="Käse")
    full = replace(
        key, ip_allowlist=("192.0.2.0/24",), expires_at=0, own_expires_at=3, revoked_at=4, revealable=True,
        hides_after_reveal=True, revealed_at=5, hidden_at=6, is_default=True, imported=True, version=7,
        rolled_from="mk_a", replaced_by="mk_b", subject="cus_1", metadata=MappingProxyType({"a": "b"}), disabled_at=8,
        max_uses=9, uses_left=0, rotate_every=10, rotate_at=11,
    )  # fmt: skip
    left_out = {"token", "livemode", "uses_left"}
    for field in fields(Key):
        assert getattr(full, field.name) or field.name in {*left_out, "expires_at"}, f"{field.name} is not tried"
    again = unpack(pack(full, text), text, CATALOGUE)
    assert again == full
    assert hash(again) == hash(full)
    with pytest.raises(TypeError):
        again.metadata["a"] = "c"  # type: ignore[index]


def test_a_usual_key_takes_few_bytes_and_does_not_contain_its_text(world: World) -> None:
    key, text = world.make("restricted", permissions=["charge_read", "customer_write"], name="Nightly export")
    packed = pack(key, text)
    assert len(packed) < 230
    assert text[-12:].encode() not in packed
    assert str(ALICE).encode() in packed


def test_a_key_of_another_system_keeps_its_own_mask(world: World) -> None:
    key, text = world.make("secret")
    foreign = replace(key, redacted="abc...", masked="abc***", imported=True)
    assert unpack(pack(foreign, text), text, CATALOGUE) == foreign
