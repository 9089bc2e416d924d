"""Lists: cursors, ``has_more`` and indexed filters.

Lists are sorted newest first. ``starting_after`` and ``ending_before`` name an object of the same list; ``has_more``
tells whether there are more objects in the direction of the page (reference section 1.10).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from tollkey.db import Table
from tollkey.db.table import Range, Record, as_text
from tollkey.keys import Permission
from tollkey.wire.errors import ApiError, invalid, missing_object
from tollkey.wire.expand import NAMES_ANOTHER
from tollkey.wire.kinds import Kind
from tollkey.wire.objects import Objects, encode, value_at
from tollkey.wire.resource import Endpoint, Json, Params

if TYPE_CHECKING:
    from tollkey.wire.call import Call

_BOUNDS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_PAGING = frozenset({"limit", "starting_after", "ending_before", "expand", "created"})
#: Objects of a list whose filter has no index that ``total_count`` looks at.
MOST_LOOKED_AT = 10_000
#: Filter that names an object -> its type. An unknown id is an error, not an empty page.
_NAMED = {
    **{
        name: name
        for name in ("charge", "coupon", "customer", "invoice", "payment_intent", "payout", "price", "product")
    },
    **{name: name for name in ("setup_intent", "subscription")},
    "test_clock": "test_helpers.test_clock",
}


class Page:
    """One page of a list in a response.

    url: the list's path. more: further fields of the list object. count: computes ``total_count`` when expanded.
    """

    def __init__(
        self,
        data: Sequence[Any],
        has_more: bool,
        url: str,
        more: Json | None = None,
        count: Callable[[], int] | None = None,
    ) -> None:
        self._data: list[Any] | None = list(data)
        self.has_more, self.url, self.more, self.count = has_more, url, more or {}, count

    @property
    def data(self) -> list[Any]:
        """The objects."""
        assert self._data is not None
        return self._data

    @data.setter
    def data(self, data: list[Any]) -> None:
        self._data = data

    def answer(self) -> Json:
        """Return the list object."""
        return {"object": "list", "data": self.data, "has_more": self.has_more, "url": self.url, **self.more}


class StoredPage(Page):
    """A page of stored objects, which are decoded only when ``data`` is used."""

    def __init__(
        self,
        objects: Objects,
        object: str,
        records: list[Record],
        has_more: bool,
        url: str,
        count: Callable[[], int] | None = None,
    ) -> None:
        super().__init__([], has_more, url, count=count)
        self._data, self._objects, self._records, self.object = None, objects, records, object

    @property
    def data(self) -> list[Any]:
        """The objects, the same dicts as elsewhere in this request."""
        if self._data is None:
            self._data = [self._objects.keep(self.object, record) for record in self._records]
        return self._data

    @data.setter
    def data(self, data: list[Any]) -> None:
        self._data = data

    def as_stored(self) -> bytes | None:
        """Return the list object's JSON, built from the stored JSON of its objects; None once ``data`` was used."""
        if self._data is not None:
            return None
        frame = encode({"object": "list", "data": [], "has_more": self.has_more, "url": self.url, **self.more})
        if not self._records:
            return frame
        bodies = b",\n    ".join(
            bytes(record.body).replace(b"\n", b"\n    ") for record in self._records
        )  # JSON strings contain no raw line breaks
        return frame.replace(b'"data": []', b'"data": [\n    %b\n  ]' % bodies, 1)


def created_ranges(value: Any, column: str = "created") -> list[Range]:
    """Return the bounds of a ``created`` filter: an exact second (UTC epoch), or gt, gte, lt, lte.

    column: the indexed field that is filtered.
    """
    if value is None:
        return []
    if isinstance(value, dict):
        return [Range(column, _BOUNDS[name], bound) for name, bound in value.items() if name in _BOUNDS]
    return [Range(column, ">=", int(value)), Range(column, "<=", int(value))]


def list_page(
    call: Call,
    object: str | Kind[Any],
    params: Mapping[str, Any],
    equal: Mapping[str, str | Sequence[str]] | None = None,
    *,
    url: str,
    keep: Callable[[Any], bool] | None = None,
) -> Page:
    """Return a page of the stored objects of one type.

    params: ``limit`` (1 to 100, else 10), ``starting_after``, ``ending_before``, ``created``.
    equal: indexed field -> value, or a sequence of allowed values. url: the list's path.
    keep: a further condition without an index; rows are read until the page is full.
    Raises ApiError 400 for two cursors, an unknown cursor, or a filter that names an unknown object.
    """
    object = cast(str, object)
    limit = params.get("limit") or 10
    before = params.get("ending_before")
    for name in (
        (_NAMED.keys() & params.keys()) if object not in NAMES_ANOTHER else ()
    ):  # those name objects of another account
        _must_exist(call, _NAMED[name], params[name], name)
    table = call.objects.table(object)
    cursor = _cursor(call, object, params)
    ranges = created_ranges(params.get("created"))
    rows: list[Record] = []
    step, kept = limit + 1, cursor
    while len(rows) <= limit:
        records = table.page(
            call.tx,
            call.scope,
            step,
            equal,
            ranges,
            after=kept if before is None else None,
            before=kept if before is not None else None,
        )
        found = records if keep is None else [record for record in records if keep(call.objects.decode(object, record))]
        rows = rows + found if before is None else found + rows
        if len(records) < step or keep is None:
            break
        kept = records[-1] if before is None else records[0]
        step = 100
    page = rows[:limit] if before is None else rows[-limit:]
    return StoredPage(
        call.objects, object, page, len(rows) > limit, url, partial(_total, call, table, equal, ranges, keep)
    )


