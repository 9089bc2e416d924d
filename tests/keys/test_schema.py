"""All tables and indexes of the rooms of keys stand beside each other in one database."""

from __future__ import annotations

import importlib
import pkgutil

import tollkey.keys
from tollkey.db import Database, Migration, migrate


def every_migration() -> list[Migration]:
    """Return the migrations of all modules of keys, in the order of the modules' names."""
    found: dict[str, Migration] = {}
    for module in pkgutil.walk_packages(tollkey.keys.__path__, "tollkey.keys."):
        if ".adapters." in module.name:
            continue  # they need the frameworks, and have no tables
        migration = getattr(importlib.import_module(module.name), "MIGRATION", None)
        if isinstance(migration, Migration):
            found[migration.module] = migration
    return list(found.values())


def test_one_database_takes_the_tables_of_all_rooms_in_any_order(database: Database) -> None:
    core = [one for one in every_migration() if one.module == "keys"]
    rooms = [one for one in every_migration() if one.module != "keys"]
    expected = sum(len(one.statements) for one in (*core, *rooms))
    assert migrate(database, [*core, *rooms]) == expected
