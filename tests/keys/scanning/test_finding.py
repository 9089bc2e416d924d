"""Which texts are recognised as keys."""

from __future__ import annotations

import base64

import pytest

from tests.support.altered import altered
from tollkey.db import Ids
from tollkey.keys.scanning import Words, find_keys, is_sample
from tollkey.keys.token import Brand, Kind, checksum, generate

ACME = Brand(publishable="acmepk", secret="acmesk", restricted="acmerk")


def key(kind: Kind = "secret", livemode: bool = True, brand: Brand | None = None, seed: int = 1) -> str:
    return generate(kind, livemode, "1AaBbCcDdEeFfGgH", Ids.seeded(seed), brand or Brand())


def texts(data: str, words: Words | None = None, *, unchecked: bool = False) -> list[str]:
    return [found.text for found in find_keys(data.encode(), words or Words(), unchecked=unchecked)]


@pytest.mark.parametrize("kind", ["secret", "restricted"])
@pytest.mark.parametrize("livemode", [True, False])
def test_a_key_is_found_with_its_mode_and_kind(kind: Kind, livemode: bool) -> None:
    (found,) = find_keys(f"KEY={key(kind, livemode)}\n".encode(), Words())
    assert (found.text, found.kind, found.livemode, found.start) == (key(kind, livemode), kind, livemode, 4)


@pytest.mark.parametrize("around", ['"{}"', "STRIPE_{}", "export A={};", r"\n{}\n", "https://{}@host", "{}", "x={}&b"])
def test_a_key_is_found_in_whatever_stands_around_it(around: str) -> None:
    assert texts(around.format(key())) == [key()]


def test_a_text_without_the_right_checksum_is_no_key() -> None:
    wrong = key()[:-1] + ("a" if key()[-1] != "a" else "b")
    assert texts(wrong) == []
    assert texts(wrong, unchecked=True) == [wrong]


def test_keys_of_any_brand_are_found_without_naming_it() -> None:
    mine = key(brand=ACME)
    assert texts(mine) == [mine]
    assert texts(f"{key()} {mine}", Words.of(ACME)) == [mine]


@pytest.mark.parametrize("brand", [Brand(), ACME])
def test_a_publishable_key_raises_no_alarm(brand: Brand) -> None:
    assert texts(key("publishable", brand=brand)) == []
    assert texts(key("publishable", brand=brand), Words.of(brand), unchecked=True) == []


def test_documented_samples_raise_no_alarm() -> None:
    start = "sk_live_51EXAMPLE" + "x" * 60
    assert texts(start + checksum(start)) == []
    stripes = "sk_test_" + "4eC39HqLyjWDarjtT1zdp7dc"
    assert is_sample(stripes)
    assert texts(stripes, unchecked=True) == []
    assert texts(altered(stripes), unchecked=True) == [altered(stripes)]


@pytest.mark.parametrize("before", ["", ":", "user:"])
def test_a_key_in_base64_is_found(before: str) -> None:
    secret = base64.b64encode(f"{before}{key()}:".encode()).decode()
    (found,) = find_keys(f"  api-key: {secret}\n".encode(), Words())
    assert (found.text, found.encoded, found.start) == (key(), True, 11)


def test_a_found_key_does_not_show_itself() -> None:
    (found,) = find_keys(key().encode(), Words())
    assert found.text not in repr(found)
    assert found.masked == f"sk_live_...{key()[-4:]}"
    assert len(found.fingerprint) == 16


@pytest.mark.parametrize("data", [b"_" * 5000, b"a_b_" * 2000, b"\xff\x00_" + b"A" * 5000, b"====" + b"/" * 9000])
def test_any_bytes_may_be_searched(data: bytes) -> None:
    assert list(find_keys(data, Words())) == []
