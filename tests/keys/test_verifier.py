from __future__ import annotations

from dataclasses import replace

import pytest

from tests.keys.conftest import LIVE, OTHER, TEST, World
from tests.support.altered import altered
from tollkey.db import Database, Ids, StorageError, Tx
from tollkey.keys import Denied, Key, Reason
from tollkey.keys.store import Usage
from tollkey.keys.token import generate, mask_unknown
from tollkey.keys.verifier import FLUSH_MOST, Verifier


def fresh_verifier(world: World, **settings: object) -> Verifier:
    verifier = Verifier(world.keyring, world.catalogue, monotonic=world.ticker, **settings)  # type: ignore[arg-type]
    verifier.attach(world.database)
    verifier.lease.renew(world.ticker.now)
    return verifier


class Broken:
    """A database that is gone."""

    dialect = "sqlite"

    def read(self, work: object) -> object:
        raise StorageError("gone")


def test_a_key_is_read_once_and_then_known(world: World) -> None:
    key, text = world.make("secret")
    assert world.verifier.verify_cached(text, world.clock.now) is None
    assert world.verify(text) == key
    assert world.verifier.verify_cached(text, world.clock.now) == key


def test_garbage_is_refused_without_asking_the_database(world: World) -> None:
    _, text = world.make("secret")
    for garbage in ("", "null", text[:-1], text + "x", altered(text), "\ud800", "é" * 99):
        answer = world.verifier.verify_cached(garbage, world.clock.now)
        assert answer == Denied(Reason.unknown, mask_unknown(garbage))


def test_a_negative_answer_is_not_kept_past_the_creation_of_the_key(world: World) -> None:
    text = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
    verifier = fresh_verifier(world, allow_imported=True)
    assert verifier.verify(world.database, text, world.clock.now).reason is Reason.unknown  # type: ignore[union-attr]
    key = world.do("import_key", LIVE, text)
    assert verifier.verify(world.database, text, world.clock.now) == key
    assert world.verify(text).reason is Reason.unknown, "not allowed to look up imported keys"


def test_an_unknown_key_and_a_wrong_secret_read_the_same(world: World) -> None:
    world.make("secret")
    unknown = generate("secret", True, "1ZzYyXxWwVvUuTtS", Ids.seeded(9))
    wrong = generate("secret", True, "1AaBbCcDdEeFfGgH", Ids.seeded(9))
    for given in (unknown, wrong):
        assert world.verify(given) == Denied(Reason.unknown, "sk_live_" + "*" * 95 + given[-4:])


@pytest.mark.parametrize("verb", ["revoke", "expire_now"])
def test_an_ended_key_is_refused_at_once_although_it_was_in_memory(world: World, verb: str) -> None:
    key, text = world.make("restricted")
    world.verify(text)
    world.on(verb, key)
    answer = world.verify(text)
    assert answer.reason in (Reason.expired, Reason.revoked)
    assert answer.masked == key.masked
    assert answer.key.id == key.id


def test_a_change_shows_at_once_although_the_key_was_in_memory(world: World) -> None:
    key, text = world.make("restricted", permissions=["customer_write"])
    assert world.verify(text).allows("customer_write")
    world.on("update", key, permissions=["customer_read"])
    assert not world.verify(text).allows("customer_write")


def test_what_was_read_before_a_revocation_cannot_overwrite_it(world: World) -> None:
    key, text = world.make("secret")

    def slow_read(tx: Tx) -> Key | Denied:
        tx.execute("SELECT count(*) FROM api_keys")  # from here on this transaction sees the state of now
        world.on("revoke", key)
        return world.verifier.load(tx, text, world.clock.now)

    assert isinstance(world.read(slow_read), Key), "the slow reader itself saw the old state"
    assert world.verifier.verify_cached(text, world.clock.now) is None, "but it is not remembered"
    assert world.verify(text).reason is Reason.revoked


