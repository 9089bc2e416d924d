from __future__ import annotations

from dataclasses import replace

import pytest

from tests.keys.conftest import ALICE, LIVE, OTHER, TEST, World, refused
from tollkey.db import Scope
from tollkey.keys import Reason
from tollkey.keys.authority import Authority
from tollkey.keys.errors import UnknownPermission
from tollkey.keys.limits import ROLL_EXPIRATIONS
from tollkey.keys.schema import SEALED
from tollkey.keys.sealed import reseal_all

# -- making


def test_an_account_has_four_default_keys(world: World) -> None:
    made = world.do("create_defaults", LIVE.account)
    assert [(key.livemode, key.kind, key.name) for key in made] == [
        (False, "publishable", "Publishable key"),
        (False, "secret", "Secret key"),
        (True, "publishable", "Publishable key"),
        (True, "secret", "Secret key"),
    ]
    assert all(key.is_default and key.revealable for key in made)


def test_making_the_defaults_again_makes_only_what_is_missing(world: World) -> None:
    secret = world.default("secret")
    assert world.do("create_defaults", LIVE.account) == ()
    world.on("revoke", secret)
    assert [key.kind for key in world.do("create_defaults", LIVE.account)] == ["secret"]


def test_the_text_of_a_live_key_is_there_when_it_is_made_and_never_again(world: World) -> None:
    key, text = world.make("restricted", permissions=["charge_read"])
    assert world.verify(text) == key
    assert not key.revealable
    with refused("api_key_already_revealed"):
        world.on("reveal", key)


def test_a_test_secret_stays_revealable(world: World) -> None:
    key, text = world.make("secret", TEST)
    for _ in range(2):
        assert world.on("reveal", key)[1] == text


def test_a_publishable_key_is_public_and_shows_its_text_always(world: World) -> None:
    key, text = world.make("publishable")
    assert key.token == text
    assert world.on("reveal", key) == (key, text)


def test_nothing_in_the_database_is_the_text_of_a_secret(world: World) -> None:
    texts = [world.make(kind, scope, name="n")[1] for kind in ("secret", "restricted") for scope in (LIVE, TEST)]
    world.default("secret")
    for table in ("api_keys", "key_audit", "key_usage"):
        stored = repr(world.read(lambda tx, table=table: tx.execute(f"SELECT * FROM {table}")))  # type: ignore[misc]
        for text in texts:
            assert text not in stored
            assert text[30:60] not in stored


def test_a_secret_does_not_show_in_the_repr_of_a_key(world: World) -> None:
    key, text = world.make("secret", TEST)
    assert text[30:60] not in repr(key)


def test_permissions_are_stored_under_their_declared_names_and_expanded(world: World) -> None:
    key, _ = world.make("restricted", permissions=["rak_topup_write", "customer_read"])
    assert key.permissions == {"top_up_write", "customer_read"}
    assert key.allows("top_up_read")
    assert not key.allows("customer_write")
    assert world.get(key) == key


def test_an_unknown_permission_is_refused(world: World) -> None:
    with pytest.raises(UnknownPermission):
        world.make("restricted", permissions=["customer_read", "moon_write"])
    assert world.read(lambda tx: world.authority.list(tx, LIVE)) == ()


@pytest.mark.parametrize(
    ("kind", "arguments", "code"),
    [
        ("secret", {"permissions": ["customer_read"]}, "permissions_not_allowed"),
        ("publishable", {"ip_allowlist": ["192.0.2.1"]}, "ip_allowlist_not_allowed"),
        ("secret", {"name": "x" * 101}, "name_invalid"),
        ("secret", {"name": "a\x00b"}, "name_invalid"),
        ("secret", {"note": "x" * 501}, "note_invalid"),
        ("secret", {"note": "a\x00b"}, "note_invalid"),
        ("secret", {"ip_allowlist": ["nowhere"]}, "ip_allowlist_invalid"),
        ("secret", {"expires_at": 1}, "expires_at_invalid"),
        ("admin", {}, "type_invalid"),
    ],
)
def test_what_makes_no_sense_is_refused(world: World, kind: str, arguments: dict[str, object], code: str) -> None:
    with refused(code):
        world.make(kind, **arguments)  # type: ignore[arg-type]


def test_a_note_says_where_the_key_lives(world: World) -> None:
    key, _ = world.make("secret", name="  Worker ", note="vault: prod/worker\nrotated by ops")
    assert (key.name, key.note) == ("Worker", "vault: prod/worker\nrotated by ops")
    assert world.on("update", key, note="moved").note == "moved"


def test_a_key_with_an_expiry_answers_expired_from_that_second_on(world: World) -> None:
    key, text = world.make("secret", expires_at=world.clock.now + 10)
    world.clock.advance(9)
    assert world.verify(text) == key
    world.clock.advance(1)
    assert world.verify(text).reason is Reason.expired


