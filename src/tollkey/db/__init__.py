"""Storage: transactions on SQLite or PostgreSQL, and object tables whose every query names a scope (account and
mode).
"""

import importlib
import typing

import tollkey.db.opening
from tollkey.db.append_only import append_only
from tollkey.db.engine import (
    Busy,
    Conflict,
    Database,
    Duplicate,
    OutcomeUnknown,
    Row,
    Scope,
    StorageError,
    TollkeyError,
    Tx,
    Unreachable,
)
from tollkey.db.file_lock import FileLock, InUse, lock_file
from tollkey.db.ids import Ids, alphanumeric
from tollkey.db.opening import open_database, sqlite_file
from tollkey.db.schema import Migration, migrate, migrated_modules
from tollkey.db.sqlite import SQLite
from tollkey.db.table import Record, Table

if typing.TYPE_CHECKING:
    from tollkey.db.edge import Edge, ThreadEdge, edge_for
    from tollkey.db.postgres import Postgres
    from tollkey.db.sqlite_edge import SQLiteEdge

__all__ = [
    "Busy",
    "Conflict",
    "Database",
    "Duplicate",
    "Edge",
    "FileLock",
    "Ids",
    "InUse",
    "Migration",
    "OutcomeUnknown",
    "Postgres",
    "Record",
    "Row",
    "SQLite",
    "SQLiteEdge",
    "Scope",
    "StorageError",
    "Table",
    "ThreadEdge",
    "TollkeyError",
    "Tx",
    "Unreachable",
    "alphanumeric",
    "append_only",
    "edge_for",
    "lock_file",
    "migrate",
    "migrated_modules",
    "open_database",
    "sqlite_file",
]


_EDGES = {
    "Edge": "tollkey.db.edge",
    "ThreadEdge": "tollkey.db.edge",
    "edge_for": "tollkey.db.edge",
    "SQLiteEdge": "tollkey.db.sqlite_edge",
}


def __getattr__(name: str) -> typing.Any:
    """Import on first access what a program may not need.

    ``Postgres``: its driver takes 13 MB of memory. The edges: they import asyncio, half of the time that
    ``import tollkey.keys`` would take.
    """
    if name == "Postgres":
        return tollkey.db.opening.postgres_class()
    if name in _EDGES:
        return getattr(importlib.import_module(_EDGES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
