"""What a query of an object table would find if the writes that the transaction holds were sent.

To send them in the middle of a request is dear: on SQLite a statement for each table of each request, on PostgreSQL an
exchange for each request, where a group needs one of each.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from tollkey.db.held import Values, Write

Rows = Sequence[tuple[Write, Values]]
Wanted = Sequence[tuple[int, Collection[object]]]


class Unsent(NamedTuple):
    """A row as it will be. place: among the held writes. write, values: what will be written of it."""

    place: int
    write: Write
    values: tuple[Any, ...]

    def matches(self, wanted: Wanted) -> bool:
        """Return whether the columns at these places will have one of these values."""
        return _matches(self.values, wanted)


def unsent(
    held: Rows, whole: Collection[Write], scope: Values, wanted: Wanted, found: Collection[str]
) -> Mapping[str, Unsent]:
    """Return the rows, by id, that may match once they are written, and those of ``found`` that will be changed.

    held: of the table, in order; each begins with account, mode and id. whole: the kinds of write that have all
    columns. scope: account and mode. found: ids.
    """
    ids = {
        values[2]
        for write, values in held
        if values[:2] == scope and (values[2] in found or (write in whole and _matches(values, wanted)))
    }
    rows: dict[str, Unsent] = {}
    for place, (write, values) in enumerate(held if ids else ()):
        if values[2] in ids and values[:2] == scope:
            id = str(values[2])
            before = rows.get(id)
            if before is None or write.merge is None:
                rows[id] = Unsent(place, write, values)
            else:
                rows[id] = Unsent(before.place, *write.merge(before.write, before.values, values))
    return rows


def _matches(values: Values, wanted: Wanted) -> bool:
    return all(values[place] in among for place, among in wanted)
