"""The breaking changes of Stripe's API since 2022-11-15, and what this server does about each.

``spec/changelog.jsonl`` has one row for each change. A change that is built stands beside its resource, as a
``Change``, a ``Removed`` or a condition on ``call.version``; ``tests/wire/test_changelog.py`` compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import orjson

#: Where the pages of Stripe's changelog are.
PAGES = "https://docs.stripe.com/changelog/"


@dataclass(frozen=True)
class Entry:
    """A breaking change of the API.

    version: that made it, as the header ``Stripe-Version`` names it. link: its page, as it follows ``PAGES``.
    what: in a sentence. decision: whether this server makes the difference, too. why: not, when it does not.
    by: what makes the difference: ``change OBJECT``, ``removed OPERATION PARAMETER``, ``ended OPERATION``, ``absent
    OPERATION PARAMETER``, ``expand OBJECT PROPERTY`` or ``test ID``.
    differs: operations that do something else since then, unless one of these parameters is sent.
    """

    version: str
    link: str
    what: str
    decision: Literal["done", "not applicable", "left out"]
    why: str = ""
    by: tuple[str, ...] = ()
    differs: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def date(self) -> str:
        """The version's day, ``YYYY-MM-DD``."""
        return self.version[:10]


@cache
def entries() -> tuple[Entry, ...]:
    """Return all breaking changes, oldest first."""
    rows = files("tollkey.wire.spec").joinpath("changelog.jsonl").read_bytes().splitlines()
    return tuple(_entry(orjson.loads(row)) for row in rows)


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(
        version=row["version"],
        link=row["link"],
        what=row["what"],
        decision=row["decision"],
        why=row.get("why", ""),
        by=tuple(row.get("by", ())),
        differs=tuple((name, tuple(unless)) for name, unless in row.get("differs", ())),
    )
