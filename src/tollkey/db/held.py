"""Writes that a transaction holds in memory, until a statement might see them or the transaction is committed.

A group of requests writes the same kinds of rows. Held back, they are written table by table, many rows in a statement:
one exchange with PostgreSQL for a whole group, a fraction of the statements on SQLite. Rows of the same key become one
write: an object that is stored and then changed is inserted once, a running total is added to once.

Savepoints are held too. One that ends, or is rolled back, before a statement had to be sent never reaches the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Values = tuple[object, ...]
#: Given the write and values that are held for a key, and the values of the next write: what to write for both.
Merge = Callable[["Write", Values, Values], tuple["Write", Values]]
_SAVEPOINT = "SAVEPOINT "
_TYPES = {"t": "text", "i": "bigint", "b": "bytea"}
_END = 2**63  # of integers in both databases


@dataclass(frozen=True, slots=True, eq=False)
class Write:
    """One kind of write, declared once.

    table: the table that it writes to. types: of its values, see ``arrays``.
    sqlite: its statement for one row, with ``?`` or ``?1`` placeholders.
    postgres: its statement for many rows, with one array per column.
    keys: how many of the first values identify the row; 0 when rows are never merged.
    merge: makes one write of two with the same key.
    moves: that one write takes the place of the second; otherwise that of the first.
    integers: places of the integers among its values.
    """

    table: str
    types: str
    sqlite: str
    postgres: str
    keys: int = 0
    merge: Merge | None = None
    moves: bool = False
    integers: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "integers", tuple(place for place, kind in enumerate(self.types) if kind == "i"))


class Batch(NamedTuple):
    """Rows of one kind of write, to be sent with one statement."""

    write: Write
    rows: list[Values]


def arrays(columns: Sequence[str], types: str) -> str:
    """Return ``unnest(…) AS v (…)`` with an array placeholder for each column.

    types: a letter for each column: ``t`` text, ``i`` integer, ``b`` bytes.
    """
    casts = ", ".join(f"?::{_TYPES[letter]}[]" for letter in types)
    return f"unnest({casts}) AS v ({', '.join(columns)})"


def inserting(
    table: str,
    columns: Sequence[str],
    types: str,
    rest: str = "",
    keys: int = 0,
    merge: Merge | None = None,
    moves: bool = False,
) -> Write:
    """Return the write that inserts rows.

    types: see ``arrays``. rest: the end of the statement, ``ON CONFLICT …``. keys, merge, moves: see ``Write``.
    """
    names, marks, end = ", ".join(columns), ", ".join("?" for _ in columns), f" {rest}" if rest else ""
    return Write(
        table,
        types,
        f"INSERT INTO {table} ({names}) VALUES ({marks}){end}",
        f"INSERT INTO {table} ({names}) SELECT {names} FROM {arrays(columns, types)}{end}",
        keys,
        merge,
        moves,
    )


class Held:
    """The held writes and savepoints of one transaction, in order. taken: how often some were taken to be sent.

    numbers: those that the transaction may give to new rows, by table.
    """

    __slots__ = ("_count", "_cures", "_ended", "_keys", "_log", "_rows", "_sent", "numbers", "taken")

    def __init__(self) -> None:
        self._log: list[str | tuple[Write, Values]] = []  # a text is a savepoint that has not been sent
        self._keys: dict[str, set[Values]] = {}  # of the held rows, by table
        self._rows: dict[str, list[tuple[Write, Values]]] = {}  # the held rows themselves, in order
        self._ended: list[str] = []  # savepoints that were sent and have ended
        self._sent: set[str] = set()  # savepoints that were sent and have not ended
        self._cures: set[str] | None = None  # after a write has failed: those whose rollback undoes what it belongs to
        self._count = 0
        self.taken = 0
        self.numbers: dict[str, Iterator[int]] = {}

    def __bool__(self) -> bool:
        return bool(self._log or self._ended)

    def add(self, write: Write, values: Values) -> None:
        """Hold a write. Raises OverflowError for an integer of more than 64 bits.

        When the row is sent it would fail the whole group, with the requests of others.
        """
        for place in write.integers:
            value = values[place]
            if isinstance(value, int) and not -_END <= value < _END:
                raise OverflowError(f"an integer of more than 64 bits for {write.table}: {value}")
        entry = write, values
        self._log.append(entry)
        self._note(entry)

    def _note(self, entry: tuple[Write, Values]) -> None:
        write, values = entry
        keys = self._keys.get(write.table)
        if keys is None:
            keys = self._keys[write.table] = set()
            self._rows[write.table] = []
        self._rows[write.table].append(entry)
        if write.keys:
            keys.add(values[: write.keys])

    def rows(self, table: str) -> Sequence[tuple[Write, Values]]:
        """Return the held writes of a table, in order."""
        return self._rows.get(table, ())

    def concerns(self, table: str, key: Values | None = None) -> bool:
        """Return whether a statement that reads the table, or only the row with that key, would miss a held write."""
        keys = self._keys.get(table)
        return keys is not None and (key is None or key in keys)

    # -- savepoints

    def begin(self) -> tuple[str, bool]:
        """Begin a savepoint; return its name, and whether it is a new one.

        One that begins directly after another shares it: either rollback has the same effect.
        """
        if self._log and isinstance(last := self._log[-1], str):
            return last, False
        self._count += 1
        name = f"s{self._count}"
        self._log.append(name)
        return name, True

    def end(self, name: str) -> None:
        """End a savepoint and keep what was written since."""
        at = self._position(name)
        if at is None:
            self._ended.append(name)
            self._sent.discard(name)
            if self._cures is not None:
                self._cures.discard(name)
        else:
            del self._log[at]

    def undo(self, name: str) -> bool:
        """Forget the writes since a savepoint; return whether it was sent, so that the database must roll back too."""
        at = self._position(name)
        if at is None:  # all that is held came after it
            self.clear()
            if self._cures is not None and name in self._cures:
                self._cures = None
            return True
        del self._log[at + 1 :]
        self._keys, self._rows = {}, {}
        for entry in self._log:
            if not isinstance(entry, str):
                self._note(entry)
        return False

    def clear(self) -> None:
        """Forget everything."""
        self._log, self._keys, self._rows, self._ended = [], {}, {}, []

    def _position(self, name: str) -> int | None:
        for at in range(len(self._log) - 1, -1, -1):
            if self._log[at] == name:
                return at
        return None

    # -- sending

    @property
    def lost(self) -> bool:
        """Whether a write has failed and was not rolled back: the transaction must not be committed."""
        return self._cures is not None

    def fail(self) -> None:
        """Record that what is being sent has failed."""
        self._cures = set(self._sent)

    def sent(self, step: str) -> None:
        """Record that a statement about a savepoint was executed."""
        if step.startswith(_SAVEPOINT):
            self._sent.add(step.removeprefix(_SAVEPOINT))

    def take(self) -> list[str | Batch]:
        """Return what is to be sent, in order, and forget it: batches of rows, and statements about savepoints."""
        steps: list[str | Batch] = [f"RELEASE SAVEPOINT {name}" for name in self._ended]
        rows: list[tuple[Write, Values]] = []
        for entry in self._log:
            if isinstance(entry, str):
                steps += _batches(rows)
                steps.append(_SAVEPOINT + entry)
                rows = []
            else:
                rows.append(entry)
        steps += _batches(rows)
        self.taken += bool(steps)
        self.clear()
        return steps


def _batches(entries: Iterable[tuple[Write, Values]]) -> list[Batch]:
    """Merge the rows with the same key and collect them by kind of write, in the order in which each kind came first.

    So a row that refers to one of another table is written after it.
    """
    merged: dict[object, tuple[Write, Values]] = {}
    for write, values in entries:
        key: object = (write.table, values[: write.keys]) if write.keys else (write.table, len(merged))
        held = merged.pop(key, None) if write.moves else merged.get(key)
        merged[key] = (write, values) if held is None or write.merge is None else write.merge(*held, values)
    found: dict[Write, list[Values]] = {}
    for write, values in merged.values():
        found.setdefault(write, []).append(values)
    return [Batch(write, rows) for write, rows in found.items()]
