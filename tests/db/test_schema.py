from __future__ import annotations

import importlib
import re
from pathlib import Path

import tollkey
from tests.conftest import Clock
from tollkey.db import Database, Migration, migrate

_CREATES = re.compile(r"CREATE (?:UNIQUE )?(?:TABLE|INDEX|TRIGGER) (?:IF NOT EXISTS )?(\w+)", re.IGNORECASE)


def all_migrations() -> dict[str, Migration]:
    """The migrations of all modules by their owner, whichever program applies them."""
    found: dict[str, Migration] = {}
    root = Path(tollkey.__file__).parent
    for file in sorted(root.rglob("*.py")):
        if "= Migration(" not in file.read_text():
            continue
        name = ".".join(("tollkey", *file.relative_to(root).with_suffix("").parts))
        for value in vars(importlib.import_module(name)).values():
            if isinstance(value, Migration):
                assert found.setdefault(value.module, value) == value, f"two owners are called {value.module}"
    return found


def test_no_two_modules_create_something_of_one_name() -> None:
    """A database may have the tables of every room: ``keys serve`` with notices beside the payments server."""
    owners: dict[str, str] = {}
    for owner, migration in all_migrations().items():
        for statement in migration.statements:
            for name in _CREATES.findall(statement):
                assert owners.setdefault(name, owner) == owner, f"{owner} and {owners[name]} both create {name}"
    assert len(owners) > 50


def test_the_migrations_of_all_modules_fit_on_one_database(database: Database, clock: Clock) -> None:
    migrations = list(all_migrations().values())
    first = [each for each in migrations if each.module == "keys"]  # others add indexes to its tables
    assert migrate(database, [*first, *(each for each in migrations if each.module != "keys")]) > 50
    assert migrate(database, migrations) == 0
