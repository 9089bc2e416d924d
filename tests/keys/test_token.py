from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkey.db import Ids, Scope
from tollkey.keys import KeyService
from tollkey.keys.actors import SYSTEM
from tollkey.keys.keyring import Keyring
from tollkey.keys.token import KINDS, Brand, Kind, digest, generate, mask_known, mask_unknown, parse, redact

ACCOUNT = "acct_1AaBbCcDdEeFfGgHh"
MARK = ACCOUNT.removeprefix("acct_")[:16]
KEYRING = Keyring.fresh(random.Random(1).randbytes)


def text(kind: Kind = "secret", livemode: bool = True, seed: int = 1) -> str:
    return generate(kind, livemode, MARK, Ids.seeded(seed))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("livemode", [True, False])
def test_a_new_key_is_a_prefix_and_one_unbroken_body_of_99(kind: Kind, livemode: bool) -> None:
    made = text(kind, livemode)
    parsed = parse(made)
    assert parsed is not None
    assert (parsed.kind, parsed.livemode, len(parsed.body), parsed.checksummed) == (kind, livemode, 99, True)
    assert parsed.body.isalnum()
    assert made.startswith(f"{kind[0]}k_{'live' if livemode else 'test'}_51")


def test_the_keys_of_an_account_share_the_characters_after_the_lead() -> None:
    assert {text(kind, seed=seed).split("_")[2][:18] for kind in KINDS for seed in range(3)} == {"51" + MARK}


@given(st.text(max_size=40))
def test_any_account_name_makes_a_key_of_full_length_that_shows_nothing_of_the_name(account: str) -> None:
    mark = KEYRING.account_mark(account)
    assert mark == KEYRING.account_mark(account)
    assert re.fullmatch("[0-9A-Za-z]{16}", mark)
    made = generate("secret", True, mark, Ids.seeded(1))
    parsed = parse(made)
    assert parsed is not None
    assert len(parsed.body) == 99


def test_one_changed_character_fails_the_checksum() -> None:
    made = text()
    for index in range(8, len(made)):
        other = "A" if made[index] != "A" else "B"
        assert parse(made[:index] + other + made[index + 1 :]) is None


def test_an_imported_key_is_well_formed_but_has_no_checksum() -> None:
    short = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
    assert parse(short) is None
    parsed = parse(short, imported=True)
    assert parsed is not None
    assert not parsed.checksummed


@given(st.text())
def test_no_text_breaks_the_parser_or_the_masks(garbage: str) -> None:
    assert parse(garbage) is None
    assert len(mask_unknown(garbage)) == len(garbage)
    digest(garbage, b"k" * 32)


def test_a_prefix_can_be_of_ones_own() -> None:
    brand = Brand(publishable="pub", secret="acme", restricted="acmer", lead="")
    made = generate("secret", False, MARK, Ids.seeded(1), brand)
    assert made.startswith("acme_test_")
    parsed = parse(made, brand)
    assert parsed is not None
    assert parsed.kind == "secret"
    assert parse(made) is None


@pytest.mark.parametrize("words", [{"secret": "a_b"}, {"secret": "pk"}, {"live": "test"}, {"lead": "_"}])
def test_a_brand_that_scanners_or_parsers_would_stumble_over_is_refused(words: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        Brand(**words)


def test_the_digest_depends_on_the_text_and_on_the_key_outside_the_database() -> None:
    made = text()
    assert len(digest(made, b"a" * 32)) == 32
    assert len({digest(made, b"a" * 32), digest(made, b"b" * 32), digest(made[:-1], b"a" * 32)}) == 3


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("undefined", "*****ined"),
        ("False", "*alse"),
        ("an_unknown_api_key", "an_unknown_***_key"),
        ("sk_test_" + "a" * 20 + "WXYZ", "sk_test_" + "*" * 20 + "WXYZ"),
        ("sk_test_" + "a" * 95 + "WXYZ", "sk_test_" + "*" * 95 + "WXYZ"),
        ('{:api_key=>"' + "sk_test_" + "a" * 22 + 'KC"}', '{:***_***=>"**_****_' + "*" * 22 + 'KC"}'),
        ("abc", "abc"),
        ("", ""),
    ],
)
def test_an_unknown_key_is_masked_as_the_recordings_show(given: str, shown: str) -> None:
    assert mask_unknown(given) == shown


def test_a_known_key_shows_its_last_six_characters_and_an_older_short_one_its_last_four() -> None:
    made = text("restricted", False)
    assert mask_known(made) == "rk_test_" + "*" * 93 + made[-6:]
    assert mask_known("sk_test_" + "a" * 30 + "uCJm") == "sk_test_" + "*" * 30 + "uCJm"


def test_the_short_form_is_prefix_three_dots_and_four_characters() -> None:
    assert redact(text()) == "sk_live_..." + text()[-4:]


@pytest.mark.parametrize(
    "account", ["alice@example.com", "main", "cus_AliceExample", "acct_alice", "клиент", "a" * 200]
)
def test_a_key_says_nothing_about_the_name_of_its_account(service: KeyService, account: str) -> None:
    texts = [service.create(account=account, kind=kind, livemode=live)[1] for kind in KINDS for live in (True, False)]
    marks = {made.split("_")[2][2:18] for made in texts}
    assert len(marks) == 1, "stable for an account"
    assert all("alice" not in made.lower() for made in texts)
    assert account not in marks
    assert marks != {service.create(account="another")[1].split("_")[2][2:18]}


def test_the_mark_of_an_account_needs_the_key_material_and_outlives_its_rotation() -> None:
    assert KEYRING.account_mark("alice") == KEYRING.rotate_digest().rotate_digest().account_mark("alice")
    assert KEYRING.account_mark("alice") != Keyring.fresh(random.Random(2).randbytes).account_mark("alice")


def test_a_random_account_id_of_our_own_stands_in_its_keys_as_in_the_real_system() -> None:
    assert KEYRING.account_mark("acct_1AaBbCcDdEeFfGgH") == "1AaBbCcDdEeFfGgH"


def test_a_key_that_was_made_with_a_name_in_it_goes_on_working(service: KeyService) -> None:
    """Keys are found by their digest, so what stands in the text does not matter."""
    text = generate("restricted", True, "aliceexamplecom", Ids.seeded(1))
    scope = Scope("alice@example.com", True)
    key = service.database.write(lambda tx: service.authority.import_key(tx, scope, text, actor=SYSTEM, now=1))
    assert service.verify(text) == key


@pytest.mark.parametrize("mark", ["a" * 17, "a_b", "ä"])
def test_only_a_mark_is_put_into_a_key(mark: str) -> None:
    with pytest.raises(ValueError, match=r"Keyring\.account_mark"):
        generate("secret", True, mark, Ids.seeded(1))
