"""From what a handler returns to what the caller sees: views, expansions and the caller's version."""

from __future__ import annotations

from typing import Any

from tollkey.wire import refusals
from tollkey.wire._clients import client_shape
from tollkey.wire.call import Call
from tollkey.wire.expand import expand
from tollkey.wire.objects import split
from tollkey.wire.pages import Page, StoredPage
from tollkey.wire.resource import Catalogue, Json, Resource
from tollkey.wire.reveals import Reveals
from tollkey.wire.versions import Versions


class Renderer:
    """Shows answers of one catalogue.

    dashboard_url: where people edit keys, for the error of a key that may not see what it expands.
    """

    def __init__(self, catalogue: Catalogue, dashboard_url: str) -> None:
        self.versions, self.reveals = Versions(catalogue), Reveals(catalogue)
        self._catalogue, self._dashboard_url = catalogue, dashboard_url
        self._permissions = {p.name: p for p in catalogue.permissions()}

    def as_stored(self, resource: Resource, version: str) -> bool:
        """Whether callers of that version see these objects exactly as they are stored."""
        return resource.view is None and (
            self.versions.current(version) or not self.versions.touches(version, resource.object)
        )

    def stored_page(self, call: Call, answer: Any, paths: list[str]) -> bytes | None:
        """The JSON of a page whose objects this caller sees as they are stored; None when something has to be changed
        in them.
        """
        if not isinstance(answer, StoredPage) or paths or call.limited or not self.versions.current(call.version):
            return None
        stored = answer.as_stored() if self._catalogue.by_object[answer.object].view is None else None
        return None if stored is not None and self.reveals.touches(call.key, _elsewhere(call), stored) else stored

    def render(self, call: Call, answer: Any, paths: list[str]) -> Json:
        """The answer as JSON: views, expansions and the caller's version applied to copies."""
        current = self.versions.current(call.version)
        as_it_is = current and not paths  # nothing changes what is shown, so it need not be a copy
        if isinstance(answer, Page):
            answer.data = [self._show(call, item, as_it_is) for item in answer.data]
            shown = answer.answer()
            if answer.count is not None and "total_count" in paths:
                shown["total_count"] = answer.count()
                paths = [path for path in paths if path != "total_count"]
        else:
            shown = self._show(call, answer, as_it_is)
        if not current:
            shown = self.reveals.hide(
                call.key, _elsewhere(call), shown
            )  # an older version may give a field another name
            self.versions.undo(call, shown, call.version)
        if call.limited:
            shown = client_shape(call, shown)
        if paths:
            expand(call, shown, paths, self, answer.object if isinstance(answer, StoredPage) else None)
        hidden: Json = self.reveals.hide(call.key, _elsewhere(call), shown)
        return hidden

    def to_caller_version(self, call: Call, value: Any) -> None:
        """Give an object that stands in an answer the shape of the caller's version, in place."""
        if not self.versions.current(call.version):
            self.versions.undo(call, value, call.version)

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
        """Raise when a restricted key may not read, in the call's account, what that permission protects."""
        key = call.key
        if key is None or key.kind != "restricted":
            return
        if not key.allows(f"{name}_read", connected=call.account != key.account):
            raise refusals.lacks_permission(key, [(self._permissions[name], "read")], self._dashboard_url)


def _elsewhere(call: Call) -> bool:
    """Whether the key acts for another account than its own."""
    return call.key is not None and call.account != call.key.account
