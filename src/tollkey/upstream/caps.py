"""Caps of a key: how much it may move through an upstream account, in which currencies, for which accounts.

They stand in the metadata of the key, so that a successor inherits them, the audit log has them, and every way to
change a key can change them: the API, the command line, the Dashboard.

    cap_amount           largest amount of one payment or refund, by currency: ``usd:5000 eur:4500`` (minor units)
    cap_charged_a_day    sum of payments a day (UTC), by currency
    cap_refunded_a_day   sum of refunds a day (UTC), by currency
    cap_currencies       currencies: ``usd eur``
    cap_accounts         connected accounts: ``acct_1 acct_2``; ``self`` for the upstream account itself
    cap_group            keys with the same word share their sums
    cap_exceeded         ``refuse``, or ``ask``: a person approves calls above a cap
    dry_run              ``true``: nothing is sent; the answer says what would have happened
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from tollkey.keys import Key, KeyRefused
from tollkey.keys.header import beginning

_AMOUNT = re.compile(r"([a-z]{3}):([0-9]{1,12})")
_CURRENCY = re.compile(r"[a-z]{3}")
_ACCOUNT = re.compile(r"self|acct_[A-Za-z0-9]{1,60}")
_GROUP = re.compile(r"[A-Za-z0-9._-]{1,60}")
#: Currency -> largest amount, in minor units.
Amounts = Mapping[str, int]


@dataclass(frozen=True)
class Caps:
    """The caps of a key. An empty collection does not limit; see the module for each."""

    amount: Amounts = field(default_factory=dict)
    charged_a_day: Amounts = field(default_factory=dict)
    refunded_a_day: Amounts = field(default_factory=dict)
    currencies: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    group: str = ""
    asks: bool = False
    dry_run: bool = False

    @property
    def counts_money(self) -> bool:
        """Whether a call has to say how much it moves."""
        return bool(self.amount or self.charged_a_day or self.refunded_a_day or self.currencies)

    def a_day(self, kind: str) -> Amounts:
        """Return the largest sums a day. kind: ``charge`` or ``refund``."""
        return self.refunded_a_day if kind == "refund" else self.charged_a_day


def _amounts(text: str) -> dict[str, int]:
    found = [_AMOUNT.fullmatch(part) for part in text.split()]
    if not found or None in found:
        raise ValueError("must have the form usd:5000 eur:4500, in minor units")
    amounts = {match[1]: int(match[2]) for match in found if match is not None}
    if len(amounts) < len(found):
        raise ValueError("names a currency twice")
    return amounts


def _words(pattern: re.Pattern[str], form: str) -> Callable[[str], frozenset[str]]:
    def read(text: str) -> frozenset[str]:
        words = text.split()
        if not words or not all(map(pattern.fullmatch, words)):
            raise ValueError(f"must have the form {form}")
        return frozenset(words)

    return read


def _group(text: str) -> str:
    if not _GROUP.fullmatch(text):
        raise ValueError("must be a word of letters, digits, dots, hyphens and underscores")
    return text


def _choice(**values: bool) -> Callable[[str], bool]:
    def read(text: str) -> bool:
        if text not in values:
            raise ValueError(f"must be {' or '.join(values)}")
        return values[text]

    return read


#: Name in the metadata -> field of ``Caps``, and what reads it; it raises ValueError.
_READERS: Final[dict[str, tuple[str, Callable[[str], object]]]] = {
    "cap_amount": ("amount", _amounts),
    "cap_charged_a_day": ("charged_a_day", _amounts),
    "cap_refunded_a_day": ("refunded_a_day", _amounts),
    "cap_currencies": ("currencies", _words(_CURRENCY, "usd eur")),
    "cap_accounts": ("accounts", _words(_ACCOUNT, "acct_1 acct_2, or self")),
    "cap_group": ("group", _group),
    "cap_exceeded": ("asks", _choice(refuse=False, ask=True)),
    "dry_run": ("dry_run", _choice(true=True, false=False)),
}
NAMES: Final = frozenset(_READERS)


def check(metadata: Mapping[str, str]) -> None:
    """Raise KeyRefused, ``metadata_invalid``, for metadata with a cap that cannot be read, or an unknown one."""
    for name, text in metadata.items():
        if name.startswith("cap_") and name not in _READERS:
            raise _refused(name, f"is no cap; caps are {', '.join(sorted(NAMES))}")
        if name in _READERS:
            try:
                _READERS[name][1](text)
            except ValueError as problem:
                raise _refused(name, str(problem)) from None


def _refused(name: str, why: str) -> KeyRefused:
    return KeyRefused("metadata_invalid", f"The metadata entry {beginning(name, 40)} {why}.", "metadata")


def caps_of(key: Key) -> Caps | None:
    """Return the caps of a key, None if it has none. Raises KeyRefused for metadata that an earlier version took."""
    if not key.metadata or NAMES.isdisjoint(key.metadata):
        return None
    return _caps(tuple((name, key.metadata[name]) for name in sorted(NAMES & key.metadata.keys())))


@lru_cache(maxsize=1_000)
def _caps(entries: tuple[tuple[str, str], ...]) -> Caps:
    check(dict(entries))
    return Caps(**{_READERS[name][0]: _READERS[name][1](text) for name, text in entries})  # type: ignore[arg-type]
