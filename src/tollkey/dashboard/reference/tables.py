"""Tables of the docs, generated from the code: permissions, error codes, test cards, roles, expirations, settings."""

from __future__ import annotations

import dataclasses

from tollkey.dashboard import roles
from tollkey.dashboard.reference.error_codes import ERROR_CODES
from tollkey.dashboard.reference.guides import Table, Tables
from tollkey.keys.limits import ROLL_EXPIRATIONS
from tollkey.payments.facts import test_banks, test_cards
from tollkey.settings import Settings
from tollkey.wire.resource import Catalogue

_MEANS = {
    "now": ("now", "The old key is refused from this second on."),
    "in_1_hour": ("in 1 hour", "Time to change one service by hand."),
    "in_24_hours": ("in 24 hours", "Time for a day's deployments."),
    "in_3_days": ("in 3 days", "Time over a weekend."),
    "in_7_days": ("in 7 days", "Time for others who use the key."),
}


def tables_for(catalogue: Catalogue) -> Tables:
    """Return the tables by name."""
    return {
        "permissions": lambda: _permissions(catalogue),
        "error_codes": lambda: (
            ("Code", "Meaning"),
            [(code, meaning) for code, meaning in sorted(ERROR_CODES.items())],
        ),
        "test_banks": _banks,
        "test_cards": _cards,
        "roles": _roles,
        "expirations": lambda: (
            ("Expiration", "In the API", "What it means"),
            [(_MEANS[name][0], name, _MEANS[name][1]) for name in ROLL_EXPIRATIONS],
        ),
        "settings": _settings,
    }


def _permissions(catalogue: Catalogue) -> Table:
    rows = sorted(catalogue.permissions(), key=lambda p: (p.group, p.label))
    return ("Group", "Resource", "Read", "Write"), [
        (p.group, p.label, *(f"{p.name}_{level}" if level in p.levels else "" for level in ("read", "write")))
        for p in rows
    ]


def _cards() -> Table:
    rows = [(card.number, card.name, card.brand, card.country, card.does) for card in test_cards()]
    return ("Number", "Name", "Brand", "Country", "What happens"), rows


def _banks() -> Table:
    rows = [(bank.number, bank.name, bank.kind, bank.country, bank.does) for bank in test_banks()]
    return ("Number", "Name", "Type", "Country", "What happens"), rows


def _roles() -> Table:
    titles = ("", *(role.label for role in roles.ROLES))
    rows = []
    for action in roles.ACTIONS.values():
        cells = []
        for role in roles.ROLES:
            test, live = role.name in action.test, role.name in action.live
            cells.append("yes" if test and live else "test mode" if test else "live mode" if live else "no")
        rows.append((action.label, *cells))
    return titles, rows


def _settings() -> Table:
    rows = [
        (f"TOLLKEY_{field.name.upper()}", str(field.default), field.metadata["about"])
        for field in dataclasses.fields(Settings)
    ]
    return ("Variable", "Default", "Meaning"), rows