# -- revealing


def test_the_default_live_secret_waits_for_its_one_reveal(world: World) -> None:
    key = world.default("secret")
    shown, text = world.on("reveal", key)
    assert world.verify(text) == shown
    assert not shown.revealable
    assert shown.hidden_at == world.clock.now
    with refused("api_key_already_revealed"):
        world.on("reveal", key)


def test_a_key_from_before_the_rule_stays_revealable_until_hidden_by_hand(world: World) -> None:
    key, text = world.make("secret", hides_after_reveal=False)
    assert world.on("reveal", key)[1] == text
    assert world.on("reveal", key)[1] == text
    hidden = world.on("hide", key)
    assert not hidden.revealable
    assert world.on("hide", key) == hidden
    with refused("api_key_already_revealed"):
        world.on("reveal", key)
    assert world.verify(text).id == key.id


def test_test_and_publishable_keys_are_not_hidden(world: World) -> None:
    for key in (world.make("secret", TEST)[0], world.make("publishable")[0]):
        with refused("api_key_not_hideable"):
            world.on("hide", key)


def test_of_two_that_reveal_at_once_only_one_gets_the_text(world: World) -> None:
    key = world.default("secret")

    class Late(Authority):
        """Reads the key as it was a moment ago, as a second transaction would."""

        def get(self, tx, scope, key_id):  # type: ignore[no-untyped-def]
            return key

    late = Late(world.keyring, world.catalogue)
    world.on("update", key, name="first")
    with refused("api_key_changed"):
        world.database.write(lambda tx: late.reveal(tx, LIVE, key.id, actor=ALICE, now=1))


# -- rolling


@pytest.mark.parametrize("choice", ROLL_EXPIRATIONS)
def test_a_rolled_key_answers_expired_from_that_second_on_and_the_new_one_works_at_once(
    world: World, choice: str
) -> None:
    key, text = world.make(
        "restricted", TEST, permissions=["customer_write"], name="Worker", ip_allowlist=["192.0.2.1"], note="here"
    )
    seconds = ROLL_EXPIRATIONS[choice]
    old, new, new_text = world.on("roll", key, seconds)
    assert world.verify(new_text, "192.0.2.1") == new
    assert (new.name, new.permissions, new.ip_allowlist, new.note) == (
        key.name,
        key.permissions,
        key.ip_allowlist,
        key.note,
    )
    assert (new.rolled_from, old.replaced_by, old.expires_at) == (key.id, new.id, world.clock.now + seconds)
    if seconds:
        world.clock.advance(seconds - 1)
        assert world.verify(text, "192.0.2.1") == old
        world.clock.advance(1)
    assert world.verify(text, "192.0.2.1").reason is Reason.expired
    assert world.verify(new_text, "192.0.2.1") == new


def test_rolling_a_live_key_now_returns_the_new_text_once(world: World) -> None:
    _, new, text = world.on("roll", world.default("secret"), 0)
    assert world.verify(text) == new
    assert (new.is_default, new.name) == (True, "Secret key")
    with refused("api_key_already_revealed"):
        world.on("reveal", new)


def test_a_scheduled_roll_of_a_live_key_leaves_the_new_text_sealed_for_one_reveal(world: World) -> None:
    _, new, text = world.on("roll", world.make("restricted")[0], 3600)
    assert text is None
    _, revealed = world.on("reveal", new)
    assert world.verify(revealed).id == new.id
    with refused("api_key_already_revealed"):
        world.on("reveal", new)


def test_a_second_roll_of_a_rolling_key_is_refused_and_its_successor_can_be_rolled(world: World) -> None:
    old, new, _ = world.on("roll", world.make("secret")[0], 3600)
    with refused("api_key_already_rolled"):
        world.on("roll", old, 0)
    assert world.on("roll", new, 3600)[1].rolled_from == new.id


def test_a_publishable_key_rolls_and_its_successor_is_the_default(world: World) -> None:
    key = world.default("publishable")
    old, new, text = world.on("roll", key, 0)
    assert new.token == text
    assert (old.is_default, new.is_default) == (False, True)
    assert world.verify(key.token or "").reason is Reason.expired


def test_cancelling_a_pending_expiry_lets_both_keys_go_on(world: World) -> None:
    key, text = world.make("secret", TEST)
    _, new, new_text = world.on("roll", key, 3600)
    kept = world.on("cancel_expiry", key)
    assert kept.expires_at is None
    world.clock.advance(3600)
    assert world.verify(text) == kept
    assert world.verify(new_text) == new
    assert world.on("roll", key, 0)[1].rolled_from == key.id


