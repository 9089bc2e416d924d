"""Where sealed texts are, and how all of them move to a new sealing key.

Whoever seals says so beside the table it seals into: with a ``SealedColumn``, or with ``Resource(sealed=…)`` for fields
    of objects. Those who rotate the sealing key gather what was said and walk over it, some hundred rows in a
    transaction; a walk that was interrupted is simply done again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tollkey.db.engine import Database, Tx
from tollkey.keys.keyring import Keyring
from tollkey.keys.sealing import SealBroken, reseal, sealing_key_of

PIECE = 200  # rows in one transaction
Place = int | str  # where a walk has come to: the last row's key
Change = Callable[[bytes, str], bytes]  # from a sealed text, and what it is bound to, to what becomes of it


class Sealing(Protocol):
    """Something that holds sealed texts. what: how people are told of it."""

    @property
    def what(self) -> str: ...

    def walk(self, tx: Tx, after: Place | None, limit: int, change: Change) -> Place | None:
        """Put ``change`` of each sealed text in its place, in at most ``limit`` rows after that one.

        Returns the last, None at the end.
        """


@dataclass(frozen=True)
class SealedColumn:
    """A column of bytes that are sealed, or NULL.

    key: the table's unique column, by which it is walked over. bound: the columns that ``bind`` is given, to make of
        them what the text in that row is bound to.
    """

    table: str
    column: str
    key: str
    bound: tuple[str, ...]
    bind: Callable[..., str]

    @property
    def what(self) -> str:
        return f"{self.table}.{self.column}"

    def walk(self, tx: Tx, after: Place | None, limit: int, change: Change) -> Place | None:
        """As the protocol says. What was destroyed or replaced meanwhile stays so."""
        further, values = ("", ()) if after is None else (f" AND {self.key} > ?", (after,))
        names = ", ".join((self.key, self.column, *self.bound))
        rows = tx.execute(
            f"SELECT {names} FROM {self.table} WHERE {self.column} IS NOT NULL{further} ORDER BY {self.key} LIMIT ?",
            (*values, limit),
        )
        for key, sealed, *bound in rows:
            was = bytes(sealed)
            became = change(was, self.bind(*bound))
            if became != was:
                tx.execute(
                    f"UPDATE {self.table} SET {self.column} = ? WHERE {self.key} = ? AND {self.column} = ?",
                    (became, key, sealed),
                )
        return rows[-1][0] if len(rows) == limit else None


@dataclass
class Moved:
    """What a walk over everything sealed has found. texts: how many moved.

    broken: how many do not open, by where they are.
    """

    texts: int = 0
    broken: Counter[str] = field(default_factory=Counter)


def move_all(database: Database, places: Sequence[Sealing], keyring: Keyring) -> Moved:
    """Move every sealed text to the current sealing key, in pieces.

    What does not open is left as it is, and counted.
    """
    found = Moved()

    for place in places:

        def change(sealed: bytes, bound_to: str, what: str = place.what) -> bytes:
            try:
                anew = reseal(sealed, bound_to, keyring)
            except SealBroken:
                found.broken[what] += 1
                return sealed
            found.texts += anew != sealed
            return anew

        _walk(database, place, change)
    return found


def needed(database: Database, places: Sequence[Sealing], name: str) -> Counter[str]:
    """How many texts are still sealed with the key of that name, by where they are."""
    found: Counter[str] = Counter()

    for place in places:

        def look(sealed: bytes, _: str, what: str = place.what) -> bytes:
            found[what] += sealing_key_of(sealed) == name
            return sealed

        _walk(database, place, look)
    return +found


def _walk(database: Database, place: Sealing, change: Change) -> None:
    after: Place | None = None
    while True:
        last = database.write(lambda tx, after=after: place.walk(tx, after, PIECE, change))  # type: ignore[misc]
        if last is None:
            return
        after = last
