"""No list, look-up, report or change reads all keys, nor all keys of a large account, on either database."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.conftest import Clock
from tests.keys.test_schema import every_migration
from tests.support.key_queries import LIBRARY, ROOMS, Query
from tests.support.many_keys import Watched, analyse, fill, fill_rooms
from tollkey.db import migrate
from tollkey.keys import KeyService, Permission

KEYS = 2_000  # half of them of one account
AS_IF = 1_000  # PostgreSQL plans as if there were so many times the rows
#: What one statement may read. SQLite counts steps, of which a row takes five and more, and an expired key that a list
#: of active keys passes over in the index takes three; PostgreSQL counts rows.
MOST = {"sqlite": 4_000, "postgres": 150}


def orders_by_primary_key(sql: str) -> bool:
    """Whether a list of an account can be read in the order of the primary key.

    At a million rows, of which half are of the account, PostgreSQL does that and reads the other half: see
    ``store.ORDER``. With few rows it does not.
    """
    return "account = ?" in sql and re.search(r"ORDER BY seq (ASC|DESC|LIMIT)", sql) is not None


def read_too_much(service: KeyService, queries: Mapping[str, Query]) -> dict[str, tuple[int, tuple[str, ...]]]:
    """The statements that read more than that, by the query they belong to."""
    found, database = {}, service.database
    for name, query in queries.items():
        watched = Watched(database)
        service.database = watched
        try:
            query(service)
        finally:
            service.database = database
        for cost in watched.costs:
            if cost.rows > MOST[database.dialect] or orders_by_primary_key(cost.sql):
                found[name] = (cost.rows, cost.plan)
    return found


@pytest.fixture
def opened(database_url: str, tmp_path: Path, clock: Clock) -> Callable[[], KeyService]:
    """Opens the keys of a database."""

    def open_keys() -> KeyService:
        permissions, keyring = [Permission("report", "Reports")], str(tmp_path / "keyring")
        return KeyService.open(database_url, permissions, keyring=keyring, clock=clock, flush_seconds=0)

    return open_keys


def test_nothing_reads_more_than_a_bounded_number_of_rows(opened: Callable[[], KeyService], clock: Clock) -> None:
    with opened() as service:
        fill(service.database, KEYS, clock.now)
        analyse(service.database, AS_IF)
        assert read_too_much(service, LIBRARY) == {}
        migrate(service.database, every_migration())
        fill_rooms(service.database, KEYS, clock.now)
        analyse(service.database, AS_IF)
        assert read_too_much(service, {**LIBRARY, **ROOMS}) == {}
