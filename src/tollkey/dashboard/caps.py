"""The caps of a key, and amounts that calls move, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tollkey.keys import Key, KeyRefused
from tollkey.payments.facts import money
from tollkey.upstream import caps

LABELS: Final = {
    "cap_amount": "Largest payment or refund",
    "cap_charged_a_day": "Payments a day (UTC), together",
    "cap_refunded_a_day": "Refunds a day (UTC), together",
    "cap_currencies": "Currencies",
    "cap_accounts": "Accounts",
    "cap_group": "Counts together with",
    "cap_exceeded": "Above a cap",
    "dry_run": "Dry run",
}


def moved(amount: int, currency: str | None) -> str:
    """An amount with its currency, such as ``$50.00 USD``. currency: None where the call named none."""
    return f"{money(amount, currency)} {currency.upper()}" if currency else f"{amount} in minor units"


def in_words(key: Key) -> list[tuple[str, str]]:
    """The caps of a key: label and value of each; none for a key without caps."""
    try:
        found = caps.caps_of(key)
    except KeyRefused as problem:
        return [("Unreadable", f"{problem.message} All calls with this key are refused.")]
    if found is None:
        return []
    words = [
        ("cap_amount", _amounts(found.amount)),
        ("cap_charged_a_day", _amounts(found.charged_a_day)),
        ("cap_refunded_a_day", _amounts(found.refunded_a_day)),
        ("cap_currencies", ", ".join(sorted(one.upper() for one in found.currencies))),
        ("cap_accounts", ", ".join(_account(one) for one in sorted(found.accounts))),
        ("cap_group", f"all keys of the group {found.group}" if found.group else ""),
        ("cap_exceeded", _exceeded(found)),
        ("dry_run", "Nothing that writes is sent; the answer says what would have been." if found.dry_run else ""),
    ]
    return [(LABELS[name], text) for name, text in words if text]


def _amounts(amounts: Mapping[str, int]) -> str:
    return ", ".join(moved(amount, currency) for currency, amount in sorted(amounts.items()))


def _account(name: str) -> str:
    return "the upstream account itself" if name == "self" else name


def _exceeded(found: caps.Caps) -> str:
    if not found.counts_money:
        return ""
    return "A person is asked to approve the call." if found.asks else "The call is refused."
