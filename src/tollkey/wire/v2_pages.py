"""Lists of the v2 API: ``data`` with the URLs of the next and the previous page, in place of cursors.

A page's token holds its place and the first object of the first page, so that objects created meanwhile do not move it.
Source: Stripe's documentation, "API v2 overview".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tollkey.wire.errors import invalid
from tollkey.wire.pages import Page
from tollkey.wire.resource import Json
from tollkey.wire.rfc3339 import written

DEFAULT_LIMIT = 20
_NEWER = 200  # objects created since the first page that a later page still looks past


class _Place(NamedTuple):
    """Where a page begins: so many objects after the first one of the first page, which has that id."""

    offset: int
    first: str


class V2Page(Page):
    """One page of a list. next, previous: URLs, None where there is no such page."""

    def __init__(self, data: Sequence[Any], url: str, next: str | None, previous: str | None) -> None:
        super().__init__(data, next is not None, url)
        self.next, self.previous = next, previous

    def answer(self) -> Json:
        """Return the list object."""
        return {"data": self.data, "next_page_url": self.next, "previous_page_url": self.previous}


def v2_page(url: str, params: Mapping[str, Any], newest: Callable[[int], Sequence[Mapping[str, Any]]]) -> V2Page:
    """Return the page that the parameters ``limit`` and ``page`` ask for.

    url: the list's path. newest: ``(count)`` -> that many objects of the list at most, newest first.
    Raises ApiError 400 for a token of a page that this list did not give out.
    """
    limit, place = params.get("limit") or DEFAULT_LIMIT, _read(params.get("page"))
    found = newest(place.offset + limit + 1 + (_NEWER if place.first else 0))
    ids = [item["id"] for item in found]
    if place.first and place.first not in ids:
        raise _wrong()
    start = (ids.index(place.first) if place.first else 0) + place.offset
    first = place.first or (ids[0] if ids else "")

    def page_url(offset: int) -> str:
        kept = {name: value for name, value in params.items() if name != "page"}
        return f"{url}?{urlencode([*_pairs(kept), ('page', _token(_Place(offset, first)))])}"

    more = len(found) > start + limit
    before = max(0, place.offset - limit)
    return V2Page(
        found[start : start + limit],
        url,
        page_url(place.offset + limit) if more else None,
        page_url(before) if place.offset else None,
    )


def _pairs(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return parameters as the pairs of a query: lists by number and hashes by name in brackets; times as text."""
    pairs: list[tuple[str, str]] = []
    for name, value in params.items():
        if isinstance(value, Mapping):
            pairs += [(f"{name}[{bound}]", written(at)) for bound, at in value.items()]
        elif isinstance(value, list):
            pairs += [(f"{name}[{place}]", str(one)) for place, one in enumerate(value)]
        else:
            pairs.append((name, str(value).lower() if isinstance(value, bool) else str(value)))
    return pairs


def _token(place: _Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _read(token: str | None) -> _Place:
    if token is None:
        return _Place(0, "")
    try:
        offset, first = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, TypeError, RecursionError):
        raise _wrong() from None
    if not (type(offset) is int and 0 <= offset < 100_000 and type(first) is str and first):
        raise _wrong()
    return _Place(offset, first)


def _wrong() -> Exception:
    return invalid("The page token is invalid. Use the URLs `next_page_url` and `previous_page_url` of a list.", "page")
