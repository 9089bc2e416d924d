"""Copies all rows of a database to another one, on either engine, and checks each of them.

``transfer_sqlite.py`` and ``transfer_postgres.py`` read and write one engine each. What is compared is the number of
rows and the digest of every table, computed from the rows that were read and again from the rows that were written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple, Protocol

from tollkey.db.engine import Row, StorageError

#: Tables that belong to one database: their rows are not copied. ``bell``: announcements to processes on an SQLite
#: file. ``migrations``: its rows are compared; only those of finished rewrites are copied.
OWN = frozenset({"bell", "migrations", "sqlite_sequence", "sqlite_stat1"})
_REWRITE = "rewrite "  # begins the module of a finished rewrite (``wire/rewriting.py``)
_DERIVED = "ix_"  # begins a column whose values are also in the object's JSON
_WIDTH = 1 << 128


class NotAlike(StorageError):
    """The two databases do not have the same tables: one of them was written by another version of this program."""


class NotEqual(StorageError):
    """The rows that were written are not those that were read."""


class Shape(NamedTuple):
    """A table. columns: their names, sorted. references: the tables that its foreign keys name."""

    columns: tuple[str, ...]
    references: frozenset[str] = frozenset()


class Sum(NamedTuple):
    """What a table contains. rows: their number. digest: independent of their order, 32 hexadecimal digits."""

    rows: int
    digest: str


class Readable(Protocol):
    """A database, seen in one snapshot."""

    def shapes(self) -> dict[str, Shape]:
        """Return the tables by name."""

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Sequence[Row]]:
        """Return the rows of a table in batches, in ascending order of ``seq`` or ``id`` if that is a number."""

    def counters(self) -> dict[str, int]:
        """Return the last number that each table with a counted key has given."""

    def marks(self) -> set[Row]:
        """Return which migrations were applied: rows of (module, number). Empty without a table of them."""


class Writable(Readable, Protocol):
    """A database in an open transaction."""

    def insert(self, table: str, columns: Sequence[str], batches: Iterator[Sequence[Row]]) -> None:
        """Store rows."""

    def set_counter(self, table: str, last: int) -> None:
        """Continue counting after ``last``."""


Progress = Callable[[str, int], None]  # is told a table's name and the number of rows so far, of all tables


class _Adding:
    """Adds up what a table contains, while its rows pass."""

    def __init__(self) -> None:
        self.rows = self._total = 0

    def add(self, rows: Sequence[Row]) -> None:
        total = 0
        for row in rows:
            total += int.from_bytes(
                blake2b(repr(tuple(row)).encode("utf-8", "backslashreplace"), digest_size=16).digest()
            )
        self._total = (self._total + total) % _WIDTH
        self.rows += len(rows)

    def sum(self) -> Sum:
        return Sum(self.rows, f"{self._total:032x}")


def summed(database: Readable, columns: Mapping[str, Sequence[str]], progress: Progress) -> dict[str, Sum]:
    """Return what tables contain. columns: the columns to look at, by table."""
    found, before = {}, 0
    for table in sorted(columns):
        adding = _Adding()
        for batch in database.rows(table, columns[table]):
            adding.add(batch)
            progress(table, before + adding.rows)
        found[table] = adding.sum()
        before += adding.rows
    return found


def contents(database: Readable, progress: Progress) -> dict[str, Sum]:
    """Return what all tables contain, with all of their columns."""
    columns = {table: shape.columns for table, shape in database.shapes().items() if table not in OWN}
    return summed(database, columns, progress)


def empty(database: Readable) -> bool:
    """Return whether no table has a row, apart from those that every new database has."""
    return not any(next(database.rows(table, ("*",)), ()) for table in database.shapes() if table not in OWN)


def copy_all(
    source: Readable, target: Writable, progress: Progress, tables: Collection[str] | None = None
) -> dict[str, Sum]:
    """Copy all rows into a database with the same, empty tables, and return what the tables contain.

    tables: only these. progress: called after each batch that was copied or checked.
    Raises NotAlike before anything is written, NotEqual when rows were changed on their way, StorageError. The caller
    rolls back then.
    """
    columns = _common(source, target)
    copied = sorted(columns if tables is None else columns.keys() & set(tables))
    ordered = _referenced_first(copied, target.shapes())
    read: dict[str, Sum] = {}
    before = 0
    for table in ordered:
        adding = _Adding()
        target.insert(table, columns[table], _passing(source, table, columns[table], adding, progress, before))
        read[table] = adding.sum()
        before += adding.rows
    written = summed(target, {table: columns[table] for table in copied}, progress)
    wrong = [table for table in copied if read[table] != written[table]]
    if wrong:
        raise NotEqual(f"the rows of {', '.join(wrong)} are not the same after copying")
    _copy_marks(source, target)
    for table, last in source.counters().items():
        if table in read:
            target.set_counter(table, last)
    return read


def _passing(
    source: Readable, table: str, columns: Sequence[str], adding: _Adding, progress: Progress, before: int
) -> Iterator[Sequence[Row]]:
    for batch in source.rows(table, columns):
        adding.add(batch)
        yield batch
        progress(table, before + adding.rows)


def _copy_marks(source: Readable, target: Writable) -> None:
    rewrites = sorted(mark for mark in source.marks() if mark[0].startswith(_REWRITE))
    target.insert("migrations", ("module", "number"), iter([rewrites]))


def _common(source: Readable, target: Readable) -> dict[str, tuple[str, ...]]:
    """Return the columns to copy, by table. Raises NotAlike.

    A source may have tables without rows, and columns of indexed fields, that this version no longer uses.
    """
    theirs, ours = source.shapes(), target.shapes()
    if "migrations" not in theirs:
        raise NotAlike("there is no database of Tollkey to copy")
    had = {mark for mark in source.marks() if not mark[0].startswith(_REWRITE)}
    has = target.marks()
    if had - has:
        raise NotAlike("the database was written by a newer version of Tollkey: copy it with that version")
    older = NotAlike(
        "the database was written by an older version of Tollkey: start this version on it once, then copy"
    )
    if has - had:
        raise older
    columns: dict[str, tuple[str, ...]] = {}
    for table, shape in ours.items():
        if table in OWN:
            continue
        if table not in theirs or set(shape.columns) - set(theirs[table].columns):
            raise older
        lost = [name for name in theirs[table].columns if name not in shape.columns and not name.startswith(_DERIVED)]
        if lost:
            raise NotAlike(f"{table} has columns that this version does not know: {', '.join(lost)}")
        columns[table] = shape.columns
    for table in theirs.keys() - ours.keys() - OWN:
        if next(source.rows(table, ("*",)), ()):
            raise NotAlike(f"this version does not know the table {table}, which has rows")
    return columns


def _referenced_first(tables: Sequence[str], shapes: Mapping[str, Shape]) -> list[str]:
    """Return tables in an order in which each follows those that its foreign keys name."""
    ordered: list[str] = []

    def visit(table: str, within: frozenset[str]) -> None:
        if table in ordered or table in within:
            return
        for other in sorted(shapes[table].references):
            if other in tables:
                visit(other, within | {table})
        ordered.append(table)

    for table in tables:
        visit(table, frozenset())
    return ordered
