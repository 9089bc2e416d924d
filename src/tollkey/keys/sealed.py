"""Finds all sealed secrets in the database and reseals them with a new sealing key.

A module that seals secrets declares where it stores them: with a ``SealedColumn``, or with ``Resource(sealed=…)`` for
fields of objects. A rotation of the sealing key collects these declarations and goes through the rows in batches. An
interrupted run can be repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tollkey.db import Database, Tx
from tollkey.keys.errors import SealBroken
from tollkey.keys.keyring import Keyring
from tollkey.keys.sealing import reseal, sealing_key_name

BATCH = 200  # rows in one transaction
RowKey = int | str  # primary key of the last row of a batch
Transform = Callable[[bytes, str], bytes]  # called with a sealed secret and its context, returns what replaces it


class SealedStorage(Protocol):
    """A place where sealed secrets are stored. what: its name in messages."""

    @property
    def what(self) -> str:
        """Its name in messages, for example ``api_keys.sealed``."""

    def walk(self, tx: Tx, after: RowKey | None, limit: int, transform: Transform) -> RowKey | None:
        """Replace each sealed secret by the result of ``transform``, in up to ``limit`` rows behind ``after``.

        Returns the key of the last row, or None at the end. Raises StorageError.
        """


@dataclass(frozen=True)
class SealedColumn:
    """A column of sealed secrets or NULLs.

    key: a unique column of the table, used to go through it in order.
    bound: the columns passed to ``bind``, which returns the context that the secret of the row is sealed with.
    """

    table: str
    column: str
    key: str
    bound: tuple[str, ...]
    bind: Callable[..., str]

    @property
    def what(self) -> str:
        """Table and column."""
        return f"{self.table}.{self.column}"

    def walk(self, tx: Tx, after: RowKey | None, limit: int, transform: Transform) -> RowKey | None:
        """See ``SealedStorage.walk``. A secret that was deleted or replaced meanwhile is left alone."""
        further, values = ("", ()) if after is None else (f" AND {self.key} > ?", (after,))
        names = ", ".join((self.key, self.column, *self.bound))
        rows = tx.execute(
            f"SELECT {names} FROM {self.table} WHERE {self.column} IS NOT NULL{further} ORDER BY {self.key} LIMIT ?",
            (*values, limit),
        )
        for key, sealed, *bound in rows:
            was = bytes(sealed)
            became = transform(was, self.bind(*bound))
            if became != was:
                tx.execute(
                    f"UPDATE {self.table} SET {self.column} = ? WHERE {self.key} = ? AND {self.column} = ?",
                    (became, key, sealed),
                )
        return rows[-1][0] if len(rows) == limit else None


@dataclass
class ResealResult:
    """The result of ``reseal_all``.

    texts: number of resealed secrets. broken: number of secrets that could not be unsealed, by ``SealedStorage.what``.
    """

    texts: int = 0
    broken: Counter[str] = field(default_factory=Counter)


def reseal_all(
    database: Database, places: Sequence[SealedStorage], keyring: Keyring, progress: Callable[[int], None] | None = None
) -> ResealResult:
    """Reseal all secrets with the current sealing key, in batches.

    places: where they are stored. A secret that cannot be unsealed is left as it is and counted.
    progress: called after each batch with the number of secrets that were resealed so far.
    Returns the counts. Raises StorageError.
    """
    found = ResealResult()

    for place in places:

        def transform(sealed: bytes, bound_to: str, what: str = place.what) -> bytes:
            try:
                resealed = reseal(sealed, bound_to, keyring)
            except SealBroken:
                found.broken[what] += 1
                return sealed
            found.texts += resealed != sealed
            return resealed

        _walk(database, place, transform, lambda: progress(found.texts) if progress is not None else None)
    return found


def count_sealed_with(database: Database, places: Sequence[SealedStorage], name: str) -> Counter[str]:
    """Return how many secrets are sealed with a sealing key, by ``SealedStorage.what``. name: for example ``s1``."""
    found: Counter[str] = Counter()

    for place in places:

        def count(sealed: bytes, _: str, what: str = place.what) -> bytes:
            found[what] += sealing_key_name(sealed) == name
            return sealed

        _walk(database, place, count)
    return +found


def _walk(
    database: Database, place: SealedStorage, transform: Transform, after_batch: Callable[[], None] = lambda: None
) -> None:
    after: RowKey | None = None
    while True:
        last = database.write(lambda tx, after=after: place.walk(tx, after, BATCH, transform))  # type: ignore[misc]
        after_batch()
        if last is None:
            return
        after = last
