"""The texts of the frames: each language has every one, and says what hosted pages say in the same words."""

from __future__ import annotations

import json
import re

import pytest

from tollkey.stripejs.files import STATIC
from tollkey.wire.languages import LANGUAGES, first_of

TABLES = [code for code in LANGUAGES if code != "en"]


def table(code: str) -> dict[str, str]:
    loaded: dict[str, str] = json.loads((STATIC / "words" / f"{code}.json").read_text("utf-8"))
    return loaded


def scripts() -> str:
    """All scripts, with texts of several lines put together."""
    text = "\n".join(path.read_text("utf-8") for path in sorted(STATIC.rglob("*.js")))
    return re.sub(r"'\s*\+\s*'", "", text).replace("\\'", "'")


def test_the_languages_are_those_of_hosted_pages() -> None:
    assert sorted(path.stem for path in (STATIC / "words").iterdir()) == sorted(TABLES)


@pytest.mark.parametrize("code", TABLES)
def test_a_language_has_every_text_and_no_other(code: str) -> None:
    said = re.findall(r"""\bsay\(\s*(?:'([^']*)'|"([^"]*)")""", scripts())
    known = table(code)
    assert {one or other for one, other in said} - known.keys() == set()
    assert [text for text in known if f"'{text}'" not in scripts() and f'"{text}"' not in scripts()] == []
    assert known.keys() == table("de").keys()


@pytest.mark.parametrize("code", TABLES)
def test_a_text_names_the_same_values_and_is_that_of_hosted_pages(code: str) -> None:
    language = first_of([code])
    for text, said in table(code).items():
        assert (sorted(re.findall(r"\{\w+\}", said)), bool(said.strip())) == (
            sorted(re.findall(r"\{\w+\}", text)),
            True,
        )
        assert language.say(text) in (text, said)
