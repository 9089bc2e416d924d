"""Columns of many rows as array parameters of PostgreSQL, in its binary format.

psycopg's own arrays choose their type by their values; these have the type of their column, so that a statement is
prepared once.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.adapt import AdaptersMap, Dumper

_NULL = struct.pack("!i", -1)
_LENGTH = struct.Struct("!i")
_WHOLE = struct.Struct("!iq")


class Column:
    """The values of one column. None is NULL."""

    __slots__ = ("values",)

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values


class Texts(Column):
    """Values of a text column."""


class Numbers(Column):
    """Values of a 64-bit integer column."""


class Blobs(Column):
    """Values of a bytes column."""


COLUMNS: dict[str, type[Column]] = {"t": Texts, "i": Numbers, "b": Blobs}


class _ArrayDumper(Dumper):
    format = psycopg.pq.Format.BINARY
    element = 0

    def dump(self, obj: Column) -> bytes:
        """Return the array: one dimension, nulls allowed, the element's type, the length, the first index."""
        head = struct.pack("!5i", 1, 1, self.element, len(obj.values), 1)
        return head + b"".join([_NULL if value is None else self.encode(value) for value in obj.values])

    def encode(self, value: Any) -> bytes:
        """Return one value, with its length before it."""
        raise NotImplementedError


class _Texts(_ArrayDumper):
    element, oid = psycopg.postgres.types["text"].oid, psycopg.postgres.types["text"].array_oid

    def encode(self, value: str) -> bytes:
        data = value.encode()
        return _LENGTH.pack(len(data)) + data


class _Numbers(_ArrayDumper):
    element, oid = psycopg.postgres.types["int8"].oid, psycopg.postgres.types["int8"].array_oid

    def encode(self, value: int) -> bytes:
        return _WHOLE.pack(8, value)


class _Blobs(_ArrayDumper):
    element, oid = psycopg.postgres.types["bytea"].oid, psycopg.postgres.types["bytea"].array_oid

    def encode(self, value: bytes) -> bytes:
        return _LENGTH.pack(len(value)) + value


def register(adapters: AdaptersMap) -> None:
    """Let a connection take these columns as parameters."""
    for column, dumper in ((Texts, _Texts), (Numbers, _Numbers), (Blobs, _Blobs)):
        adapters.register_dumper(column, dumper)
