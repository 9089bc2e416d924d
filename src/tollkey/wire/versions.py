"""API versions: today's shape is stored, older callers get theirs by undoing changes.

A resource lists its ``changes``. A request with version V sees each change whose date is later
than V undone, newest first. Versions are dates, since 2024 with a name: ``2024-09-30.acacia``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tollkey.wire.errors import ApiError
from tollkey.wire.spec.dates import DATES

if TYPE_CHECKING:
    from tollkey.wire.call import Call
    from tollkey.wire.resource import Catalogue

LATEST = "2026-05-27.dahlia"
_VERSION = re.compile(r"(20[12]\d-[01]\d-[0-3]\d)(?:\.[a-z_]+)?(?:\s*;\s*[a-z0-9_]+=v\d+)*")
_FIRST = "2011-01-01"


@dataclass(frozen=True)
class Change:
    """One change that a later version brought to an object's answers.

    date: the day of the version that brought it, ``YYYY-MM-DD``.
    undo: gives the answer its older shape, in place: ``(call, object)``.
    """

    date: str
    undo: Callable[[Call, dict[str, Any]], None]


def parse_version(text: str) -> str:
    """The date of a ``Stripe-Version`` header. Versions younger than the newest known one are taken for that.

    Raises ApiError 400 with the real text for anything else (reference section 1.2).
    """
    match = _VERSION.fullmatch(text.strip())
    if match is None or (match[1] <= LATEST[:10] and match[1] not in DATES):
        raise ApiError(400, message=f"Invalid Stripe API version: {text}", bare=True)
    return match[1]


class Versions:
    """The changes of all resources, ready to be undone."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._changes = {r.object: sorted(r.changes, key=lambda c: c.date, reverse=True) for r in catalogue.resources if r.changes}
        self._last = max((changes[0].date for changes in self._changes.values()), default=_FIRST)

    def current(self, date: str) -> bool:
        """Whether a caller of that version sees every object as it is stored."""
        return date >= self._last

    def touches(self, date: str, object: str) -> bool:
        """Whether some change of that object has to be undone for that version."""
        changes = self._changes.get(object)
        return changes is not None and changes[0].date > date

    def undo(self, call: Call, answer: Any, date: str) -> None:
        """Give an answer, with every object inside it, the shape of that version; in place.

        What an event carries stays in the shape of the event's own ``api_version``, whoever reads it.
        """
        if isinstance(answer, list):
            for item in answer:
                self.undo(call, item, date)
        elif isinstance(answer, dict):
            kind = answer.get("object")
            for change in self._changes.get(kind, ()) if isinstance(kind, str) else ():
                if change.date <= date:
                    break
                change.undo(call, answer)
            if kind == "event":
                return
            for value in list(answer.values()):
                if isinstance(value, dict | list):
                    self.undo(call, value, date)
