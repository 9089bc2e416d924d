"""Objects as handlers see them: dicts, loaded once per request and saved together with their event.

Public fields appear in responses. Private fields begin with ``_``; they are stored beside the object and never
sent. Objects store the ids of other objects, never expanded objects. Handlers see all entries of a list inside an
object; callers, and the public part of what is stored, have the first ten of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, cast, overload

import orjson

from tollkey.db import Scope, Table, Tx
from tollkey.db.indexed import LONGEST
from tollkey.db.table import Range, Record
from tollkey.wire.errors import amount_too_large, invalid, missing_object
from tollkey.wire.kinds import Kind, T
from tollkey.wire.resource import Json, Resource
from tollkey.wire.shapes import nested_lists
from tollkey.wire.tables import REST, Tables, decode

if TYPE_CHECKING:
    from tollkey.wire.api import EventType
    from tollkey.wire.call import Call


class Deleted(TypedDict):
    """The response to deleting an object."""

    id: str
    object: str
    deleted: bool


#: How many entries of a list inside an object are shown; the others are on the list's own pages. Source: the default
#: ``limit`` of lists, and reports of integrations (laravel/cashier-stripe#405, stripe/sync-engine#104).
NESTED = 10


def encode(value: Any) -> bytes:
    """Return a value as JSON in the API's format: UTF-8, indented by two spaces.

    Raises ApiError 400 for an integer of more than 64 bits, such as a sum of amounts that are allowed one by one.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2)
    except TypeError as error:
        if "64-bit" in str(error):
            raise amount_too_large() from None
        raise


def value_at(value: Any, path: str) -> Any:
    """Return the value at a dotted path, or None when a part of the path is missing."""
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def split(value: Json) -> tuple[Json, Json]:
    """Split an object into its public and its private fields."""
    names = [name for name in value if name[0] == "_"]
    lists = nested_lists(value.get("object"))
    long = [name for name in (value if lists is None else lists) if name[0] != "_" and _is_long(value.get(name))]
    if not names and not long:
        return value, {}
    public = value.copy()
    private = {name: public.pop(name) for name in names}
    if long:
        private[REST] = {name: value[name]["data"][NESTED:] for name in long}
        public.update({name: first_page(value[name]) for name in long})
    return public, private


def _is_long(value: Any) -> bool:
    """Whether a value is a list object with all of its entries, and more than are shown of it."""
    return (
        type(value) is dict
        and value.get("object") == "list"
        and isinstance(data := value.get("data"), list)
        and len(data) > NESTED
    )


def first_page(value: Any) -> Any:
    """Return a list object with its first ten entries, and any other value as it is."""
    if _is_long(value):
        return {**value, "data": value["data"][:NESTED], "has_more": True}
    return value


def public(value: T) -> T:
    """Return a shallow copy of an object, or of a part of one, without private fields."""
    return cast(T, {name: inner for name, inner in value.items() if not name.startswith("_")})


def changed(before: Any, after: Any) -> Any:
    """Return ``previous_attributes``: the old values of the fields that differ; hashes are compared field by field."""
    difference: Json = {}
    for name, new in after.items():
        old = before.get(name)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict) and "object" not in old:
            difference[name] = changed(old, {**dict.fromkeys(old), **new})
        else:
            difference[name] = old
    return difference


class _Row(NamedTuple):
    """An object's row as read or written last; undone: the transaction's count of rollbacks at that time."""

    body: bytes
    private: bytes | None
    created: int
    values: list[str | None]
    undone: int


