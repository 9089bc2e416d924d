"""Object tables: one table for each kind of object. Every call takes a scope; there is no unscoped read.

An object is stored as the JSON of its response (``body``), with its private fields in a second column (``private``).
Fields that lists filter by are copied into indexed columns, long texts as ``indexed.py`` says. Each index also covers
the order of lists: newest first, by ``created`` and, within a second, by ``seq``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from tollkey.db.ahead import Question
from tollkey.db.engine import Dialect, Duplicate, Scope, Tx
from tollkey.db.held import Merge, Values, Write, arrays, inserting
from tollkey.db.indexed import LONGEST, indexed
from tollkey.db.unsent import Rows, unsent

T = TypeVar("T")


class Record(NamedTuple):
    """One stored object.

    seq: row number, ascending with insertion. created: UTC epoch seconds. body, private: public and private JSON.
    """

    seq: int
    id: str
    created: int
    body: bytes
    private: bytes | None


class Range(NamedTuple):
    """A bound on an integer column.

    column: ``created`` (UTC epoch seconds) or ``seq``. operator: one of ``>``, ``>=``, ``<``, ``<=``.
    """

    column: str
    operator: str  # one of > >= < <=
    value: int


_OPERATORS = frozenset({">", ">=", "<", "<="})
_KEY = ("account", "livemode", "id")
_ROW = "seq, id, created, body, private"
_FIRST = 6  # the place of the first indexed column among the values of a write
_UNSENT = 2**62  # larger than the number of any row


def as_text(value: Any) -> str | None:
    """Convert a value to the text stored in an indexed column; None for null, lists and dicts."""
    if value is None or isinstance(value, dict | list):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def column(field: str) -> str:
    """Return the column of an indexed field: ``recurring.interval`` is stored in ``ix_recurring_interval``."""
    return "ix_" + field.replace(".", "_")


def existing_columns(tx: Tx) -> dict[str, set[str]]:
    """Return the columns of all existing object tables by table name, with one query."""
    rows = tx.execute(
        "SELECT m.name, c.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c"
        " WHERE m.type = 'table' AND m.name LIKE 'obj!_%' ESCAPE '!'"
        if tx.dialect == "sqlite"
        else "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
        " AND table_name LIKE 'obj!_%' ESCAPE '!'"
    )
    found: dict[str, set[str]] = {}
    for table, name in rows:
        found.setdefault(str(table), set()).add(str(name))
    return found


def existing_indexes(tx: Tx) -> set[str]:
    """Return the names of all indexes that can be used; one whose creation was interrupted cannot."""
    rows = tx.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'index'"
        if tx.dialect == "sqlite"
        else "SELECT c.relname FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid"
        " WHERE i.indisvalid AND c.relnamespace = current_schema()::regnamespace"
    )
    return {str(row[0]) for row in rows}


def _updating(table: str, columns: Sequence[str], types: str, merge: Merge) -> Write:
    """Return the write that replaces these columns of a stored object. columns: those of ``_KEY`` first."""
    own = columns[len(_KEY) :]
    places = ", ".join(f"{name} = ?{place}" for place, name in enumerate(own, len(_KEY) + 1))
    taken = ", ".join(f"{name} = v.{name}" for name in own)
    return Write(
        table,
        types,
        f"UPDATE {table} SET {places} WHERE account = ?1 AND livemode = ?2 AND id = ?3",
        f"UPDATE {table} AS t SET {taken} FROM {arrays(columns, types)}"
        " WHERE t.account = v.account AND t.livemode = v.livemode AND t.id = v.id",
        len(_KEY),
        merge,
    )


class Table:
    """The stored objects of one kind.

    name: the value of their ``object`` field, for example ``payment_intent``.
    indexed: fields (dotted paths) that queries filter by.
    """

    def __init__(self, name: str, indexed: Sequence[str] = ()) -> None:
        self.name = name
        self.table = "obj_" + name.replace(".", "_")
        self.indexed = tuple(indexed)
        columns = [column(field) for field in self.indexed]
        self._paths = [tuple(field.split(".")) for field in self.indexed]
        names, types = (*_KEY, "created", "body", "private", *columns), "titibb" + "t" * len(columns)
        self._insert = inserting(self.table, names, types, keys=len(_KEY), merge=self._inserted_twice)
        self._update = _updating(self.table, names, types, self._updated_too)
        self._rewrite = _updating(self.table, (*_KEY, "body", "private"), "titbb", self._rewritten_too)
        self._get = f"SELECT {_ROW} FROM {self.table} WHERE account = ? AND livemode = ? AND id = ?"
        self._body = f"SELECT body FROM {self.table} WHERE account = ? AND livemode = ? AND id = ?"
        self._delete = f"DELETE FROM {self.table} WHERE account = ? AND livemode = ? AND id = ?"

    # -- shape

    def create(self, dialect: Dialect) -> list[str]:
        """Return the statements that create the table with its columns and indexes."""
        key, blob, whole = (
            ("INTEGER PRIMARY KEY AUTOINCREMENT", "BLOB", "INTEGER")
            if dialect == "sqlite"
            else ("BIGSERIAL PRIMARY KEY", "BYTEA", "BIGINT")
        )
        further = "".join(f" {column(field)} TEXT," for field in self.indexed)
        return [
            f"CREATE TABLE IF NOT EXISTS {self.table} (seq {key}, account TEXT NOT NULL, livemode {whole} NOT NULL,"
            f" id TEXT NOT NULL, created {whole} NOT NULL, body {blob} NOT NULL, private {blob},{further}"
            " UNIQUE (account, livemode, id))",
            f"CREATE INDEX IF NOT EXISTS {self.table}_created ON {self.table} (account, livemode, created, seq)",
            *map(self.create_index, self.indexed),
        ]

    def add_column(self, field: str) -> str:
        """Return the statement that adds the column of one field, empty."""
        return f"ALTER TABLE {self.table} ADD COLUMN {column(field)} TEXT"

    def index(self, field: str) -> str:
        """Return the name of a field's index."""
        return f"{self.table}_{column(field)}"

    def create_index(self, field: str) -> str:
        """Return the statement that creates the index of one field."""
        return (
            f"CREATE INDEX IF NOT EXISTS {self.index(field)}"
            f" ON {self.table} (account, livemode, {column(field)}, created, seq) WHERE {column(field)} IS NOT NULL"
        )

    # -- one object

    def insert(
        self,
        tx: Tx,
        scope: Scope,
        id: str,
        created: int,
        body: bytes,
        private: bytes | None,
        values: Sequence[str | None],
    ) -> None:
        """Store a new object.

        created: UTC epoch seconds. body, private: public and private JSON. values: of the indexed columns, see
        ``values``. The row is held (``Tx.hold``): a second object with that id raises Duplicate when it is written.
        """
        tx.cached.pop(self.table, None)
        tx.hold(self._insert, (scope.account, int(scope.livemode), id, created, body, private, *values))

    def update(
        self,
        tx: Tx,
        scope: Scope,
        id: str,
        created: int,
        body: bytes,
        private: bytes | None,
        values: Sequence[str | None],
    ) -> None:
        """Replace a stored object; the arguments are those of ``insert``."""
        tx.cached.pop(self.table, None)
        tx.hold(self._update, (scope.account, int(scope.livemode), id, created, body, private, *values))

    def rewrite(self, tx: Tx, scope: Scope, id: str, body: bytes, private: bytes | None) -> None:
        """Replace the JSON of a stored object whose indexed fields are unchanged, without updating indexes."""
        tx.cached.pop(self.table, None)
        tx.hold(self._rewrite, (scope.account, int(scope.livemode), id, body, private))

    # What is written for an object that is written more than once: see ``Merge``.

    def _inserted_twice(self, held: Write, values: Values, row: Values) -> tuple[Write, Values]:
        raise Duplicate(f"{self.table} already has {row[2]}")

    def _updated_too(self, held: Write, values: Values, row: Values) -> tuple[Write, Values]:
        return (held if held is self._insert else self._update), row

    def _rewritten_too(self, held: Write, values: Values, row: Values) -> tuple[Write, Values]:
        if held is self._rewrite:
            return held, row
        return held, (*values[:4], *row[3:], *values[6:])

    def values(self, value: Mapping[str, Any]) -> list[str | None]:
        """Return the values of an object's indexed columns, in the order of ``indexed``."""
        found = []
        for path in self._paths:
            inner: Any = value
            for name in path:
                inner = inner.get(name) if isinstance(inner, dict) else None
            text = inner if inner is None or type(inner) is str else as_text(inner)
            found.append(text if text is None or len(text) <= LONGEST else indexed(text))
        return found

    def get(self, tx: Tx, scope: Scope, id: str) -> Record | None:
        """Return the stored object with that id in this scope, or None."""
        key = (scope.account, int(scope.livemode), id)
        rows = tx.read(self.table, self._get, key, key)
        return Record(*rows[0]) if rows else None

    def cached(self, tx: Tx, scope: Scope, question: Hashable, read: Callable[[], T]) -> T:
        """Return what ``read`` returns, called once in the transaction while the table is not written.

        For reads that most requests repeat: the edge runs many requests in one transaction.
        question: what is read in the scope. read: returns a value that no caller changes.
        """
        answers = tx.cached.get(self.table)
        if answers is None:
            answers = tx.cached[self.table] = {}
        key = (scope, question)
        if key not in answers:
            answers[key] = tx.usual(read)
        found: T = answers[key]
        return found

    def body(self, tx: Tx, scope: Scope, id: str) -> bytes | None:
        """Return the public JSON of the object with that id in this scope, or None."""
        key = (scope.account, int(scope.livemode), id)
        rows = tx.read(self.table, self._body, key, key)
        return bytes(rows[0][0]) if rows else None

    def asks_body(self, scope: Scope, id: str) -> Question:
        """Return the question that ``body`` asks, for ``Edge.ask``."""
        return Question(self.table, self._body, (scope.account, int(scope.livemode), id))

    def delete(self, tx: Tx, scope: Scope, id: str) -> None:
        """Delete an object, if the scope has it."""
        tx.cached.pop(self.table, None)
        tx.execute(self._delete, (scope.account, int(scope.livemode), id))

    def exists_in_other_mode(self, tx: Tx, scope: Scope, id: str) -> bool:
        """Return whether the account has an object with that id in its other mode."""
        key = (scope.account, int(not scope.livemode), id)
        sql = f"SELECT 1 FROM {self.table} WHERE account = ? AND livemode = ? AND id = ?"
        return bool(tx.read(self.table, sql, key, key))

    def _where(
        self, scope: Scope, equal: Mapping[str, str | Sequence[str]], ranges: Iterable[Range]
    ) -> tuple[str, list[object]]:
        clauses, values = ["account = ?", "livemode = ?"], [scope.account, int(scope.livemode)]
        parameters: list[object] = list(values)
        for field, value in equal.items():
            if field not in self.indexed and field != "id":
                raise ValueError(f"{self.name} is not indexed by {field}")
            name, wanted = ("id", str) if field == "id" else (column(field), indexed)
            if isinstance(value, str):
                clauses.append(f"{name} = ?")
                parameters.append(wanted(value))
            else:
                clauses.append(f"{name} IN ({', '.join('?' for _ in value) or 'NULL'})")
                parameters.extend(map(wanted, value))
        for bound in ranges:
            if bound.operator not in _OPERATORS or bound.column not in ("created", "seq"):
                raise ValueError(f"not a valid range: {bound}")
            clauses.append(f"{bound.column} {bound.operator} ?")
            parameters.append(bound.value)
        return " AND ".join(clauses), parameters

    def page(
        self,
        tx: Tx,
        scope: Scope,
        limit: int,
        equal: Mapping[str, str | Sequence[str]] | None = None,
        ranges: Iterable[Range] = (),
        after: Record | None = None,
        before: Record | None = None,
        oldest_first: bool = False,
    ) -> list[Record]:
        """Return at most ``limit`` objects, newest first.

        equal: indexed field (or ``id``) to the value, or the list of values, that it must have.
        ranges: bounds on ``created`` or ``seq``.
        after: only objects behind this one in the list. before: only objects in front of it, the nearest ones.
        oldest_first: reverse the order.
        Raises ValueError for a field without an index.
        """
        where, parameters = self._where(scope, equal or {}, ranges)
        direction = "ASC" if oldest_first else "DESC"
        later, earlier = ("<", ">") if direction == "DESC" else (">", "<")
        for cursor, operator in ((after, later), (before, earlier)):
            if cursor is not None:
                where += f" AND (created, seq) {operator} (?, ?)"
                parameters += [cursor.created, cursor.seq]
        backwards = before is not None and after is None
        if backwards:
            direction = "ASC" if direction == "DESC" else "DESC"
        rows = tx.read(self.table, self._select(where, direction), (*parameters, limit))
        records = [Record(*row) for row in rows]
        return records[::-1] if backwards else records

    def _select(self, where: str, direction: str) -> str:
        return f"SELECT {_ROW} FROM {self.table} WHERE {where} ORDER BY created {direction}, seq {direction} LIMIT ?"

    def matching(
        self,
        tx: Tx,
        scope: Scope,
        limit: int,
        equal: Mapping[str, str | Sequence[str]],
        oldest_first: bool = False,
        only_held: bool = False,
    ) -> list[Record]:
        """Return what ``page`` returns, where possible without writing what the transaction holds for the table.

        The ``seq`` of an object that is not written yet is larger than that of any other. only_held: none that matches
        is written yet.
        """
        held = tx.held.rows(self.table)
        if not held and not only_held:
            return self.page(tx, scope, limit, equal, oldest_first=oldest_first)
        where, parameters = self._where(scope, equal, ())
        select = self._select(where, "ASC" if oldest_first else "DESC")
        rows = [] if only_held else tx.read_sent(select, (*parameters, limit))
        records = self._with_unsent(held, [Record(*row) for row in rows], tuple(parameters[:2]), equal, limit)
        if records is None:
            return self.page(tx, scope, limit, equal, oldest_first=oldest_first)
        records.sort(key=lambda record: (record.created, record.seq), reverse=not oldest_first)
        return records[:limit]

    def _with_unsent(
        self,
        held: Rows,
        found: Sequence[Record],
        scope: Values,
        equal: Mapping[str, str | Sequence[str]],
        limit: int,
    ) -> list[Record] | None:
        """Return the objects that match, those that are not written yet included; None when only writing would tell.

        found: those that are written and match. scope: account and mode.
        """
        records = {record.id: record for record in found}
        wanted = []
        for field, value in equal.items():
            place, as_stored = (2, str) if field == "id" else (_FIRST + self.indexed.index(field), indexed)
            wanted.append((place, [as_stored(one) for one in ((value,) if isinstance(value, str) else value)]))
        try:
            changes = unsent(held, (self._insert, self._update), scope, wanted, records.keys())
        except Duplicate:  # it is raised again when it is written
            return None
        for id, (place, write, values) in changes.items():
            stored = records.get(id)
            if write is self._rewrite and stored is not None:
                records[id] = Record(stored.seq, id, stored.created, *values[3:5])
            elif write is not self._insert and write is not self._update:
                return None
            elif not changes[id].matches(wanted):
                if stored is not None and len(found) == limit:  # another object takes its place
                    return None
                records.pop(id, None)
            elif write is self._update and stored is None:  # its number is not known
                return None
            else:
                records[id] = Record(stored.seq if stored else _UNSENT + place, id, *values[3:6])
        return list(records.values())

    def count(
        self,
        tx: Tx,
        scope: Scope,
        equal: Mapping[str, str | Sequence[str]] | None = None,
        ranges: Iterable[Range] = (),
    ) -> int:
        """Return how many objects match; ``equal`` and ``ranges`` as in ``page``."""
        where, parameters = self._where(scope, equal or {}, ranges)
        return int(tx.read(self.table, f"SELECT count(*) FROM {self.table} WHERE {where}", parameters)[0][0])
