"""Keys imported as hashes are found by their text, re-hashed at the first use, and no lever against a server."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Clock
from tests.keys.conftest import Ticker, refused
from tollkey.db import Scope
from tollkey.keys import Denied, Key, KeyService, Permission, Reason
from tollkey.keys.actors import SYSTEM
from tollkey.keys.adopting import ImportedLimits
from tollkey.keys.config import Config
from tollkey.keys.foreign import MOST_FORMS, Busy, ForeignKeys, Match
from tollkey.keys.foreign_hashes import ForeignHash, PlainHash, SlowHash, read_plain, read_slow
from tollkey.keys.scanning import status_in

LIVE = Scope("main", True)
TEXT = "Ab12Cd34.0123456789abcdefghijklmnopqrstuv"
OTHER = "Ab12Cd34.another-secret-of-32-characters"
Import = Callable[..., Key]


def plain(text: str, salt: str = "") -> PlainHash:
    return read_plain("sha256", hashlib.sha256(f"{salt}{text}".encode()).hexdigest(), salt)


def slow(text: str) -> SlowHash:
    made = hashlib.pbkdf2_hmac("sha256", text.encode(), b"salt", 2)
    return read_slow(text[:8], f"pbkdf2:sha256:2$salt${made.hex()}")


@pytest.fixture
def keys(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[KeyService]:
    """On SQLite; on both databases for tests that name ``database_url``."""
    both = "database_url" in request.fixturenames
    database_url = request.getfixturevalue("database_url") if both else str(tmp_path / "keys.db")
    with KeyService.open(
        database_url,
        [Permission("report", "Reports")],
        keyring=str(tmp_path / "keyring"),
        clock=clock,
        allow_imported=True,
        flush_seconds=0,
    ) as opened:
        yield opened  # fmt: skip


@pytest.fixture
def add(keys: KeyService) -> Import:
    def import_hash(hash: ForeignHash, limits: ImportedLimits | None = None) -> Key:
        return keys.database.write(
            lambda tx: keys.authority.import_hash(
                tx, LIVE, hash, kind="restricted", actor=SYSTEM, now=1, permissions=["report_read"], limits=limits
            )
        )

    return import_hash


def reason(keys: KeyService, text: str) -> Reason | None:
    answer = keys.verify(text)
    return answer.reason if isinstance(answer, Denied) else None


def hashes(keys: KeyService) -> int:
    count: int = keys.database.read(lambda tx: tx.execute("SELECT COUNT(*) FROM foreign_hashes")[0][0])
    return count


@pytest.mark.parametrize("make", [plain, slow])
def test_a_key_known_by_its_hash_is_accepted_and_nobody_has_to_change_it(
    database_url: str, keys: KeyService, add: Import, make: Callable[[str], ForeignHash]
) -> None:
    key = add(make(TEXT))
    found = keys.verify(TEXT)
    assert found == key
    assert found.allows("report_read")
    assert (reason(keys, TEXT[:-1]), reason(keys, OTHER)) == (Reason.unknown, Reason.unknown)


@pytest.mark.parametrize("make", [plain, slow])
def test_the_first_use_replaces_the_hash_by_our_digest(
    database_url: str, keys: KeyService, add: Import, make: Callable[[str], ForeignHash]
) -> None:
    key = add(make(TEXT))
    keys.verify(TEXT)
    keys.flush()
    digest = keys.database.read(lambda tx: tx.execute("SELECT digest FROM api_keys WHERE id = ?", (key.id,))[0][0])
    assert (bytes(digest), hashes(keys)) == (keys.authority.keyring.digest(TEXT), 0)
    keys.verifier.clear()
    assert keys.verify(TEXT) == key
    assert keys.find(TEXT) == key


@pytest.mark.parametrize("make", [plain, slow])
def test_whoever_has_the_text_of_an_unused_imported_key_can_end_it(
    database_url: str, keys: KeyService, clock: Clock, add: Import, make: Callable[[str], ForeignHash]
) -> None:
    key = add(make(TEXT))
    status_of = status_in(keys, clock)
    assert (keys.find(TEXT), status_of(TEXT)) == (key, "active")
    ended = keys.revoke_text(TEXT)
    assert (ended and ended.id, reason(keys, TEXT), status_of(TEXT)) == (key.id, Reason.revoked, "revoked")
    assert (keys.find(OTHER), keys.revoke_text(OTHER), status_of(OTHER)) == (None, None, "unknown")


def test_a_revoked_imported_key_is_refused(keys: KeyService, add: Import) -> None:
    for make in (plain, slow):
        key = add(make(f"{make.__name__:5}345.0123456789abcdef".replace(" ", "_")))
        keys.revoke(key)
        assert reason(keys, f"{make.__name__:5}345.0123456789abcdef".replace(" ", "_")) == Reason.revoked


def test_what_else_is_known_of_a_key_holds(keys: KeyService, clock: Clock, add: Import) -> None:
    limits = ImportedLimits(("192.0.2.1",), clock.now + 10, {"plan": "free"}, shown="Ab12Cd34")
    key = add(plain(TEXT), limits=limits)
    assert (key.redacted, key.metadata["plan"], key.imported) == ("Ab12Cd34...", "free", True)
    assert reason(keys, TEXT) == Reason.ip_not_allowed
    assert keys.verify(TEXT, ip="192.0.2.1")
    clock.now += 10
    assert isinstance(keys.verify(TEXT, ip="192.0.2.1"), Denied)
    add(plain(OTHER), limits=ImportedLimits(disabled=True))
    assert reason(keys, OTHER) == Reason.disabled


def test_the_same_hash_is_imported_once(database_url: str, add: Import) -> None:
    for make in (plain, slow):
        add(make(TEXT))
        with refused("api_key_exists"):
            add(make(TEXT))


def test_hashes_with_different_salts_live_side_by_side_up_to_a_bound(keys: KeyService, add: Import) -> None:
    for number in range(MOST_FORMS):
        add(plain(TEXT, f"salt{number}"))
    with refused("api_key_hash_invalid"):
        add(plain(TEXT, "one more"))
    assert reason(keys, TEXT) is None


def test_a_slow_hash_needs_the_beginning_of_its_key(add: Import) -> None:
    for lookup in ("", "abc", "x" * 65):
        with refused("api_key_hash_invalid"):
            add(SlowHash(lookup, slow(TEXT).encoded))


def test_few_keys_share_a_beginning(add: Import) -> None:
    for number in range(4):
        add(slow(f"{TEXT}{number}"))
    with refused("api_key_hash_invalid"):
        add(slow(f"{TEXT}4"))


def test_a_text_of_another_form_is_imported_as_it_is(keys: KeyService) -> None:
    key = keys.database.write(lambda tx: keys.authority.import_key(tx, LIVE, TEXT, kind="secret", actor=SYSTEM, now=1))
    assert keys.verify(TEXT) == key
    assert keys.find(TEXT) == key
    assert key.redacted == f"...{TEXT[-4:]}"
    with refused("api_key_exists"):
        keys.database.write(lambda tx: keys.authority.import_key(tx, LIVE, TEXT, kind="secret", actor=SYSTEM, now=1))
    for text in ("short", "with a space in the middle", "x" * 513, "ünïcode-ünïcode-ünïcode"):
        with refused("api_key_malformed"):
            keys.database.write(
                lambda tx, text=text: keys.authority.import_key(tx, LIVE, text, kind="secret", actor=SYSTEM, now=1)  # type: ignore[misc]
            )


def test_other_services_do_not_look_for_imported_keys(tmp_path: Path, clock: Clock, add: Import) -> None:
    add(plain(TEXT))
    with KeyService.open(
        str(tmp_path / "keys.db"), keyring=str(tmp_path / "keyring"), clock=clock, flush_seconds=0
    ) as strict:
        assert reason(strict, TEXT) == Reason.unknown


def test_a_configuration_may_say_that_imported_keys_are_verified(tmp_path: Path, clock: Clock, add: Import) -> None:
    add(plain(TEXT))
    config = Config(imported_keys=True)
    keyring = str(tmp_path / "keyring")
    with KeyService.open(
        str(tmp_path / "keys.db"), config=config, keyring=keyring, clock=clock, flush_seconds=0
    ) as keys:
        assert keys.verify(TEXT)


def test_a_key_that_is_imported_by_text_and_by_hash_is_found_by_its_text(keys: KeyService, add: Import) -> None:
    add(slow(TEXT))
    keys.verify(TEXT)  # re-hashed at the next flush
    key = keys.database.write(lambda tx: keys.authority.import_key(tx, LIVE, TEXT, kind="secret", actor=SYSTEM, now=1))
    keys.flush()
    keys.verifier.clear()
    assert keys.verify(TEXT) == key


class Hashing:
    """A key service's database with one slow hash, and a clock that says how long each attempt took."""

    def __init__(self, keys: KeyService) -> None:
        self.keys, self.ticker = keys, Ticker()
        self.seconds = 0.0
        self.asked = 0
        self.foreign = ForeignKeys(keys.authority.keyring, self._time)

    def _time(self) -> float:
        self.asked += 1
        self.ticker.now += self.seconds
        return self.ticker.now

    def match(self, text: str) -> Match | None:
        return self.foreign.match(self.keys.database, text)


