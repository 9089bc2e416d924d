"""The ids that a request makes, and whether the database can know them."""

from __future__ import annotations

from collections.abc import Iterable

from tollkey.db import Ids, Tx


class NotedIds(Ids):
    """Makes ids for one request, in one transaction, and notes the ids of objects.

    ids: makes them.
    """

    def __init__(self, ids: Ids, tx: Tx) -> None:
        self._ids, self._made, self._sent = ids, set[str](), tx.held.taken

    def new(self, prefix: str) -> str:
        """See ``Ids.new``."""
        id = self._ids.new(prefix)
        self._made.add(id)
        return id

    def text(self, length: int) -> str:
        """See ``Ids.text``."""
        return self._ids.text(length)

    def time_ordered(self, length: int) -> str:
        """See ``Ids.time_ordered``."""
        return self._ids.time_ordered(length)

    def number(self, below: int) -> int:
        """See ``Ids.number``."""
        return self._ids.number(below)

    def unknown_to_database(self, tx: Tx, values: Iterable[object]) -> bool:
        """Return whether no row of the database can have all of these values: one is an id that this request has made,
        and nothing was written since it began.
        """
        made = self._made
        return bool(made) and tx.held.taken == self._sent and any(type(one) is str and one in made for one in values)
