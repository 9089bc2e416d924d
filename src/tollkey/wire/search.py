"""Search: the query language of ``/search`` endpoints.

    email:'jane@example.com' AND metadata['plan']:'gold'        name~'jan' OR created>1700000000
    -status:'canceled'

Clauses are joined by AND (or a space) or by OR, never both. ``:`` is a case-insensitive comparison, ``~`` finds a
substring of at least three characters, ``>``, ``>=``, ``<`` and ``<=`` compare numbers, ``-`` negates a clause, and
``null`` matches a field without a value. Only numbers are compared, and only strings have substrings: all other fields
are tokens, of which ``metadata`` is one. ``Resource.searchable`` declares the fields. Source: Stripe's docs, "Search".

The cost of a query is limited to ``MOST_CLAUSES``, and to ``MOST_SCANNED`` objects for each page. A page that stops
there has ``has_more``, and its ``next_page`` continues where it stopped. Searches run in the threads for long reads
(``db/read_limits.py``).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from tollkey.db import Table
from tollkey.db.table import Range, Record
from tollkey.wire.errors import ApiError, invalid
from tollkey.wire.objects import value_at
from tollkey.wire.pages import Page
from tollkey.wire.resource import Endpoint, Json, Params

if TYPE_CHECKING:
    from tollkey.wire.call import Call

_CLAUSE = re.compile(
    r"""\s*(?P<not>-)?(?P<field>[A-Za-z_][A-Za-z_0-9.]*)
        (?:\[\s*(?:'(?P<key1>(?:[^'\\]|\\.)*)'|"(?P<key2>(?:[^"\\]|\\.)*)")\s*\])?
        \s*(?P<operator>:|~|>=|<=|>|<)\s*
        (?:'(?P<text1>(?:[^'\\]|\\.)*)'|"(?P<text2>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s'"]+))\s*""",
    re.VERBOSE,
)
_JOIN = re.compile(r"\s*(AND|OR)\s+", re.IGNORECASE)
_COMPARING = frozenset({">", ">=", "<", "<="})
#: Text without JSON escapes; digits alone are excluded, since numbers may be written in several ways.
_SAID_AS_IT_IS = re.compile(r"(?=.*[A-Za-z@])[A-Za-z0-9 _.@:+-]+")
_SECONDS = re.compile(r"[0-9]{1,15}")
_ESCAPE = re.compile(r"\\(.)")
_SHORTEST_PART = 3
_STEP = 500
MOST_CLAUSES = 10
MOST_SCANNED = 50_000  # objects read for a page, and as many again for ``total_count``
MOST_COUNTED = 10_000  # "accurate up to 10,000" (API reference, "Search")
#: Fields with free text: compared case-insensitively, so that no index can be used.
_FREE = frozenset({"email", "name", "description", "phone", "url", "receipt_number"})
#: The numeric fields, and those of type string; expiries of cards are digits, so their comparisons are taken as well.
_NUMERIC = frozenset({"amount", "canceled_at", "created", "total"}) | {
    f"payment_method_details.card.exp_{part}" for part in ("month", "year")
}
_STRINGS = frozenset({"description", "email", "lookup_key", "name", "number", "phone", "product", "url"})


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition of a query. path: dotted path in the object. key: of ``metadata``. value: None for ``null``."""

    path: str
    key: str | None
    operator: str
    value: str | None
    negated: bool

    def holds(self, object: Json) -> bool:
        """Return whether the object matches the clause."""
        found = value_at(object, self.path)
        if self.key is not None:
            found = (found or {}).get(self.key)
        return self._matches(found) != self.negated

    def _matches(self, found: Any) -> bool:
        if isinstance(found, list):
            return any(self._matches(item) for item in found)
        if self.value is None:
            return found in (None, "")
        if found is None:
            return False
        if self.operator == ":":
            text = ("true" if found else "false") if isinstance(found, bool) else str(found)
            return text.casefold() == self.value.casefold()
        if self.operator == "~":
            return self.value.casefold() in str(found).casefold()
        try:
            have, wanted = float(found), float(self.value)
        except (TypeError, ValueError):
            return False
        return {">": have > wanted, ">=": have >= wanted, "<": have < wanted, "<=": have <= wanted}[self.operator]


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query. any: one matching clause suffices (OR); otherwise all must match."""

    clauses: tuple[Clause, ...]
    any: bool = False

    def holds(self, object: Json) -> bool:
        """Return whether the object matches the query."""
        results = (clause.holds(object) for clause in self.clauses)
        return any(results) if self.any else all(results)

    def needles(self) -> list[bytes]:
        """Return substrings that the lower-case ASCII JSON of every match contains; cheaper to test than decoding."""
        if self.any:
            return []
        texts = [c.value for c in self.clauses if c.value is not None and not c.negated and c.operator in (":", "~")]
        return [text.lower().encode() for text in texts if _SAID_AS_IT_IS.fullmatch(text)]

    def ranges(self) -> list[Range]:
        """Return the bounds on ``created`` that the index can use."""
        if self.any:
            return []
        return [
            Range("created", clause.operator, int(clause.value or ""))
            for clause in self.clauses
            if clause.path == "created"
            and not clause.negated
            and clause.operator in _COMPARING
            and _SECONDS.fullmatch(clause.value or "")
        ]


