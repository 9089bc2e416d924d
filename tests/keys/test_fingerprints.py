"""A database and its keyring belong together: another one, none, or half of one is refused in a sentence."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tollkey.db import Database, migrate
from tollkey.db.postgres import Postgres
from tollkey.keys import KeyService
from tollkey.keys.actors import SYSTEM
from tollkey.keys.authority import Authority
from tollkey.keys.errors import KeyringError
from tollkey.keys.fingerprints import KeyringSource, fingerprint, load_keyring, replace_keyring, retire_sealing_key
from tollkey.keys.keyring import Keyring
from tollkey.keys.permissions import PermissionCatalogue
from tollkey.keys.schema import MIGRATIONS

ACCOUNT = "acct_1AaBbCcDdEeFfGgHh"


@pytest.fixture
def keyed(database: Database) -> Database:
    migrate(database, MIGRATIONS)
    return database


def with_keys(database: Database, keyring: Keyring) -> None:
    """The four keys of an account, made with this keyring."""
    authority = Authority(keyring, PermissionCatalogue(()))
    database.write(lambda tx: authority.create_defaults(tx, ACCOUNT, actor=SYSTEM, now=1))


def refused(database: Database, keyring: Keyring | Path, words: str) -> None:
    source = KeyringSource.file(keyring) if isinstance(keyring, Path) else KeyringSource("here", given=keyring)
    with pytest.raises(KeyringError, match=words) as refusal:
        load_keyring(database, source)
    assert "\n" not in str(refusal.value)
    assert "TOLLKEY_KEYRING_FILE" in str(refusal.value)


def test_a_missing_keyring_is_made_for_a_new_database_and_never_for_one_that_has_had_one(
    keyed: Database, tmp_path: Path
) -> None:
    made = load_keyring(keyed, KeyringSource.file(tmp_path / "keyring.json"))
    assert load_keyring(keyed, KeyringSource.file(tmp_path / "keyring.json")) == made
    refused(keyed, tmp_path / "other" / "keyring.json", "is missing")
    assert not (tmp_path / "other").exists()


def test_a_missing_keyring_is_not_made_where_there_are_keys_from_before_fingerprints(
    keyed: Database, tmp_path: Path
) -> None:
    with_keys(keyed, Keyring.fresh())
    refused(keyed, tmp_path / "keyring.json", "is missing")
    assert list(tmp_path.glob("*.json")) == []


def test_another_keyring_is_refused(keyed: Database) -> None:
    load_keyring(keyed, KeyringSource("here", given=Keyring.fresh()))
    refused(keyed, Keyring.fresh(), "belongs to another database")


@pytest.mark.parametrize("rotated", ["rotate_digest", "rotate_sealing"])
def test_a_keyring_from_before_a_rotation_is_refused_as_incomplete(keyed: Database, rotated: str) -> None:
    before = Keyring.fresh()
    load_keyring(keyed, KeyringSource("here", given=before))
    saved: list[Keyring] = []
    after = replace_keyring(
        keyed, KeyringSource("here", given=before), lambda present: getattr(present, rotated)(), saved.append
    )
    assert saved == [after]
    refused(keyed, before, "lacks the (digest|sealing) key (d2|s2)")
    assert load_keyring(keyed, KeyringSource("here", given=after)) == after


def test_a_keyring_that_was_rotated_before_the_database_heard_of_it_is_taken(keyed: Database) -> None:
    before = Keyring.fresh()
    load_keyring(keyed, KeyringSource("here", given=before))
    after = before.rotate_sealing()
    assert load_keyring(keyed, KeyringSource("here", given=after)) == after
    refused(keyed, before, "lacks the sealing key s2")


def test_two_rotations_at_once_keep_the_keys_of_both(keyed: Database, tmp_path: Path) -> None:
    source = KeyringSource.file(tmp_path / "keyring.json")
    load_keyring(keyed, source)

    def rotate(_: int) -> Keyring:
        return replace_keyring(
            keyed, source, lambda present: present.rotate_sealing(), lambda made: made.save(tmp_path / "keyring.json")
        )

    with ThreadPoolExecutor(2) as pool:
        made = sorted(pool.map(rotate, range(2)), key=lambda keyring: keyring.sealing_current)
    assert [keyring.sealing_current for keyring in made] == ["s2", "s3"]
    assert load_keyring(keyed, source) == made[1]
    assert made[0].sealing_keys.items() <= made[1].sealing_keys.items()


def test_a_rotation_that_postgres_runs_again_changes_the_keyring_once(postgres_url: str, tmp_path: Path) -> None:
    source = KeyringSource.file(tmp_path / "keyring.json")
    fails_once = (
        "CREATE SEQUENCE attempts",
        "CREATE FUNCTION fail_once() RETURNS trigger AS $$ BEGIN IF nextval('attempts') = 1 THEN"
        " RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END IF; RETURN NEW; END $$ LANGUAGE plpgsql",
        "CREATE TRIGGER fails BEFORE INSERT ON keyring_keys FOR EACH ROW EXECUTE FUNCTION fail_once()",
    )
    with closing(Postgres(postgres_url)) as database:
        migrate(database, MIGRATIONS)
        load_keyring(database, source)
        database.write(lambda tx: tx.execute_script(fails_once))
        made = replace_keyring(
            database, source, lambda present: present.rotate_sealing(), lambda new: new.save(tmp_path / "keyring.json")
        )
        assert made.sealing_current == "s2"
        assert load_keyring(database, source) == made


def test_who_still_has_a_retired_key_is_as_welcome_as_who_dropped_it(keyed: Database) -> None:
    both = Keyring.fresh().rotate_sealing()
    load_keyring(keyed, KeyringSource("here", given=both))
    keyed.write(lambda tx: retire_sealing_key(tx, "s1"))
    for keyring in (both, both.without("s1"), both):
        assert load_keyring(keyed, KeyringSource("here", given=keyring)) == keyring


def test_a_database_from_before_fingerprints_takes_the_keyring_that_opens_its_keys_and_no_other(
    keyed: Database,
) -> None:
    right = Keyring.fresh()
    with_keys(keyed, right)
    refused(keyed, Keyring.fresh(), "cannot open the sealed keys of this database")
    wrong_sealing = Keyring(right.digest_current, right.digest_keys, "s1", {"s1": bytes(32)})
    refused(keyed, wrong_sealing, "cannot open the sealed keys of this database")
    renamed = Keyring("d9", {"d9": right.digest("d1")}, "s1", right.sealing_keys)
    refused(keyed, renamed, "lacks the digest key d1")
    assert load_keyring(keyed, KeyringSource("here", given=right)) == right


def test_of_nodes_that_start_at_once_with_folders_of_their_own_one_wins_and_the_others_are_told(
    keyed: Database, tmp_path: Path
) -> None:
    def start(number: int) -> Keyring | str:
        try:
            return load_keyring(keyed, KeyringSource.file(tmp_path / str(number) / "keyring.json"))
        except KeyringError as refusal:
            return str(refusal)

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(start, range(4)))
    assert sum(isinstance(outcome, Keyring) for outcome in outcomes) == 1
    assert all("is missing" in outcome for outcome in outcomes if isinstance(outcome, str))
    assert len(list(tmp_path.glob("*/keyring.json"))) == 1


def test_of_nodes_that_start_at_once_in_one_folder_all_have_the_same(keyed: Database, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        rings = list(pool.map(lambda _: load_keyring(keyed, KeyringSource.file(tmp_path / "keyring.json")), range(4)))
    assert all(ring == rings[0] for ring in rings)


def test_a_fingerprint_is_of_one_purpose_and_name_and_does_not_hold_the_key() -> None:
    key = bytes(range(32))
    found = {fingerprint(purpose, name, key) for purpose in ("digest", "sealing") for name in ("d1", "d2")}
    assert len(found) == 4
    assert all(len(one) == 16 and one not in key for one in found)


def test_the_library_refuses_another_keyring_and_takes_material_from_elsewhere(
    database_url: str, tmp_path: Path
) -> None:
    ring = tmp_path / "ring"
    with KeyService.open(database_url, keyring=str(ring)) as keys:
        _, text = keys.create("one")
    with pytest.raises(KeyringError, match=re.escape(f"the keyring {tmp_path / 'lost'} is missing")):
        KeyService.open(database_url, keyring=str(tmp_path / "lost"))
    with KeyService.open(database_url, keyring=Keyring.from_text(ring.read_text())) as keys:
        assert keys.verify(text)
    with pytest.raises(KeyringError, match="is not a keyring"):
        Keyring.from_text("{}")