def test_what_was_read_before_everything_was_forgotten_is_not_remembered(world: World) -> None:
    _, text = world.make("secret")
    epoch = world.verifier.epoch
    world.verifier.on_announcement("*")
    world.read(lambda tx: world.verifier.load(tx, text, world.clock.now, epoch=epoch))
    assert world.verifier.verify_cached(text, world.clock.now) is None


def test_hearing_that_announcements_were_missed_forgets_everything(world: World) -> None:
    _, text = world.make("secret")
    world.verify(text)
    world.verifier.on_announcement("*")
    assert world.verifier.verify_cached(text, world.clock.now) is None


def test_memory_is_not_trusted_once_the_lease_has_run_out(world: World) -> None:
    key, text = world.make("secret")
    world.verify(text)
    world.ticker.now += 0.99
    assert world.verifier.verify_cached(text, world.clock.now) == key
    world.ticker.now += 0.01
    assert world.verifier.verify_cached(text, world.clock.now) is None
    assert world.verify(text) == key, "the database is asked instead"
    world.verifier.lease.renew(world.ticker.now)
    assert world.verifier.verify_cached(text, world.clock.now) == key


def test_without_lease_and_database_the_answer_is_unavailable_and_never_a_stale_yes(world: World) -> None:
    _, text = world.make("secret")
    world.verify(text)
    broken: Database = Broken()  # type: ignore[assignment]
    assert isinstance(world.verifier.verify(broken, text, world.clock.now), Key)
    world.ticker.now += 1
    assert world.verifier.verify(broken, text, world.clock.now) == Denied(Reason.unavailable)


def test_a_key_runs_out_while_it_is_in_memory(world: World) -> None:
    _, text = world.make("secret", expires_at=world.clock.now + 5)
    world.verify(text)
    assert isinstance(world.verifier.verify_cached(text, world.clock.now + 4), Key)
    answer = world.verifier.verify_cached(text, world.clock.now + 5)
    assert isinstance(answer, Denied)
    assert answer.reason is Reason.expired


def test_an_address_off_the_list_is_refused_with_the_address(world: World) -> None:
    key, text = world.make("secret", ip_allowlist=["192.0.2.0/24"])
    for _ in range(2):  # from the database, then from memory
        assert world.verify(text, "192.0.2.9") == key
        assert world.verify(text, "198.51.100.1") == Denied(Reason.ip_not_allowed, key.masked, key, "198.51.100.1")
        assert world.verify(text).reason is Reason.ip_not_allowed


def test_memory_is_bounded(world: World) -> None:
    verifier = fresh_verifier(world, capacity=3)
    texts = [world.make("secret")[1] for _ in range(5)]
    for text in texts:
        verifier.verify(world.database, text, world.clock.now)
    known = [verifier.verify_cached(text, world.clock.now) is not None for text in texts]
    assert known == [False, False, True, True, True]


def test_memory_never_holds_the_text(world: World) -> None:
    _, text = world.make("secret")
    world.verify(text)
    world.verifier.record_use(world.verify(text), world.clock.now)
    assert text[20:60] not in repr(vars(world.verifier))


def test_a_rotated_digest_key_verifies_old_keys_and_moves_them_in_the_background(world: World) -> None:
    key, text = world.make("secret")
    rotated = world.keyring.rotate_digest()
    verifier = Verifier(rotated, world.catalogue)
    assert verifier.verify(world.database, text, world.clock.now) == key
    world.database.write(verifier.flush)
    late = Verifier(rotated.without("d1"), world.catalogue)
    assert late.verify(world.database, text, world.clock.now) == key


def test_a_keyring_without_the_digest_key_verifies_nothing(world: World) -> None:
    _, text = world.make("secret")
    thief = Verifier(world.keyring.rotate_digest().without("d1"), world.catalogue)
    answer = thief.verify(world.database, text, world.clock.now)
    assert isinstance(answer, Denied)
    assert answer.reason is Reason.unknown


