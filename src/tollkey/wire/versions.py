"""API versions: objects are stored in the latest version and converted for callers of older ones.

A resource lists its ``changes``. For a request with version V, every change with a date later than V is undone,
newest first. Versions are dates, since 2024 with a name: ``2024-09-30.acacia``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from tollkey.wire.errors import ApiError
from tollkey.wire.shapes import types_inside
from tollkey.wire.spec.dates import DATES

if TYPE_CHECKING:
    from tollkey.wire.call import Call
    from tollkey.wire.resource import Catalogue

LATEST = "2026-10-28.endive"
_FIRST = "2011-01-01"
_VERSION = re.compile(r"(20[1-9]\d-[01]\d-[0-3]\d)(?:\.([a-z]+))?((?:\s*;\s*[a-z0-9_]+=v\d+)*)")
_PREVIEW = "preview"  # in place of the name: that day's version with preview features


@dataclass(frozen=True)
class Change:
    """A change that an API version made to an object in responses.

    date: of that version, ``YYYY-MM-DD``.
    undo: ``(call, object)``, converts the object to the form before the change, in place.
    """

    date: str
    undo: Callable[[Call, Any], None]


class Spoken(NamedTuple):
    """The API version of a response.

    date: never later than that of ``LATEST``.
    headers: ``Stripe-Version``, and for a newer version or preview features that are not implemented a
    ``Stripe-Notice``, which the official SDKs and the CLI print.
    """

    date: str
    headers: dict[str, str]


def read_version(text: str | None, later: frozenset[str] = frozenset()) -> Spoken:
    """Return the version for a ``Stripe-Version`` header; ``LATEST`` without one.

    later: further published versions, from the server's settings.
    Raises ApiError 400 for a version that was never published (reference section 1.2).
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
    """Return the notice for a published version that is newer than ``LATEST``."""
    return f"API version {version} is newer than this server is built for: answers have the shape of {LATEST}."


def newer_than_built() -> list[str]:
    """Return the known published versions newer than ``LATEST``, oldest first, as ``date.name``."""
    return [f"{day}.{name}" for day, name in sorted(DATES.items()) if day > LATEST[:10]]


def is_newer(version: str) -> bool:
    """Return whether a version (a header's text) is newer than ``LATEST``."""
    match = _VERSION.fullmatch(version.strip())
    return match is not None and match[1] > LATEST[:10]


def _invalid(text: str) -> ApiError:
    return ApiError(400, message=f"Invalid Stripe API version: {text}", bare=True)


_NEWEST = Spoken(LATEST[:10], {"Stripe-Version": LATEST})


class Versions:
    """The version changes of all resources."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._changes = {
            r.object: sorted(r.changes, key=lambda c: c.date, reverse=True) for r in catalogue.resources if r.changes
        }
        self._marks: dict[tuple[str, str], tuple[bytes, ...] | None] = {}
        self._last = max((changes[0].date for changes in self._changes.values()), default=_FIRST)

    def current(self, date: str) -> bool:
        """Return whether callers of that version see every object as stored."""
        return date >= self._last

    def marks(self, date: str, object: str) -> tuple[bytes, ...] | None:
        """Return texts that the JSON of an object of that type has if something inside it must be converted.

        date: of the caller's version, a published one.
        Returns None if objects of that type must be converted, or if Stripe's document does not say what is inside.
        """
        if (date, object) not in self._marks:
            later = {kind for kind, changes in self._changes.items() if changes[0].date > date}
            inside = types_inside(object)
            known = None if object in later or (later and inside is None) else later.intersection(inside or ())
            self._marks[date, object] = None if known is None else tuple(b'"object": "%b"' % k.encode() for k in known)
        return self._marks[date, object]

    def undo(self, call: Call, answer: Any, date: str) -> None:
        """Convert a response and every object inside it to that version, in place.

        The object in an event keeps the version in the event's ``api_version``.
        """
        if isinstance(answer, list):
            for item in answer:
                self.undo(call, item, date)
        elif isinstance(answer, dict):
            kind = answer.get("object")
            changes = self._changes.get(kind, ()) if isinstance(kind, str) else ()
            for change in changes if answer.get("deleted") is not True else ():
                if change.date <= date:
                    break
                change.undo(call, answer)
            if kind == "event":
                return
            for value in list(answer.values()):
                if isinstance(value, dict | list):
                    self.undo(call, value, date)
