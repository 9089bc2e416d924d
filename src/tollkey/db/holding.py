"""What transactions on SQLite and on PostgreSQL have in common: both hold writes back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, TypeVar

from tollkey.db.engine import Row
from tollkey.db.held import Held, Values, Write

T = TypeVar("T")


class HoldingTx(ABC):
    """A transaction that holds writes back; see ``Tx``.

    held: what is not written yet. cached: see ``Tx``.
    """

    brief = False

    def __init__(self, held: Held, cached: dict[str, dict[Hashable, Any]]) -> None:
        self.held, self.cached = held, cached
        self.rollbacks = 0
        self.announcements: list[tuple[str, str]] = []
        self.commit_callbacks: list[Callable[[], None]] = []
        self._even_if_unknown: list[Callable[[], None]] = []

    @abstractmethod
    def _run(self, sql: str, params: Sequence[object]) -> list[Row]:
        """Run one statement now. Raises Duplicate, StorageError."""

    @abstractmethod
    def flush(self) -> None:
        """Write what is held. Raises Duplicate, StorageError."""

    @property
    def lost(self) -> bool:
        """Whether a held write was refused and no rollback has undone it."""
        return self.held.lost

    def execute(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        if self.held:
            self.flush()
        return self._run(sql, params)

    def read(self, table: str, sql: str, params: Sequence[object], key: Values | None = None) -> list[Row]:
        if self.held.concerns(table, key):
            self.flush()
        return self._run(sql, params)

    def read_sent(self, sql: str, params: Sequence[object]) -> list[Row]:
        return self._run(sql, params)

    def usual(self, read: Callable[[], T]) -> T:
        return read()

    def number(self, table: str) -> int:
        numbers = self.held.numbers.get(table, iter(()))
        found = next(numbers, None)
        if found is None:
            numbers = self.held.numbers[table] = self._numbers(table)
            found = next(numbers)
        return found

    @abstractmethod
    def _numbers(self, table: str) -> Iterator[int]:
        """Return numbers that no row of a table has or will be given by anyone else. Raises StorageError."""

    def hold(self, write: Write, values: Values) -> None:
        self.held.add(write, values)

    def on_commit(self, call: Callable[[], None], *, if_unknown: bool = False) -> None:
        self.commit_callbacks.append(call)
        if if_unknown:
            self._even_if_unknown.append(call)

    def callbacks_if_unknown(self) -> list[Callable[[], None]]:
        """Those of the ``commit_callbacks`` that are called when the outcome of the commit is unknown."""
        return [call for call in self.commit_callbacks if call in self._even_if_unknown]