def test_the_modes_and_accounts_are_those_of_the_key(world: World) -> None:
    for scope in (LIVE, TEST, OTHER):
        assert world.verify(world.make("secret", scope)[1]).scope == scope


# -- last used


def test_last_used_is_counted_in_memory_and_written_in_the_background(world: World) -> None:
    key, _ = world.make("secret")
    world.verifier.record_use(key, world.clock.now, "192.0.2.1", "GET /v1/customers")
    world.verifier.record_use(key, world.clock.now + 1, "192.0.2.2", "POST /v1/customers")
    assert world.read(lambda tx: world.authority.usages(tx, LIVE)) == {}
    assert world.database.write(world.verifier.flush) == 1
    expected = Usage(key.id, world.clock.now + 1, "192.0.2.2", "POST /v1/customers", 2)
    assert world.read(lambda tx: world.authority.usages(tx, LIVE)) == {key.id: expected}
    assert world.database.write(world.verifier.flush) == 0


def test_the_last_use_tells_no_secret_of_the_path(world: World) -> None:
    key, text = world.make("secret")
    encoded = "".join(f"%{ord(letter):02x}" if place % 2 else letter for place, letter in enumerate(text))
    for place in (text, encoded, "4242424242424242"):
        world.verifier.record_use(key, world.clock.now, None, f"GET /v1/customers/{place}")
        world.database.write(world.verifier.flush)
        endpoint = world.read(lambda tx: world.authority.usages(tx, LIVE))[key.id].endpoint
        assert endpoint is not None
        assert endpoint.startswith("GET /v1/customers/")
        assert place[20:40] not in endpoint or place.isdigit()
        assert "42424242" not in endpoint


def test_an_older_use_from_another_node_does_not_overwrite_a_newer_one(world: World) -> None:
    key, _ = world.make("secret")
    late = fresh_verifier(world)
    late.record_use(key, world.clock.now - 5, "192.0.2.9", "GET /old")
    world.verifier.record_use(key, world.clock.now, "192.0.2.1", "GET /new")
    world.database.write(world.verifier.flush)
    world.database.write(late.flush)
    usage = world.read(lambda tx: world.authority.usages(tx, LIVE))[key.id]
    assert (usage.endpoint, usage.uses) == ("GET /new", 2)


def test_uses_whose_transaction_is_undone_are_counted_again(world: World) -> None:
    key, _ = world.make("secret")
    world.verifier.record_use(key, world.clock.now)

    def undone(tx: Tx) -> None:
        world.verifier.flush(tx)
        raise StorageError("the disk is full")

    with pytest.raises(StorageError):
        world.database.write(undone)
    world.database.write(world.verifier.flush)
    assert world.read(lambda tx: world.authority.usages(tx, LIVE))[key.id].uses == 1


def test_uses_are_written_in_the_order_of_ids_so_that_nodes_which_do_it_at_once_do_not_deadlock(world: World) -> None:
    keys = sorted((world.make("restricted")[0] for _ in range(5)), key=lambda key: key.id)
    for key in (keys[3], keys[0], keys[4], keys[1], keys[2]):
        world.verifier.record_use(key, world.clock.now)
    world.database.write(world.verifier.flush)
    place = "rowid" if world.database.dialect == "sqlite" else "ctid"
    rows = world.database.read(lambda tx: tx.execute(f"SELECT key_id FROM key_usage ORDER BY {place}"))
    assert [row[0] for row in rows] == [key.id for key in keys]


def test_a_flush_takes_so_many_keys_and_the_next_one_the_rest(world: World) -> None:
    key, _ = world.make("restricted")
    for number in range(FLUSH_MOST + 1):
        world.verifier.record_use(replace(key, id=f"mk_{number}"), world.clock.now)
    assert world.database.write(world.verifier.flush) == FLUSH_MOST
    assert world.database.write(world.verifier.flush) == 1
    assert not world.verifier.unwritten
