"""STORAGE: transactions on SQLite or PostgreSQL, and tables that can only be read within a scope."""

from tollkey.db.edge import Edge, SQLiteEdge, ThreadEdge, edge_for
from tollkey.db.engine import Database, Duplicate, Row, Scope, StorageError, Tx
from tollkey.db.ids import Ids
from tollkey.db.opening import open_database
from tollkey.db.postgres import Postgres
from tollkey.db.schema import Migration, migrate
from tollkey.db.sqlite import SQLite
from tollkey.db.table import Record, Table

__all__ = [
    "Database",
    "Duplicate",
    "Edge",
    "Ids",
    "Migration",
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
    "edge_for",
    "migrate",
    "open_database",
]
