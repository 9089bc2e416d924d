"""API versions: today's shape is stored, older callers get theirs by undoing changes.

A resource lists its ``changes``. A request with version V sees each change whose date is later
than V undone, newest first. Versions are dates, since 2024 with a name: ``2024-09-30.acacia``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from tollkey.wire.errors import ApiError
from tollkey.wire.spec.dates import DATES

if TYPE_CHECKING:
    from tollkey.wire.call import Call
    from tollkey.wire.resource import Catalogue

LATEST = "2026-05-27.dahlia"
_FIRST = "2011-01-01"
_VERSION = re.compile(r"(20[1-9]\d-[01]\d-[0-3]\d)(?:\.([a-z]+))?((?:\s*;\s*[a-z0-9_]+=v\d+)*)")
_PREVIEW = "preview"  # in place of the name: the version of that day with features that are not public yet


@dataclass(frozen=True)
class Change:
    """One change that a later version brought to an object's answers.

    date: the day of the version that brought it, ``YYYY-MM-DD``.
    undo: gives the answer its older shape, in place: ``(call, object)``.
    """

    date: str
    undo: Callable[[Call, Any], None]


class Spoken(NamedTuple):
    """The version in which a caller is answered.

    date: its day, never after that of ``LATEST``. headers: what the answer says of it; a version that is known to be
        newer than what is built, or features that are not, are answered with a ``Stripe-Notice``, which the official
        SDKs and the CLI print.
    """

    date: str
    headers: dict[str, str]


def read_version(text: str | None, later: frozenset[str] = frozenset()) -> Spoken:
    """What a ``Stripe-Version`` header asks for; the newest version that is built where there is none.

    later: versions that were published after this program, as a server's settings name them.
    Raises ApiError 400 with the real text for a version that was published on no day (reference section 1.2).
    """
    return _read(text, later) if text else _NEWEST


@lru_cache(maxsize=200)
def _read(text: str, later: frozenset[str]) -> Spoken:
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        raise _invalid(text)
    day, name, features = match.groups()
    published = name in (None, _PREVIEW, DATES[day]) if day in DATES else f"{day}.{name}" in later
    if not published:
        raise _invalid(text)
    said = text.strip()
    notices = []
    if day > LATEST[:10]:
        day, said = LATEST[:10], LATEST
        notices.append(newer_notice(text.strip().partition(";")[0]))
    if name == _PREVIEW or features:
        notices.append(
            "Features in preview are not built: they are answered as the public version of that day answers."
        )
    return Spoken(day, {"Stripe-Version": said, **({"Stripe-Notice": " ".join(notices)} if notices else {})})


def newer_notice(version: str) -> str:
    """What is said of a version that is known and newer than what is built."""
    return f"API version {version} is newer than this server is built for: answers have the shape of {LATEST}."


def newer_than_built() -> list[str]:
    """The published versions that are known and newer than ``LATEST``, oldest first, with their names."""
    return [f"{day}.{name}" for day, name in sorted(DATES.items()) if day > LATEST[:10]]


def is_newer(version: str) -> bool:
    """Whether that version (a header's text) was published after the newest that is built."""
    match = _VERSION.fullmatch(version.strip())
    return match is not None and match[1] > LATEST[:10]


def _invalid(text: str) -> ApiError:
    return ApiError(400, message=f"Invalid Stripe API version: {text}", bare=True)


_NEWEST = Spoken(LATEST[:10], {"Stripe-Version": LATEST})


class Versions:
    """The changes of all resources, ready to be undone."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._changes = {
            r.object: sorted(r.changes, key=lambda c: c.date, reverse=True) for r in catalogue.resources if r.changes
        }
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
