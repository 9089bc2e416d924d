"""Render what a handler returns for the caller: views, expansion, API version and hidden fields."""

from __future__ import annotations

from typing import Any

from tollkey.wire import refusals
from tollkey.wire._clients import client_shape
from tollkey.wire.call import Call
from tollkey.wire.errors import invalid
from tollkey.wire.expand import expand
from tollkey.wire.objects import split
from tollkey.wire.pages import Page, StoredPage
from tollkey.wire.resource import Catalogue, Json, Resource
from tollkey.wire.reveals import Reveals
from tollkey.wire.versions import Versions

TOTAL_COUNT = "total_count"
#: The API version that no longer counts lists.
COUNTED_UNTIL = "2025-03-31"


class Renderer:
    """Renders the responses of one catalogue.

    dashboard_url: where permissions are edited, named in the error for a key that lacks one.
    """

    def __init__(self, catalogue: Catalogue, dashboard_url: str) -> None:
        self.versions, self.reveals = Versions(catalogue), Reveals(catalogue)
        self._catalogue, self._dashboard_url = catalogue, dashboard_url
        self._permissions = {p.name: p for p in catalogue.permissions()}

    def as_stored(self, resource: Resource, version: str) -> bool:
        """Return whether callers of that API version see the resource's objects exactly as stored, as far as
        ``converts`` does not say otherwise.
        """
        return resource.view is None and self.versions.marks(version, resource.object) is not None

    def converts(self, object: str, version: str, body: bytes) -> bool:
        """Return whether something in stored JSON must be converted for callers of that API version.

        object: the type, for which ``as_stored`` is true.
        """
        marks = self.versions.marks(version, object)
        return bool(marks) and any(mark in body for mark in marks or ())

    def stored_page(self, call: Call, answer: Any, paths: list[str]) -> bytes | None:
        """Return the JSON of a page whose objects this caller sees exactly as stored, else None.

        answer: what the handler returned. paths: of ``expand[]``.
        """
        if not isinstance(answer, StoredPage) or paths or call.limited:
            return None
        if not self.as_stored(self._catalogue.by_object[answer.object], call.version):
            return None
        stored = answer.as_stored()
        if stored is None or self.converts(answer.object, call.version, stored):
            return None
        return None if self.reveals.touches(call.key, _elsewhere(call), stored) else stored

    def render(self, call: Call, answer: Any, paths: list[str]) -> Json:
        """Return the response's value with views, expansion and the caller's API version applied, to copies.

        answer: what the handler returned. paths: of ``expand[]``.
        Raises ApiError when a path cannot be expanded or the key lacks a permission.
        """
        current = self._unchanged(call, answer)
        as_it_is = current and not paths  # nothing is changed, so no copy is needed
        if isinstance(answer, Page):
            answer.data = [self._show(call, item, as_it_is) for item in answer.data]
            shown = answer.answer()
            if answer.count is not None and TOTAL_COUNT in paths:
                _allow_count(call, shown)
                shown[TOTAL_COUNT] = answer.count()
                paths = [path for path in paths if path != TOTAL_COUNT]
        else:
            shown = self._show(call, answer, as_it_is)
        if not current:
            shown = self.reveals.hide(call.key, _elsewhere(call), shown)  # before an older version renames fields
            self.versions.undo(call, shown, call.version)
        if call.limited:
            shown = client_shape(call, shown)
        if paths:
            expand(call, shown, paths, self, answer.object if isinstance(answer, StoredPage) else None)
        hidden: Json = self.reveals.hide(call.key, _elsewhere(call), shown)
        return hidden

    def to_caller_version(self, call: Call, value: Any) -> None:
        """Convert an object inside a response to the caller's API version, in place."""
        if not self._unchanged(call, value):
            self.versions.undo(call, value, call.version)

    def _unchanged(self, call: Call, answer: Any) -> bool:
        """Return whether the caller's API version needs no conversion of what a handler returned."""
        if self.versions.current(call.version):
            return True
        if isinstance(answer, StoredPage):
            return self.versions.marks(call.version, answer.object) == ()
        shown = answer.data if isinstance(answer, Page) else [answer]
        kinds = {item.get("object") if isinstance(item, dict) else None for item in shown}
        return all(
            isinstance(kind, str)
            and kind in self._catalogue.by_object
            and self.versions.marks(call.version, kind) == ()
            for kind in kinds
        )

    def _show(self, call: Call, value: Json, as_it_is: bool) -> Json:
        resource = self._catalogue.by_object.get(value.get("object") or "")
        if as_it_is and not call.limited and (resource is None or resource.view is None):
            return split(value)[0]
        shown = call.objects.copy(value)
        if resource is None or shown.get("deleted") is True:
            return shown
        if resource.view is not None:
            shown = resource.view(call, shown)
        return shown

    def require_read(self, call: Call, name: str) -> None:
        """Raise ApiError 403 when a restricted key lacks the read permission ``name`` in the call's account."""
        key = call.key
        if key is None or key.kind != "restricted":
            return
        call.needed.add(f"{name}_read")
        if not key.allows(f"{name}_read", connected=call.account != key.account):
            raise refusals.lacks_permission(key, [(self._permissions[name], "read")], self._dashboard_url)


def take_included(call: Call, given: Json) -> tuple[Json, list[str]]:
    """Take ``include[]=total_count`` out of a request's parameters. Before 2025-03-31 it did what ``expand[]`` does.

    Returns the other parameters, and the paths to expand.
    """
    if call.version < COUNTED_UNTIL and given.get("include") in ([TOTAL_COUNT], {"0": TOTAL_COUNT}):
        return {name: value for name, value in given.items() if name != "include"}, [TOTAL_COUNT]
    return given, []


def _allow_count(call: Call, shown: Json) -> None:
    """Raise ApiError 400 for the ``total_count`` of a list since 2025-03-31; searches have it under every version.

    The text is that of stripe-java#2017 and stripe-node#2465. Both saw it for a search, too, whose documentation
    promises the count, so searches are not refused.
    """
    if shown["object"] == "list" and call.version >= COUNTED_UNTIL:
        raise invalid(f"This property cannot be included ({TOTAL_COUNT})", code="property_forbidden", documented=False)


def _elsewhere(call: Call) -> bool:
    """Return whether the key acts for another account than its own."""
    return call.key is not None and call.account != call.key.account
