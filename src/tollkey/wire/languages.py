"""The languages of hosted pages and of documents: texts, dates, amounts and names of countries.

Code has its texts in English, ``language.say("Amount due")``; ``words/<language>.json`` has those of each other
language under the English text. What is no literal within ``say`` is marked as a ``Text``.
``tests/wire/test_languages.py`` asks every table for every text.

Babel, whose data take megabytes, is imported when a page is first shown in it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal, NewType

from tollkey.wire.decimals import decimals

if TYPE_CHECKING:
    from babel import Locale
    from babel.numbers import NumberPattern

    from tollkey.wire.call import Call

Text = NewType("Text", str)
"""Marks an English text that the tables have, where it is not written within ``say`` itself."""

#: The languages with a table, and English, whose texts are the code's own.
LANGUAGES = ("en", "de", "fr", "es", "ja")
_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z]{4})?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?")
#: How often something recurs: for one interval, and for several.
_EVERY = {
    "day": (Text("per day"), Text("every {count} days")),
    "week": (Text("per week"), Text("every {count} weeks")),
    "month": (Text("per month"), Text("every {count} months")),
    "year": (Text("per year"), Text("every {count} years")),
}
_MOST_WISHES = 16  # of an Accept-Language header
_NO_DAY = "–"


class Language:
    """A language, with the region whose way of writing dates and amounts it follows.

    tag: as HTML has it, such as ``de`` or ``en-GB``. code: one of ``LANGUAGES``. region: such as ``GB``, or empty.
    """

    def __init__(self, code: str, region: str = "") -> None:
        self.code, self.region, self.tag = code, region, f"{code}-{region}" if region else code

    def say(self, text: str, /, **values: object) -> str:
        """Return an English text in this language. values: what stands for the names in its braces."""
        said = text if self.code == "en" else _table(self.code).get(text, text)
        return said.format(**values) if values else said

    def day(self, at: int, length: Literal["long", "medium"] = "long") -> str:
        """Return the date of a time (UTC epoch seconds). length: of the form, ``long`` or ``medium``."""
        from babel.dates import format_date

        try:
            when = datetime.fromtimestamp(at, UTC)
        except (ValueError, OverflowError, OSError):  # after the year 9999
            return _NO_DAY
        return format_date(when, length, self._locale)

    def amount(self, amount: int, currency: str) -> str:
        """Return an amount of minor units with its currency."""
        places = decimals(currency)
        return self._money(Decimal(amount).scaleb(-places), currency, places)

    def unit_price(self, amount: Decimal, currency: str) -> str:
        """Return a price of minor units that may have fractions of these, with all its digits."""
        places = decimals(currency)
        value = amount.scaleb(-places).normalize()
        exponent = value.as_tuple().exponent
        return self._money(value, currency, max(places, -exponent if isinstance(exponent, int) else 0))

    def percent(self, value: float | Decimal) -> str:
        """Return a percentage. value: 19 for 19 %."""
        from babel.numbers import format_decimal

        space = " " if self.code in ("de", "fr", "es") else ""  # one that does not break
        return f"{format_decimal(Decimal(str(value)), '#,##0.####', self._locale)}{space}%"

    def number(self, value: int | Decimal) -> str:
        """Return a number."""
        from babel.numbers import format_decimal

        return format_decimal(value, "#,##0.############", self._locale)

    def country(self, code: str) -> str:
        """Return the name of a country; its code if it has none."""
        name = self._locale.territories.get(code.upper())
        return str(name) if name else code

    def countries(self, codes: Iterable[str]) -> list[tuple[str, str]]:
        """Return these countries as code and name, in the order of their names."""
        return sorted(((code, self.country(code)) for code in codes), key=lambda pair: _sorted_as(pair[1]))

    def every(self, interval: str, count: int) -> str:
        """Return how often something recurs. interval: ``day``, ``week``, ``month`` or ``year``."""
        once, several = _EVERY[interval]
        return self.say(once) if count == 1 else self.say(several, count=count)

    @property
    def _locale(self) -> Locale:
        return _locale(self.tag)

    def _money(self, value: Decimal, currency: str, places: int) -> str:
        """Return an amount with exactly that many decimal digits: some currencies have fewer in Babel's data."""
        pattern = _currency_pattern(self.tag, places)
        return str(pattern.apply(value, self._locale, currency.upper(), currency_digits=False))


def choose(call: Call, *wanted: str | None) -> Language:
    """Return the first of these languages that there is, else the one that the reader's browser asks for, else English.

    wanted: such as the ``locale`` of a session or a customer's ``preferred_locales``; ``auto`` and None say nothing.
    """
    return first_of((*wanted, *accepted(call.origin.headers.get("accept-language", ""))))


def first_of(wanted: Iterable[str | None]) -> Language:
    """Return the first of these languages that there is, else English."""
    for tag in wanted:
        match = _TAG.fullmatch(tag or "")
        if match and match[1].lower() in LANGUAGES:
            return _known(match[1].lower(), (match[2] or "").upper())
    return ENGLISH


def accepted(header: str) -> list[str]:
    """Return the languages of an Accept-Language header, the most wanted first."""
    wishes = []
    for place, part in enumerate(header.split(",")[:_MOST_WISHES]):
        tag, _, weight = part.strip().partition(";")
        match = re.fullmatch(r"\s*q=([01](?:\.[0-9]{0,3})?)\s*", weight)
        share = float(match[1]) if match else 0.0 if weight else 1.0
        wishes.append((-share, place, tag.strip()))
    return [tag for share, _, tag in sorted(wishes) if share < 0]


@lru_cache(maxsize=128)
def _known(code: str, region: str) -> Language:
    """Return a language, without a region that is none."""
    from babel import Locale, UnknownLocaleError

    try:
        Locale(code, region or None)
    except (UnknownLocaleError, ValueError):
        return Language(code)
    return Language(code, region)


@lru_cache(maxsize=32)
def _locale(tag: str) -> Locale:
    from babel import Locale

    return Locale.parse(tag, sep="-")


@lru_cache(maxsize=128)
def _currency_pattern(tag: str, places: int) -> NumberPattern:
    from babel.numbers import parse_pattern

    pattern = parse_pattern(_locale(tag).currency_formats["standard"].pattern)
    pattern.frac_prec = (places, places)
    return pattern


@cache
def _table(code: str) -> Mapping[str, str]:
    """Return the texts of a language, by the English ones."""
    table: dict[str, str] = json.loads((files("tollkey.wire") / "words" / f"{code}.json").read_text("utf-8"))
    return table


def _sorted_as(name: str) -> str:
    """Return what a name is sorted by: its letters without accents."""
    return "".join(letter for letter in unicodedata.normalize("NFD", name) if not unicodedata.combining(letter)).lower()


ENGLISH = Language("en")