def _total(
    call: Call,
    table: Table,
    equal: Mapping[str, str | Sequence[str]] | None,
    ranges: Sequence[Range],
    keep: Callable[[Any], bool] | None,
) -> int:
    """Return how many objects a list has on all of its pages: ``total_count``.

    With a condition that no index serves, only the newest MOST_LOOKED_AT are looked at.
    """
    if keep is None:
        return table.count(call.tx, call.scope, equal, ranges)
    records = table.page(call.tx, call.scope, MOST_LOOKED_AT, equal, ranges)
    return sum(keep(call.objects.decode(table.name, record)) for record in records)


def _must_exist(call: Call, object: str, id: Any, param: str) -> None:
    """Raise ApiError when a filter names an unknown object. Deleted objects are accepted where they are stored."""
    if not isinstance(id, str):
        return
    kinds = [kind for kind in (object, f"deleted_{object}") if kind in call.setup.tables.of]
    if all(call.objects.table(kind).get(call.tx, call.scope, id) is None for kind in kinds):
        raise call.objects.missing(object, id, param)


def _cursor(call: Call, object: str, params: Mapping[str, Any]) -> Record | None:
    """Return the object that the page starts after or ends before, or None.

    Raises ApiError for an unknown cursor, checked first, and for two cursors.
    """
    found = None
    for name in ("starting_after", "ending_before"):
        if params.get(name) is None:
            continue
        if found is not None:
            raise invalid("Received both starting_after and ending_before parameters. Please pass in only one.")
        found = call.objects.table(object).get(call.tx, call.scope, str(params[name]))
        if found is None or (call.limited and call.hides(call.objects.decode(object, found))):
            raise missing_object(call.objects.resource(object).named, str(params[name]), name, in_path=False)
    return found


def page_of_list(items: Sequence[Mapping[str, Any]], url: str, params: Mapping[str, Any] | None = None) -> Page:
    """Return a page of items in memory, sorted newest first, as of a list inside an object.

    params: the paging parameters. Raises ApiError 400 for a cursor that is not in the list.
    """
    params = params or {}
    limit = params.get("limit") or 10
    ids = [item["id"] for item in items]
    for name in ("starting_after", "ending_before"):
        if params.get(name) is not None and params[name] not in ids:
            raise missing_object("object", params[name], name, in_path=False)
    if params.get("ending_before") is not None:
        items = items[: ids.index(params["ending_before"])]
        return Page(items[-limit:], len(items) > limit, url, count=ids.__len__)
    if params.get("starting_after") is not None:
        items = items[ids.index(params["starting_after"]) + 1 :]
    return Page(items[:limit], len(items) > limit, url, count=ids.__len__)


def nested_list(items: Sequence[Any], url: str, **more: Any) -> Any:
    """Return a list object with all of its items, for use inside another object: callers are shown the first ten."""
    return {"object": "list", "data": items, "has_more": False, "url": url, **more}


def retrieve(object: str, path: str, **options: Any) -> Endpoint:
    """Return the endpoint that retrieves a stored object; the last name in braces in ``path`` is the id.

    options: further arguments of ``Endpoint``.
    """
    name = path[path.rindex("{") + 1 : -1]

    def handler(call: Call, params: Params) -> Json:
        return call.objects.get(object, call.path[name])

    handler.__doc__ = "Retrieve one object by its id."
    return Endpoint("GET", path, handler, raw=True, **options)


def _has(value: Json, field: str, wanted: str | Sequence[str]) -> bool:
    text = as_text(value_at(value, field))
    return text == wanted if isinstance(wanted, str) else text in wanted


def listing(object: str, path: str, permission: Permission | None = None, **fields: str) -> Endpoint:
    """Return the endpoint that lists stored objects.

    Every parameter besides the paging ones filters by the field of the same name, with its index or, for a field
    without one, by decoding the objects.
    fields: parameter -> dotted field, where the names differ.
    """

    def handler(call: Call, params: Params) -> Page:
        equal: dict[str, str | Sequence[str]] = {}
        for name, value in params.items():
            if name in _PAGING or value is None:
                continue
            text = [as_text(item) or "" for item in value] if isinstance(value, list) else as_text(value)
            if text is None:
                raise ApiError(400, message=f"Invalid {name}", param=name)
            equal[fields.get(name, name)] = text
        indexed = call.objects.table(object).indexed
        slow = {field: equal.pop(field) for field in list(equal) if field not in indexed and field != "id"}
        keep = (lambda value: all(_has(value, field, wanted) for field, wanted in slow.items())) if slow else None
        return list_page(call, object, params, equal, url=path, keep=keep)

    handler.__doc__ = "List the objects that have these values, newest first."
    return Endpoint("GET", path, handler, permission=permission)
