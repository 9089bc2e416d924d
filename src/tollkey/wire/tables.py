"""The tables of a server's resources, and objects as they are stored in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from tollkey.db import Scope, Table, Tx
from tollkey.db.table import Record
from tollkey.wire.resource import Catalogue, Json
from tollkey.wire.versions import Versions

REST = "_rest"  # private: the entries of nested lists that are not shown, by the property with the list
_MOST_DECODED = 500  # objects cached in decoded form, above all the accounts


class Tables:
    """The tables of one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.versions = Versions(catalogue)
        self.of = {r.object: Table(r.object, r.indexed) for r in catalogue.resources if r.stored}
        self._decoded: dict[tuple[Scope, str, str], tuple[bytes, bytes | None, Json]] = {}

    def load(self, tx: Tx, scope: Scope, object: str, id: str) -> Any:
        """Return a stored object without a call, private fields included; None when the scope does not have it."""
        record = self.of[object].get(tx, scope, id)
        return decode(record) if record is not None else None

    def decoded(self, scope: Scope, object: str, record: Record) -> Json:
        """Return the decoded object of a record, cached until the record changes. The caller must not change it."""
        known = self._decoded.get((scope, object, record.id))
        if known is None or known[0] != record.body or known[1] != record.private:
            if len(self._decoded) >= _MOST_DECODED:
                self._decoded.clear()
            known = self._decoded[scope, object, record.id] = (record.body, record.private, decode(record))
        return known[2]

    def find(self, tx: Tx, scope: Scope, object: str, equal: Mapping[str, str | Sequence[str]]) -> list[Json]:
        """Return up to ten objects with these values in indexed fields, without a call; private fields included."""
        return [decode(record) for record in self.of[object].page(tx, scope, 10, equal)]


def decode(record: Record) -> Json:
    """Return the object of a record, private fields included."""
    value: Json = orjson.loads(record.body)
    if record.private is not None:
        value.update(orjson.loads(record.private))
        for name, rest in value.pop(REST, {}).items():
            value[name].update({"data": value[name]["data"] + rest, "has_more": False})
    return value