class Objects:
    """The objects of one scope (account and mode) within one transaction."""

    def __init__(self, call: Call, tables: Tables, tx: Tx, scope: Scope) -> None:
        self._call, self._tables, self.tx, self.scope = call, tables, tx, scope
        self._loaded: dict[tuple[str, str], Json] = {}
        self._stored: dict[tuple[str, str], _Row] = {}
        self._seen: dict[tuple[str, str], Json | None] = {}

    def sharing(self, call: Call) -> Objects:
        """Return an ``Objects`` for a call at another time that shares this one's loaded objects."""
        other = Objects(call, self._tables, self.tx, self.scope)
        other._loaded, other._stored, other._seen = self._loaded, self._stored, self._seen
        return other

    def forget(self) -> None:
        """Forget the loaded objects: a rollback has undone what they say."""
        for known in (self._loaded, self._stored, self._seen):
            known.clear()

    def table(self, object: str | Kind[Any]) -> Table:
        """The table of one kind of object."""
        return self._tables.of[cast(str, object)]

    def resource(self, object: str | Kind[Any]) -> Resource:
        """Return the declaration of a type of object."""
        return self._tables.catalogue.by_object[cast(str, object)]

    @overload
    def keep(self, object: Kind[T], record: Record) -> T: ...
    @overload
    def keep(self, object: str, record: Record) -> Json: ...
    def keep(self, object: Any, record: Record) -> Any:
        """Return the object of a record and remember it; the dict this request already has, if any."""
        key = (object, record.id)
        known = self._loaded.get(key)
        if known is None:
            known = self._loaded[key] = decode(record)
            self._stored[key] = self._row(record, known)
        return known

    def decode(self, object: str, record: Record) -> Json:
        """Return the object of a record without remembering it, for reads that filter thousands of objects.

        The caller must not change it.
        """
        known = self._loaded.get((object, record.id))
        return decode(record) if known is None else known

    def _row(self, record: Record, value: Json) -> _Row:
        values = self.table(value["object"]).values(value)
        return _Row(record.body, record.private, record.created, values, self.tx.rollbacks)

    @overload
    def find(self, object: Kind[T], id: str) -> T | None: ...
    @overload
    def find(self, object: str, id: str) -> Json | None: ...
    def find(self, object: Any, id: str) -> Any:
        """Return the object with that id, or None; the same dict each time within one request."""
        known = self._loaded.get((object, id))
        if known is not None:
            return known
        record = self.table(object).get(self.tx, self.scope, id)
        return self.keep(object, record) if record is not None else None

    @overload
    def find_read_only(self, object: Kind[T], id: str) -> T | None: ...
    @overload
    def find_read_only(self, object: str, id: str) -> Json | None: ...
    def find_read_only(self, object: Any, id: str) -> Any:
        """Return the object with that id, or None, from a cache of decoded objects where possible.

        It is as first read by this request, or in its transaction (``Table.cached``), or as this request has changed it
        since. The caller must not change it.
        """
        key = (object, id)
        known = self._loaded.get(key)
        if known is not None:
            return known
        if key not in self._seen:
            table = self.table(object)
            record = table.cached(self.tx, self.scope, id, lambda: table.get(self.tx, self.scope, id))
            self._seen[key] = self._tables.decoded(self.scope, object, record) if record is not None else None
        return self._seen[key]

    @overload
    def get(self, object: Kind[T], id: str, param: str | None = None, *, path_param: str | None = None) -> T: ...
    @overload
    def get(self, object: str, id: str, param: str | None = None, *, path_param: str | None = None) -> Json: ...
    def get(self, object: Any, id: str, param: str | None = None, *, path_param: str | None = None) -> Any:
        """Return the object with that id.

        param: the parameter that named it, in bracket form; None when the id was in the path.
        path_param: what this endpoint's error calls an id in the path, where it is not ``Resource.path_param``.
        Raises ApiError resource_missing: 404 for a path, 400 for a parameter. The message says when the other mode has
        the id.
        """
        found = self.find(object, id)
        if found is None:
            raise self.missing(object, id, param, path_param=path_param)
        return found

    def missing(
        self, object: str | Kind[Any], id: str, param: str | None = None, *, path_param: str | None = None
    ) -> Exception:
        """Return the error for an id that this scope does not have; see ``get``."""
        resource = self.resource(object)
        other = None
        if self.table(object).exists_in_other_mode(self.tx, self.scope, id):
            other = "test" if self.scope.livemode else "live"
        elif resource.unknown is not None and param is None:
            refusal = resource.unknown(id, self.scope.livemode)
            if refusal is not None:
                return refusal
        named = param or path_param or resource.path_param
        return missing_object(resource.named, id, named, in_path=param is None, other_mode=other)

    def insert(self, value: T, event: EventType | None = None, *, chosen_id: bool = False) -> T:
        """Store a new object and, if given, an event of that type. Returns the object.

        chosen_id: the caller chose its id, which may exist: raise db.Duplicate then, instead of when it is written.
            Raises ApiError for one that no index of PostgreSQL holds: Stripe takes up to 5,000 characters
            (stripe/openapi, issue 51).
        """
        object, id = value["object"], value["id"]
        if chosen_id and len(id) > LONGEST:
            raise invalid(f"Invalid string: {id[:10]}...{id[-10:]}; must be at most {LONGEST} characters", "id")
        row = self._insert(value)
        if chosen_id:
            self.tx.flush()
        self._loaded[object, id] = cast(Json, value)
        self._stored[object, id] = row
        if event is not None:
            self._call.emit(event, value)
        return value

    def write_once(self, value: Mapping[str, Any]) -> bytes:
        """Store a new object that will not change, without remembering it in this request.

        It may therefore contain other objects without copies of them. Returns its public JSON.
        """
        return self._insert(value).body

    def _insert(self, value: Mapping[str, Any]) -> _Row:
        table, row = self.table(value["object"]), self._written(value)
        table.insert(self.tx, self.scope, value["id"], row.created, row.body, row.private, row.values)
        return row

    def _written(self, value: Mapping[str, Any]) -> _Row:
        public, private = split(cast(Json, value))
        created, values = value.get("created") or self._call.now, self.table(value["object"]).values(value)
        return _Row(encode(public), orjson.dumps(private) if private else None, created, values, self.tx.rollbacks)

    def add_transient(self, value: T) -> T:
        """Add an object for this request only: ``find`` returns it, and it is never stored."""
        self._loaded[value["object"], value["id"]] = cast(Json, value)
        return value

    def save(self, value: T, event: EventType | None = None) -> T:
        """Store a changed object and, when a public field differs, an event of the given type. Returns the object.

        The event's ``previous_attributes`` are computed from what was stored.
        Raises ApiError resource_missing when the object is not stored.
        """
        object, id = value["object"], value["id"]
        table, row = self.table(object), self._written(value)
        stored = self._stored.get((object, id))
        if stored is None:
            record = table.get(self.tx, self.scope, id)
            if record is None:
                raise self.missing(object, id)
            stored = self._row(record, decode(record))
        if stored[2:] != row[2:]:
            table.update(self.tx, self.scope, id, row.created, row.body, row.private, row.values)
        elif stored != row:
            table.rewrite(self.tx, self.scope, id, row.body, row.private)
        self._loaded[object, id] = cast(Json, value)
        self._stored[object, id] = row
        if event is not None and row.body != stored.body:
            self._call.emit(event, value, changed(orjson.loads(stored.body), split(cast(Json, value))[0]))
        return value

    def delete(self, value: Mapping[str, Any], event: EventType | None = None) -> Deleted:
        """Delete an object, store the event if given, and return the response for a deleted object."""
        object, id = value["object"], value["id"]
        self.table(object).delete(self.tx, self.scope, id)
        self._loaded.pop((object, id), None)
        self._stored.pop((object, id), None)
        self._seen.pop((object, id), None)
        if event is not None:
            self._call.emit(event, value)
        return {"id": id, "object": object, "deleted": True}

    @overload
    def query(
        self,
        object: Kind[T],
        equal: Mapping[str, str | Sequence[str]] | None = None,
        limit: int = 1_000,
        ranges: Iterable[Range] = (),
        oldest_first: bool = False,
    ) -> list[T]: ...
    @overload
    def query(
        self,
        object: str,
        equal: Mapping[str, str | Sequence[str]] | None = None,
        limit: int = 1_000,
        ranges: Iterable[Range] = (),
        oldest_first: bool = False,
    ) -> list[Json]: ...
    def query(
        self,
        object: Any,
        equal: Mapping[str, str | Sequence[str]] | None = None,
        limit: int = 1_000,
        ranges: Iterable[Range] = (),
        oldest_first: bool = False,
    ) -> Any:
        """Return objects whose indexed fields have these values, newest first unless ``oldest_first``.

        equal: indexed field -> value, or a sequence of allowed values. ranges: bounds on indexed fields.
        """
        table = self.table(object)
        if equal and not ranges:
            held = self._call.ids.unknown_to_database(self.tx, equal.values())
            records = table.matching(self.tx, self.scope, limit, equal, oldest_first, only_held=held)
        else:
            records = table.page(self.tx, self.scope, limit, equal, ranges, oldest_first=oldest_first)
        return [self.keep(object, record) for record in records]

    def query_read_only(self, object: str, equal: Mapping[str, str], limit: int = 1_000) -> list[Json]:
        """Return objects whose indexed fields have these values, newest first. The caller must not change them.

        Requests that run in one transaction share the query, see ``Table.cached``.
        """
        table, scope = self.table(object), self.scope

        def read() -> list[Json]:
            return [decode(record) for record in table.page(self.tx, scope, limit, equal)]

        return table.cached(self.tx, scope, (limit, *equal.items()), read)

    @overload
    def page(self, object: Kind[T], limit: int, **query: Any) -> list[T]: ...
    @overload
    def page(self, object: str, limit: int, **query: Any) -> list[Json]: ...
    def page(self, object: Any, limit: int, **query: Any) -> Any:
        """Return one page of a list; arguments: see ``db.Table.page``."""
        return [self.keep(object, record) for record in self.table(object).page(self.tx, self.scope, limit, **query)]

    def copy(self, value: T) -> T:
        """Return a deep copy of the public fields, for a response or event that must not change later."""
        return cast(T, orjson.loads(orjson.dumps(split(cast(Json, value))[0])))  # ten times as fast as copy.deepcopy
