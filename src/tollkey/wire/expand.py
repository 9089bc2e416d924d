"""``expand[]``: ids become objects, to a depth of four.

A path names properties from the answer down; in a list it begins with ``data``. What may be
expanded is what the public specification marks so, and what a resource adds itself.
Expanding needs the read permission of what is shown (reference section 2.3). A publishable key expands only what
has a shape for it (``client_view``), and sees that shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollkey.wire.errors import invalid
from tollkey.wire.shapes import expandables

if TYPE_CHECKING:
    from tollkey.wire.call import Call
    from tollkey.wire.resource import Json

DEPTH = 4
#: Objects that name others of a connected account, and the property that says which.
_NAMES_ANOTHER = {"application_fee": "account", "transfer": "destination"}


def expand(call: Call, answer: Json, paths: list[str], allowed: Any, of: str | None = None) -> None:
    """Expand an answer in place.

    paths: as given in ``expand``. allowed: ``(call in the object's account, permission name) -> None``, raises when the key lacks it.
    of: the kind of objects on a page, where that is known.
    Raises ApiError for a property that cannot be expanded, or a path that is too deep.
    """
    for path in paths:
        names = path.split(".")
        if len(names) > DEPTH + (names[0] == "data"):
            raise invalid(f"You cannot expand more than {DEPTH} levels of a property. Property: {path}", "expand")
        if answer.get("object") == "list":
            if names[0] != "data":
                raise invalid(
                    f"This property cannot be expanded ({names[0]}). You may want to try expanding 'data.{names[0]}' instead.", "expand"
                )
            if of is not None and names[1:] and not answer["data"]:
                _allow_none(call, of, names[1], path)
        _descend(call, answer, names, path, allowed, [call])


def _allow_none(call: Call, object: str, name: str, path: str) -> None:
    """An empty page refuses what no object of its kind could expand, as a full one does."""
    resource = call.setup.tables.catalogue.by_object.get(object)
    if resource is not None and name not in resource.expands and not _documented(object, name):
        raise invalid(f"This property cannot be expanded ({path}).", "expand")


def _descend(call: Call, value: Any, names: list[str], path: str, allowed: Any, homes: list[Call]) -> None:
    """Expand the names below a value. homes: the accounts whose objects it may name."""
    if isinstance(value, list):
        for item in value:
            _descend(call, item, names, path, allowed, homes)
        return
    if not names or not isinstance(value, dict):
        return
    name, rest = names[0], names[1:]
    resource = call.setup.tables.catalogue.by_object.get(value.get("object") or "")
    there = _NAMES_ANOTHER.get(value.get("object") or "")
    if there is not None and isinstance(value.get(there), str):
        homes = [*homes, call.within(value[there])]
    if resource is not None and name in resource.expands:
        inner = value.get(name)
        if not isinstance(inner, dict):
            home, stored = call, None
            for home in homes if resource.stored and "id" in value else ():
                stored = home.objects.find(resource.object, value["id"])
                if stored is not None:
                    break
            inner = resource.expands[name](call if stored is None else home, stored or value)
            _allow_made(call, inner, path, allowed)
            value[name] = inner
    elif name not in value:
        # A hash of a one-of kind (payment_method_details.card on a bank debit), or a property that only some of these objects
        # have (a charge's transfer), may lack the name: nothing to expand.
        if value.get("object") == "list" or (resource is not None and not _documented(resource.object, name)):
            raise invalid(f"This property cannot be expanded ({path}).", "expand")
        return
    else:
        inner = value[name]
    if inner is None or isinstance(inner, str):
        inner = None if inner is None else _load(homes, inner, name, path, allowed)
        if inner is None:
            if resource is not None and not _documented(resource.object, name):
                raise invalid(f"This property cannot be expanded ({path}).", "expand")
            return
        value[name] = inner
    elif isinstance(inner, list) and inner and isinstance(inner[0], str):
        inner = value[name] = [_load(homes, id, name, path, allowed) or id for id in inner]
    elif not rest and inner is not None and not isinstance(inner, dict | list):
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    _descend(call, inner, rest, path, allowed, homes)


def _documented(object: str, name: str) -> bool:
    """Whether the specification lets that property, or something inside it, be expanded."""
    try:
        return any(path.split(".")[0] == name for path in expandables(object))
    except LookupError:
        return False


def _load(homes: list[Call], id: str, name: str, path: str, allowed: Any) -> Json | None:
    call = homes[0]
    catalogue = call.setup.tables.catalogue
    resource = catalogue.of_id(id) or catalogue.by_object.get(name)  # callers choose the ids of coupons, products and plans
    if resource is not None and not resource.stored:
        resource = None
    if resource is None and "_" in id:
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    if resource is None:
        return None
    found, home = None, call
    for home in (*homes, call.within(call.platform)):
        found = home.objects.find(resource.object, id)
        if found is not None:
            break
    allowed(call if found is None else home, resource.permission.name)
    if call.client and resource.client_view is None:
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    if found is None:
        return {"id": id, "object": resource.object, "deleted": True}
    shown = home.objects.copy(found)
    shown = resource.view(home, shown) if resource.view is not None else shown
    return resource.client_view(home, shown) if call.client and resource.client_view is not None else shown


def _allow_made(call: Call, made: Any, path: str, allowed: Any) -> None:
    """The same check for what ``Resource.expands`` makes: an object, or a list of them."""
    objects = made.get("data", ()) if isinstance(made, dict) and made.get("object") == "list" else (made,)
    for value in objects:
        resource = call.setup.tables.catalogue.by_object.get(value.get("object") or "") if isinstance(value, dict) else None
        if resource is not None:
            allowed(call, resource.permission.name)
            if call.client and resource.client_view is None:
                raise invalid(f"This property cannot be expanded ({path}).", "expand")
