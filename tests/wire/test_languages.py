"""The languages of pages and documents: each has every text, and writes dates and amounts as its readers do."""

from __future__ import annotations

import ast
import json
import re
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

import tollkey
from tests.support.api import NOW
from tollkey.wire.languages import ENGLISH, LANGUAGES, first_of

SOURCE = Path(tollkey.__file__).parent
TABLES = [code for code in LANGUAGES if code != "en"]


def table(code: str) -> dict[str, str]:
    loaded: dict[str, str] = json.loads((SOURCE / "wire" / "words" / f"{code}.json").read_text("utf-8"))
    return loaded


@cache
def texts() -> frozenset[str]:
    """Every English text: what stands in ``say("…")`` and ``Text("…")`` anywhere in the program."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        code = path.read_text("utf-8")
        if "say" not in code and "Text(" not in code:
            continue
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called in ("say", "Text") and isinstance(node.args[0].value, str):
                    found.add(node.args[0].value)
    return frozenset(found)


def names(text: str) -> list[str]:
    return sorted(re.findall(r"\{(\w*)\}", text))


@pytest.mark.parametrize("code", TABLES)
def test_every_text_of_every_page_is_in_the_table_of_each_language_and_no_other(code: str) -> None:
    assert set(table(code)) ^ texts() == set()


@pytest.mark.parametrize("code", TABLES)
def test_a_text_in_another_language_names_the_same_values(code: str) -> None:
    assert [text for text, said in table(code).items() if names(text) != names(said) or not said.strip()] == []


@pytest.mark.parametrize(("tag", "day", "amount", "yen"), [
    ("en", "January 1, 2026", "-$1,234.56", "¥500"),
    ("en-GB", "1 January 2026", "-US$1,234.56", "JP¥500"),
    ("de", "1. Januar 2026", "-1.234,56\xa0$", "500\xa0¥"),
    ("fr", "1 janvier 2026", "-1\u202f234,56\xa0$US", "500\xa0JPY"),
    ("es", "1 de enero de 2026", "-1.234,56\xa0US$", "500\xa0JPY"),
    ("ja", "2026年1月1日", "-$1,234.56", "￥500"),
])  # fmt: skip
def test_dates_and_amounts_are_those_of_the_language(tag: str, day: str, amount: str, yen: str) -> None:
    language = first_of([tag])
    assert (language.day(NOW), language.amount(-123_456, "usd"), language.amount(500, "jpy")) == (day, amount, yen)


@pytest.mark.parametrize(
    ("currency", "shown"), [("kwd", "1.234"), ("lbp", "12.34"), ("isk", "12.34"), ("krw", "1,234"), ("huf", "12.34")]
)
def test_an_amount_has_the_digits_that_its_currency_has_here(currency: str, shown: str) -> None:
    assert ENGLISH.amount(1_234, currency).endswith(shown)


def test_a_price_of_fractions_has_all_its_digits() -> None:
    assert ENGLISH.unit_price(Decimal("0.25"), "usd") == "$0.0025"
    assert ENGLISH.unit_price(Decimal("1000"), "usd") == "$10.00"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["auto", "de"], "de"),
        ([None, "it", "fr-CA"], "fr-CA"),
        (["pt-BR"], "en"),
        (["en-ZZ"], "en"),
        (["DE_at"], "de-AT"),
        (["x" * 5_000, "../etc", ""], "en"),
    ],
)
def test_the_first_language_that_there_is_wins(wanted: list[str | None], found: str) -> None:
    assert first_of(wanted).tag == found


def test_a_time_that_no_calendar_has_is_no_error() -> None:
    assert ENGLISH.day(2**60) == "–"


def test_countries_have_their_names_in_the_order_of_the_language() -> None:
    assert first_of(["de"]).countries(["US", "AT", "EG"]) == [
        ("EG", "Ägypten"),
        ("AT", "Österreich"),
        ("US", "Vereinigte Staaten"),
    ]
    assert ENGLISH.country("XQ") == "XQ"