@pytest.fixture
def hashing(keys: KeyService, add: Import) -> Hashing:
    add(slow(TEXT))
    return Hashing(keys)


def test_only_a_text_that_begins_like_an_imported_key_is_hashed(hashing: Hashing) -> None:
    asked = hashing.asked
    assert hashing.match("Zz99Yy88.0123456789abcdefghijklmnopqrstuv") is None
    assert hashing.asked == asked


def test_the_same_wrong_text_is_hashed_once(hashing: Hashing) -> None:
    assert hashing.match(OTHER) is None
    asked = hashing.asked
    for _ in range(100):
        assert hashing.match(OTHER) is None
    assert hashing.asked == asked


def test_wrong_texts_for_one_key_are_held_up_after_ten_and_go_on_later(hashing: Hashing) -> None:
    for number in range(10):
        assert hashing.match(f"{OTHER}{number}") is None
    with pytest.raises(Busy):
        hashing.match(TEXT)
    hashing.ticker.now += 6
    assert hashing.match(TEXT) is not None


def test_all_wrong_texts_together_have_a_tenth_of_the_time(hashing: Hashing, add: Import) -> None:
    add(slow("Other123.0123456789abcdefghijklmnopqrstuv"))
    hashing.seconds = 4.0  # from one look at the clock to the next
    assert hashing.match(f"{OTHER}1") is None
    with pytest.raises(Busy):
        hashing.match("Other123.0123456789abcdefghijklmnopqrstuv")
    hashing.seconds = 0.0
    hashing.ticker.now += 21
    assert hashing.match("Other123.0123456789abcdefghijklmnopqrstuv") is not None


def test_right_texts_use_up_nothing(hashing: Hashing) -> None:
    for _ in range(50):
        assert hashing.match(TEXT) is not None


def test_whoever_is_held_up_may_try_again(keys: KeyService, add: Import) -> None:
    add(slow(TEXT))
    for number in range(10):
        assert reason(keys, f"{OTHER}{number}") == Reason.unknown
    assert reason(keys, TEXT) == Reason.unavailable