def parse(text: str, searchable: Mapping[str, str], plural: str) -> Query:
    """Parse a query.

    searchable: field -> dotted path. plural: the resource's name in messages, for example ``customers``.
    Raises ApiError 400 for a syntax error, too many clauses or a field that is not searchable.
    """
    clauses: list[Clause] = []
    joins, place = set(), 0
    while True:
        match = _CLAUSE.match(text, place)
        if match is None:
            raise _unreadable(text)
        if len(clauses) == MOST_CLAUSES:
            raise invalid(f"Search queries can have at most {MOST_CLAUSES} clauses.", "query")
        clauses.append(_clause(match, searchable, plural))
        place = match.end()
        if place >= len(text):
            break
        join = _JOIN.match(text, place)
        if join is None and not text[place - 1].isspace():
            raise _unreadable(text)
        joins.add("AND" if join is None else join[1].upper())
        place = place if join is None else join.end()
    if len(joins) > 1:
        raise invalid("You cannot combine `AND` and `OR` clauses in the same query.", "query")
    return Query(tuple(clauses), joins == {"OR"})


def _clause(match: re.Match[str], searchable: Mapping[str, str], plural: str) -> Clause:
    name, operator = match["field"], match["operator"]
    key = match["key1"] if match["key1"] is not None else match["key2"]
    if name not in searchable or (key is not None) != (name == "metadata"):
        raise invalid(
            f"Field `{name}` is an unsupported search field for resource `{plural}`."
            f" See"
            f" http://stripe.com/docs/search#query-fields-for-{plural.replace('_', '-')}"
            " for a list of supported fields.",
            "query",
        )
    _check_operator(name, operator)
    quoted = match["text1"] if match["text1"] is not None else match["text2"]
    bare = match["bare"]
    if quoted is None and bare.lower() != "null" and not re.fullmatch(r"-?\d+(\.\d+)?|true|false", bare, re.IGNORECASE):
        raise invalid(f"Values in search clauses must be quoted: `{bare}`.", "query")
    value = _plain(quoted) if quoted is not None else None if bare.lower() == "null" else bare
    if operator == "~" and (value is None or len(value) < _SHORTEST_PART):
        raise invalid(f"Substring search needs at least {_SHORTEST_PART} characters: `{value}`.", "query")
    return Clause(searchable[name], _plain(key) if key is not None else None, operator, value, match["not"] is not None)


