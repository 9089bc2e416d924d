"""``expand[]``: replace ids in a response by their objects, up to four levels deep.

A path names properties from the top of the response; in a list it begins with ``data``, which counts as a level.
Expandable are the properties that Stripe's OpenAPI document marks so, and those of ``Resource.expands``.
Expanding needs the read permission of the object shown (reference section 2.3). A publishable or ephemeral key may
expand only paths that its ``Access`` names, to objects that have a ``client_view``, and sees that view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from tollkey.wire._clients import client_shape
from tollkey.wire.errors import ApiError, invalid
from tollkey.wire.objects import first_page
from tollkey.wire.shapes import expandables
from tollkey.wire.spec.usual import EXPANDED_UNTIL

if TYPE_CHECKING:
    from tollkey.wire.call import Call
    from tollkey.wire.resource import Json, Resource

DEPTH = 4
LISTS = ("list", "search_result")  # the ``object`` of pages
MOST_PATHS = 100  # distinct paths; no object has as many
MOST_ON_LOOP = 100  # objects to load; each takes 0.03 ms of the event loop, and its page is long as well
#: Objects that name objects of a connected account -> the property with that account.
NAMES_ANOTHER = {"application_fee": "account", "transfer": "destination"}


class NotAnId(str):
    """A string from ``Resource.expands`` that is not an object's id, even if it looks like one: it is not expanded."""

    __slots__ = ()


class Rules(Protocol):
    """Permission checks and version changes that ``expand`` needs; ``Renderer`` implements them."""

    def require_read(self, call: Call, permission: str) -> None:
        """Raise ApiError 403 when a restricted key lacks this read permission in the call's account."""

    def to_caller_version(self, call: Call, value: Any) -> None:
        """Convert an object to the caller's API version, in place."""


#: Properties that hold an object's own id, or texts of the caller: never another object, even when the text is an id.
_NEVER = frozenset({"description", "id", "metadata"})


def expand(call: Call, answer: Json, paths: list[str], rules: Rules, of: str | None = None) -> None:
    """Expand a response in place. It is already converted to the caller's API version.

    paths: the values of ``expand[]``. of: the type of the objects on a page, where known.
    Raises ApiError 400 for a property that cannot be expanded, a path that is too deep or too many paths, 403 when the
    key lacks a permission.
    """
    listed = answer.get("object") in LISTS
    for path, names in split(paths, listed=listed):
        if listed and of is not None and names[1:] and not answer["data"]:
            _allow_none(call, of, names[1], path)
        _descend(call, answer, names, path, rules, [call])


def expands_many(given: Mapping[str, Any]) -> bool:
    """Return whether a request would load more than ``MOST_ON_LOOP`` objects to expand a page.

    given: the request's parameters, which are not checked yet.
    """
    paths = given.get("expand")
    if not isinstance(paths, list | dict):
        return False
    each = {path for path in (paths.values() if isinstance(paths, dict) else paths) if isinstance(path, str)}
    limit = str(given.get("limit") or 10)
    return limit.isdecimal() and int(limit[:3]) * sum(path.count(".") for path in each) > MOST_ON_LOOP


def split(paths: Iterable[str], *, listed: bool) -> Iterator[tuple[str, list[str]]]:
    """Return each different path with its names. listed: whether the response is a list, whose paths begin with
    ``data``.

    Raises ApiError 400 for too many paths, one that is too deep, and one that does not lead into the list.
    """
    distinct = list(dict.fromkeys(paths))
    if len(distinct) > MOST_PATHS:
        raise invalid(f"You cannot expand more than {MOST_PATHS} properties.", "expand")
    for path in distinct:
        names = path.split(".", DEPTH)
        if len(names) > DEPTH:
            message = f"You cannot expand more than {DEPTH} levels of a property. Property: {path}"
            raise invalid(message, code="property_expansion_max_depth", documented=False)
        if listed and names[0] != "data":
            raise invalid(
                f"This property cannot be expanded ({names[0]}). You may want to try expanding 'data.{names[0]}'"
                " instead."
            )
        yield path, names


def not_expandable(path: str, left: int = 0) -> ApiError:
    """Return the 400 for a property that cannot be expanded. left: how many names of the path follow it."""
    names = path.split(".")
    return invalid(f"This property cannot be expanded ({'.'.join(names[: len(names) - left])}).")


def _allow_none(call: Call, object: str, name: str, path: str) -> None:
    """Raise ApiError on an empty page for a property that no object of its type has, as on a full page."""
    resource = call.setup.tables.catalogue.by_object.get(object)
    if resource is not None and name not in resource.expands and not _documented(call, object, name):
        raise not_expandable(path, len(path.split(".")) - 2)


