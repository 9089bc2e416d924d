"""STORAGE: transactions on SQLite or PostgreSQL, and tables that can only be read within a scope."""

import typing

from tollkey.db.append_only import append_only
from tollkey.db.edge import Edge, ThreadEdge, edge_for
from tollkey.db.engine import Busy, Conflict, Database, Duplicate, Row, Scope, StorageError, Tx, Unknown, Unreachable
from tollkey.db.ids import Ids, letters
from tollkey.db.opening import open_database, sqlite_file
from tollkey.db.owner import InUse, Owner, own
from tollkey.db.schema import Migration, migrate
from tollkey.db.sqlite import SQLite
from tollkey.db.sqlite_edge import SQLiteEdge
from tollkey.db.table import Record, Table

if typing.TYPE_CHECKING:
    from tollkey.db.postgres import Postgres

__all__ = [
    "Busy",
    "Conflict",
    "Database",
    "Duplicate",
    "Edge",
    "Ids",
    "InUse",
    "Migration",
    "Owner",
    "Postgres",
    "Record",
    "Row",
    "SQLite",
    "SQLiteEdge",
    "Scope",
    "StorageError",
    "Table",
    "ThreadEdge",
    "Tx",
    "Unknown",
    "Unreachable",
    "append_only",
    "edge_for",
    "letters",
    "migrate",
    "open_database",
    "own",
    "sqlite_file",
]


def __getattr__(name: str) -> typing.Any:
    """PostgreSQL's driver is loaded by who asks for it: it takes 13 MB, which an embedded server does without."""
    if name == "Postgres":
        from tollkey.db.postgres import Postgres

        return Postgres
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