def _check_operator(name: str, operator: str) -> None:
    """Raise ApiError 400 for an operator that fields of that type do not have. The text is inferred."""
    if (operator in _COMPARING and name not in _NUMERIC) or (operator == "~" and name not in _STRINGS):
        wanted = "strings" if operator == "~" else "numbers"
        raise invalid(f"Field `{name}` does not support the operator `{operator}`, which is for {wanted}.", "query")


def _plain(text: str) -> str:
    return _ESCAPE.sub(r"\1", text)


def _unreadable(text: str) -> ApiError:
    return invalid(
        f"We were unable to parse your search query: `{text}`. See http://stripe.com/docs/search for the query"
        f" language.",
        "query",
    )


def search_page(call: Call, object: str, params: Mapping[str, Any], *, url: str) -> Page:
    """Return one page of the objects that match a query, newest first.

    params: ``query``, ``limit`` (1 to 100, default 10), ``page`` (``next_page`` of the previous page).
    url: the path of the search endpoint. Raises ApiError 400 for an invalid query or page token.
    """
    resource = call.objects.resource(object)
    query = parse(params["query"], resource.searchable, url.split("/")[-2])
    limit = params.get("limit") or 10
    table = call.objects.table(object)
    after = (
        _cursor(table.get(call.tx, call.scope, _id_of(params["page"])), params["page"]) if params.get("page") else None
    )
    equal, ranges, needles = _served(query, resource.indexed), query.ranges(), query.needles()
    found: list[Json] = []
    looked, last = 0, None
    for record in _newest(call, table, equal, ranges, after):
        if looked == MOST_SCANNED:
            break
        looked, last = looked + 1, record
        value = _fitting(record, query, needles)
        if value is not None:
            found.append(call.objects.keep(object, record))
            if len(found) > limit:
                break
    else:
        last = None  # all objects were read
    more = last is not None
    found = found[:limit]
    further = found[-1]["id"] if len(found) == limit and found else last.id if last is not None else ""

    def count() -> int:
        counted = 0
        for record in islice(_newest(call, table, equal, ranges, None), MOST_SCANNED):
            counted += _fitting(record, query, needles) is not None
            if counted == MOST_COUNTED:
                break
        return counted

    return Page(found, more, url, {"object": "search_result", "next_page": _token(further) if more else None}, count)


def _newest(
    call: Call, table: Table, equal: Mapping[str, str], ranges: list[Range], after: Record | None
) -> Iterator[Record]:
    while True:
        records = table.page(call.tx, call.scope, _STEP, equal, ranges, after=after)
        yield from records
        if len(records) < _STEP:
            return
        after = records[-1]


def _fitting(record: Record, query: Query, needles: list[bytes]) -> Json | None:
    """Return the decoded object if it matches the query, else None."""
    body = bytes(record.body)
    if needles and body.isascii():
        lower = body.lower()
        if not all(needle in lower for needle in needles):
            return None
    value: Json = orjson.loads(body)
    return value if query.holds(value) else None


def _served(query: Query, indexed: tuple[str, ...]) -> dict[str, str]:
    """Return the clauses that an index can evaluate: field -> value."""
    if query.any:
        return {}
    return {
        clause.path: clause.value
        for clause in query.clauses
        if clause.operator == ":"
        and clause.value is not None
        and not clause.negated
        and clause.path in indexed
        and clause.path not in _FREE
    }


def _token(id: str) -> str:
    return base64.urlsafe_b64encode(id.encode()).decode().rstrip("=")


def _id_of(token: str) -> str:
    try:
        id = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""
    return id if id.isprintable() else ""


def _cursor(record: Record | None, token: str) -> Record:
    if record is None:
        raise invalid(f"Invalid page token: {token}", "page")
    return record


def searching(object: str, path: str) -> Endpoint:
    """Return the search endpoint of a type of object, for its ``searchable`` fields."""

    def handler(call: Call, params: Params) -> Page:
        return search_page(call, object, params, url=path)

    handler.__doc__ = "Find objects by a query in the search language, newest first."
    return Endpoint("GET", path, handler, scans=True)
