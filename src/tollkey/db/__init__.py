"""Storage: transactions on SQLite or PostgreSQL, and object tables whose every query names a scope (account and
mode).

What few need stands in the module that defines it: the edge that runs handlers on the event loop (``edge``), all errors
(``engine``), what a forked process does first (``forking``), PostgreSQL (``postgres``, whose driver takes 13 MB of
memory).
"""

from tollkey.db.engine import Database, Duplicate, Row, Scope, StorageError, Tx
from tollkey.db.ids import Ids
from tollkey.db.opening import open_database
from tollkey.db.schema import Migration, migrate
from tollkey.db.sqlite import SQLite
from tollkey.db.table import Table

__all__ = [
    "Database",
    "Duplicate",
    "Ids",
    "Migration",
    "Row",
    "SQLite",
    "Scope",
    "StorageError",
    "Table",
    "Tx",
    "migrate",
    "open_database",
]
