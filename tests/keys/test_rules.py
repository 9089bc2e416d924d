"""What a key may grant, and what it may do to other keys."""

from __future__ import annotations

import pytest

from tests.keys.conftest import OTHER, TEST, World, refused


def test_a_key_can_never_grant_more_than_it_has(world: World) -> None:
    holder, _ = world.make("restricted", permissions=["api_key_write", "customer_write"])
    made, _ = world.make("restricted", permissions=["customer_read"], granter=holder)
    assert made.permissions == {"customer_read"}
    for kind, permissions in (("restricted", ["charge_read"]), ("secret", [])):
        with refused("api_key_grant_exceeded"):
            world.make(kind, permissions=permissions, granter=holder)  # type: ignore[arg-type]
    with refused("api_key_grant_exceeded"):
        world.on("update", made, permissions=["charge_write"], granter=holder)


def test_a_restricted_key_cannot_get_at_a_secret_by_rolling_or_revealing_it(world: World) -> None:
    holder, _ = world.make("restricted", permissions=["api_key_write"])
    secret = world.default("secret")
    with refused("api_key_grant_exceeded"):
        world.on("reveal", secret, granter=holder)
    with refused("api_key_grant_exceeded"):
        world.on("roll", secret, 0, granter=holder)
    assert world.get(secret) == secret


@pytest.mark.parametrize(
    "secret",
    [
        f"{start}{'a1' * 20}"
        for start in ("sk_live_", "rk_test_", "ek_live_", "whsec_", "pss_test_", "pi_1PRGHoUQxTX_secret_")
    ],
)
def test_no_secret_is_taken_as_a_name_or_a_note(world: World, secret: str) -> None:
    for field in ("name", "note"):
        with refused(f"{field}_invalid"):
            world.make("secret", **{field: f"kept in {secret}"})  # type: ignore[arg-type]


def test_an_id_may_be_named_in_a_note(world: World) -> None:
    note = "for acct_1PRGHoUQxTXVL8Fm, we_1PRGHoUQxTXVL8Fm and pk_live_" + "a1" * 20
    assert world.make("secret", note=note)[0].note == note


@pytest.mark.parametrize("verb", ["hide", "expire_now", "revoke"])
def test_a_key_neither_hides_nor_ends_one_that_may_do_more(world: World, verb: str) -> None:
    holder, _ = world.make("restricted", permissions=["api_key_write"])
    other, _ = world.make("restricted", permissions=["charge_read"])
    for key in (world.default("secret"), other):
        with refused("api_key_grant_exceeded"):
            world.on(verb, key, granter=holder)
        assert world.get(key) == key


def test_a_key_may_end_itself_and_what_has_no_more_than_it(world: World) -> None:
    holder, _ = world.make("restricted", permissions=["api_key_write", "customer_write"])
    less, _ = world.make("restricted", permissions=["customer_read"])
    assert world.on("revoke", less, granter=holder).ended(world.clock.now)
    assert world.on("revoke", holder, granter=holder).ended(world.clock.now)


def test_a_leaked_key_cannot_end_its_successor(world: World) -> None:
    leaked, _ = world.make("secret")
    old, new, _ = world.on("roll", leaked, 3600)
    for verb in ("revoke", "expire_now", "hide"):
        with refused("api_key_grant_exceeded"):
            world.on(verb, new, granter=old)


def test_a_key_of_the_other_mode_or_account_grants_nothing(world: World) -> None:
    for holder in (world.make("secret", TEST)[0], world.make("secret", OTHER)[0], world.make("publishable")[0]):
        with refused("api_key_grant_exceeded"):
            world.make("secret", granter=holder)


def test_a_new_key_is_bound_to_the_addresses_of_the_key_that_made_it(world: World) -> None:
    holder, _ = world.make("secret", ip_allowlist=["10.0.0.0/8"])
    assert world.make("secret", granter=holder)[0].ip_allowlist == ("10.0.0.0/8",)
    narrow, _ = world.make("secret", ip_allowlist=["10.1.1.1"], granter=holder)
    for wider in (["192.0.2.1"], []):
        with refused("api_key_grant_exceeded"):
            world.on("update", narrow, ip_allowlist=wider, granter=holder)


def test_a_key_that_is_about_to_expire_cannot_outlive_itself(world: World) -> None:
    leaked, _ = world.make("secret")
    old, new, _ = world.on("roll", leaked, 3600)
    assert world.make("secret", granter=old)[0].expires_at == old.expires_at
    with refused("api_key_grant_exceeded"):
        world.make("secret", expires_at=world.clock.now + 7200, granter=old)
    for verb, key in (("cancel_expiry", old), ("reveal", new)):
        with refused("api_key_grant_exceeded"):
            world.on(verb, key, granter=old)
    with refused("api_key_grant_exceeded"):
        world.on("roll", new, 0, granter=old)


@pytest.mark.parametrize("field", ["name", "note"])
def test_a_key_does_not_hold_the_text_of_another_where_everybody_sees_it(world: World, field: str) -> None:
    key, text = world.make("secret")
    text = text[:60]  # as short as older keys are: a name has no room for more
    with refused(f"{field}_invalid"):
        world.make("restricted", **{field: f"vault {text}!"})
    with refused(f"{field}_invalid"):
        world.on("update", key, **{field: text})
    publishable = world.default("publishable").token
    assert world.on("update", key, **{field: f"beside {publishable}"[:100]}) != key
    assert world.on("update", key, **{field: "vault sk_live_ entry"}) != key