def test_cancelling_a_roll_goes_back_to_the_expiry_the_key_was_made_with(world: World) -> None:
    ends = world.clock.now + 7200
    key, _ = world.make("secret", expires_at=ends)
    old, new, _ = world.on("roll", key, 3600)
    assert (old.expires_at, new.expires_at) == (world.clock.now + 3600, ends)
    assert world.on("cancel_expiry", key).expires_at == ends
    assert world.on("cancel_expiry", key).expires_at is None
    with refused("no_pending_expiry"):
        world.on("cancel_expiry", key)


def test_a_roll_does_not_prolong_a_key(world: World) -> None:
    key, _ = world.make("secret", expires_at=world.clock.now + 10)
    assert world.on("roll", key, 3600)[0].expires_at == world.clock.now + 10


@pytest.mark.parametrize("seconds", [-1, 604801])
def test_a_roll_has_a_longest_time(world: World, seconds: int) -> None:
    with refused("expires_in_invalid"):
        world.on("roll", world.make("secret")[0], seconds)


# -- ending


@pytest.mark.parametrize("verb", ["expire_now", "revoke"])
def test_an_ended_key_never_comes_back(world: World, verb: str) -> None:
    key, text = world.make("secret", TEST)
    world.on(verb, key)
    assert world.verify(text).reason in (Reason.expired, Reason.revoked)
    for again in ("reveal", "cancel_expiry", "expire_now", "revoke", "update"):
        with refused("api_key_expired"):
            world.on(again, key)
    with refused("api_key_expired"):
        world.on("roll", key, 0)


def test_ending_a_key_destroys_its_sealed_copy(world: World) -> None:
    for verb in ("expire_now", "revoke"):
        key, _ = world.make("secret", TEST)
        world.on(verb, key)
        assert world.read(lambda tx, i=key.id: tx.execute("SELECT sealed FROM api_keys WHERE id = ?", (i,))) == [
            (None,)
        ]  # type: ignore[misc]


def test_a_publishable_key_cannot_be_revoked_and_its_predecessor_can_be_expired(world: World) -> None:
    key = world.default("publishable")
    for verb in ("revoke", "expire_now"):
        with refused("publishable_key_not_revocable"):
            world.on(verb, key)
    old, _, _ = world.on("roll", key, 3600)
    assert world.on("expire_now", old).expires_at == world.clock.now


# -- scopes


@pytest.mark.parametrize("scope", [OTHER, TEST, Scope("", True)])
@pytest.mark.parametrize("verb", ["reveal", "hide", "update", "expire_now", "cancel_expiry", "revoke"])
def test_no_verb_reaches_across_accounts_or_modes(world: World, verb: str, scope: Scope) -> None:
    key = world.default("secret")
    with refused("resource_missing"):
        world.do(verb, scope, key.id)
    assert world.read(lambda tx: world.authority.get(tx, scope, key.id)) is None
    assert key.id not in [other.id for other in world.read(lambda tx: world.authority.list(tx, scope))]


# -- keys from elsewhere


def test_a_host_can_bring_its_keys_along(world: World) -> None:
    text = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
    key = world.do("import_key", LIVE, text, name="Old one")
    assert (key.imported, key.revealable, key.masked) == (True, False, "sk_live_" + "*" * 20 + text[-4:])
    with refused("api_key_exists"):
        world.do("import_key", LIVE, text)
    with refused("api_key_malformed"):
        world.do("import_key", TEST, text)


# -- listing


def test_keys_are_listed_newest_first_and_paged_both_ways(world: World) -> None:
    made = [world.make("secret", name=str(i))[0].id for i in range(5)]

    def ids(**arguments: object) -> list[str]:
        return [key.id for key in world.read(lambda tx: world.authority.list(tx, LIVE, **arguments))]  # type: ignore[arg-type]

    assert ids() == made[::-1]
    assert ids(limit=2) == [made[4], made[3]]
    assert ids(limit=2, after=made[3]) == [made[2], made[1]]
    assert ids(limit=2, before=made[1]) == [made[3], made[2]]
    assert ids(kind="publishable") == []
    world.do("revoke", LIVE, made[4])
    assert ids(active_at=world.clock.now) == made[3::-1]


# -- rotating key material


def test_rotating_the_sealing_key_keeps_every_sealed_text(world: World) -> None:
    key, text = world.make("secret", TEST)
    rotated = world.keyring.rotate_sealing()
    world.authority.keyring = rotated
    told: list[int] = []
    assert reseal_all(world.database, SEALED, rotated, told.append).texts == 1
    assert max(told) == 1
    world.authority.keyring = rotated.without("s1")
    assert world.on("reveal", key)[1] == text


def test_a_key_is_a_frozen_value(world: World) -> None:
    key, _ = world.make("secret")
    with pytest.raises(AttributeError):
        key.livemode = False  # type: ignore[misc]
    assert replace(key, name="other") != key