def _descend(call: Call, value: Any, names: list[str], path: str, rules: Rules, homes: list[Call]) -> None:
    """Expand ``names`` below a value. homes: calls in the accounts whose objects the value may name."""
    if isinstance(value, list):
        for item in value:
            _descend(call, item, names, path, rules, homes)
        return
    if not names or not isinstance(value, dict):
        return
    name, rest = names[0], names[1:]
    if name in _NEVER:
        raise not_expandable(path, len(rest))
    kind = value.get("object")
    kind = kind if isinstance(kind, str) else ""  # an event's ``data`` has an object of that name
    resource = call.setup.tables.catalogue.by_object.get(kind)
    there = NAMES_ANOTHER.get(kind)
    if there is not None and isinstance(value.get(there), str) and _connected(call, value[there]):
        homes = [*homes, call.within(value[there])]
    inside = f"{name}.{rest[0]}" if rest else ""
    if resource is not None and inside in resource.expands and isinstance(value.get(name), dict):
        value[name][rest[0]] = _made(homes, resource, value, inside, path, rules)
    if resource is not None and name in resource.expands:
        inner = value.get(name)
        if not isinstance(inner, dict):
            inner = value[name] = _made(homes, resource, value, name, path, rules)
            if isinstance(inner, NotAnId):
                if rest:
                    raise not_expandable(path)
                return
    elif name not in value:
        # A hash of a one-of kind (payment_method_details.card on a bank debit), or a property that only some of these
        # objects have (a charge's transfer), may lack the name: nothing to expand.
        if kind in LISTS or isinstance(value.get("object"), dict) or (kind and not _documented(call, kind, name)):
            raise not_expandable(path, len(rest))
        return
    else:
        inner = value[name]
    inner = _object_named(homes, inner, name, partial(not_expandable, path, len(rest)), rules)
    if inner is None:
        if resource is not None and not _documented(call, resource.object, name):
            raise not_expandable(path, len(rest))
        return
    value[name] = inner
    _descend(call, inner, rest, path, rules, homes)


def _connected(call: Call, account: str) -> bool:
    """Return whether an account is still connected to the platform whose key expands."""
    return call.within(call.platform).objects.find_read_only("account", account) is not None


def _object_named(homes: list[Call], inner: Any, name: str, refusal: Callable[[], ApiError], rules: Rules) -> Any:
    """Return the object or list that a property names or already holds; None when it names none."""
    if inner is None or isinstance(inner, str):
        return None if inner is None else _load(homes, inner, name, refusal, rules)
    if isinstance(inner, list) and inner and isinstance(inner[0], str):
        return [_load(homes, id, name, refusal, rules) or id for id in inner]
    if not isinstance(inner, dict | list):
        raise refusal()
    return inner


def _made(homes: list[Call], resource: Resource, value: Json, name: str, path: str, rules: Rules) -> Any:
    """Compute a property that exists only when expanded (``Resource.expands``), in the account that has the object."""
    call, stored = homes[0], None
    for home in homes if resource.stored and "id" in value else ():
        stored = home.objects.find(resource.object, value["id"])
        if stored is not None:
            call = home
            break
    rules.require_read(call, resource.permission.name)  # the object may be part of an event or another object
    made = first_page(resource.expands[name](call, stored or value))
    _allow_made(homes, made, path, rules)
    if isinstance(made, dict):
        rules.to_caller_version(call, made)
    return client_shape(call, made) if call.limited else made


def _documented(call: Call, object: str, name: str) -> bool:
    """Return whether the caller's API version documents that the property, or a part of it, can be expanded."""
    if call.version >= EXPANDED_UNTIL.get(object, {}).get(name, "9"):
        return False
    try:
        return any(path.split(".")[0] == name for path in expandables(object))
    except LookupError:
        return False


def _load(homes: list[Call], id: str, name: str, refusal: Callable[[], ApiError], rules: Rules) -> Json | None:
    call = homes[0]
    catalogue = call.setup.tables.catalogue
    resource = catalogue.of_id(id) or catalogue.by_object.get(
        name
    )  # callers choose the ids of coupons, products and plans
    if resource is not None and resource.named_by is not None and not call.limited:
        if name != resource.object:  # a text that the caller has chosen would name any account of this server
            raise refusal()
        return resource.named_by(call, id)
    if resource is not None and not resource.stored:
        resource = None
    if resource is None and "_" in id:
        raise refusal()
    if resource is None:
        return None
    found, home = None, call
    for home in (*homes, call.within(call.platform)):
        found = home.objects.find(resource.object, id)
        if found is not None:
            break
    rules.require_read(call if found is None else home, resource.permission.name)
    if call.limited and resource.client_view is None:
        raise refusal()
    if found is None:
        return {"id": id, "object": resource.object, "deleted": True}
    shown = home.objects.copy(found)
    shown = resource.view(home, shown) if resource.view is not None else shown
    rules.to_caller_version(home, shown)
    return client_shape(home, shown) if call.limited else shown


def _allow_made(homes: list[Call], made: Any, path: str, rules: Rules) -> None:
    """Check read permission for what ``Resource.expands`` returned: an object or a list, in whichever account it is."""
    call = homes[0]
    objects = made.get("data", ()) if isinstance(made, dict) and made.get("object") == "list" else (made,)
    for value in objects:
        resource = (
            call.setup.tables.catalogue.by_object.get(value.get("object") or "") if isinstance(value, dict) else None
        )
        if resource is not None:
            away = homes[1:] if resource.stored and value.get("id") else ()
            home = next((one for one in away if one.objects.find(resource.object, value["id"]) is not None), call)
            rules.require_read(home, resource.permission.name)
            if call.limited and resource.client_view is None:
                raise not_expandable(path)
