"""The chain over the logs: what was changed behind the program's back is found, and where."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.keys.conftest import ALICE, LIVE, World
from tollkey.dashboard import LOG as DASHBOARD_LOG
from tollkey.dashboard import MIGRATION as DASHBOARD
from tollkey.dashboard import protect_log
from tollkey.db import Database, SQLite, StorageError, Tx, migrate
from tollkey.keys import KeyService, Permission, audit, chain
from tollkey.keys.audit import LOG
from tollkey.keys.schema import MIGRATIONS

TABLES = ("key_audit", "dash_log", "audit_chain")


def fill(world: World, count: int = 3) -> None:
    """Some lines in either log."""
    migrate(world.database, [DASHBOARD])
    world.database.write(lambda tx: protect_log(tx, world.keyring, world.clock.now))
    for index in range(count):
        world.make("secret", name=f"n{index}")
        values = (LIVE.account, world.clock.now, "member_joined", "usr_1", None, "", "{}")
        world.database.write(
            lambda tx, values=values: chain.add(tx, world.keyring, DASHBOARD_LOG, values, world.clock.now)
        )  # type: ignore[misc]


def seqs(world: World, table: str = "key_audit") -> list[int]:
    return [row[0] for row in world.read(lambda tx: tx.execute(f"SELECT seq FROM {table} ORDER BY seq"))]


def verdict(world: World, log: chain.ChainedLog = LOG, expected: str | None = None) -> chain.ChainVerification:
    return world.read(lambda tx: chain.verify(tx, world.keyring, log, expected))


def behind(world: World, *statements: str) -> None:
    """Do what only somebody who may alter the schema can do: the triggers are off meanwhile."""

    def work(tx: Tx) -> None:
        tables = (*TABLES, "audit_heads")
        if tx.dialect == "postgres":
            for table in tables:
                tx.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        else:
            for (name,) in tx.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
                tx.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            tx.execute(statement)

    migrate(world.database, [DASHBOARD])
    world.database.write(work)


# -- the triggers


COLUMNS = {
    "key_audit": (
        "account, livemode, at, action, key_id, actor_kind, actor_id, was, became",
        "'a', 1, 1, 'x', 'mk', 'user', 'eve', '{}', '{}'",
    ),
    "dash_log": ("account, at, action, person, about, details", "'a', 1, 'x', 'usr_eve', '', '{}'"),
    "audit_chain": ("log, entry, code, code_key", "'keys', 1, 'x', 'd1'"),
}  # fmt: skip
BOTH = (
    "UPDATE {table} SET seq = seq + 100",
    "DELETE FROM {table}",
    "INSERT INTO {table} (seq, {columns}) VALUES ({first}, {values}) ON CONFLICT (seq) DO UPDATE SET seq = 99",
    "INSERT INTO {table} (seq, {columns}) VALUES ({first}, {values})",
)
ONLY_SQLITE = (
    "INSERT OR REPLACE INTO {table} (seq, {columns}) VALUES ({first}, {values})",
    "REPLACE INTO {table} (seq, {columns}) VALUES ({first}, {values})",
    "UPDATE OR REPLACE {table} SET seq = {first}",
    "INSERT INTO {table} (seq, {columns}) VALUES (-1, {values})",
    "INSERT INTO {table} (seq, {columns}) VALUES (0, {values})",
    "INSERT OR IGNORE INTO {table} (seq, {columns}) VALUES (-7, {values})",
)
ONLY_POSTGRES = ("TRUNCATE {table}", "TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("table", TABLES)
def test_the_database_refuses_every_way_to_change_a_log(world: World, table: str) -> None:
    fill(world)
    columns, values = COLUMNS[table]
    ways = BOTH + (ONLY_SQLITE if world.database.dialect == "sqlite" else ONLY_POSTGRES)
    before = world.read(lambda tx: tx.execute(f"SELECT * FROM {table} ORDER BY seq"))
    for way in ways:
        statement = way.format(table=table, columns=columns, values=values, first=seqs(world, table)[0])
        with pytest.raises(StorageError):
            world.database.write(lambda tx, statement=statement: tx.execute(statement))  # type: ignore[misc]
    assert world.read(lambda tx: tx.execute(f"SELECT * FROM {table} ORDER BY seq")) == before


@pytest.mark.parametrize("table", TABLES)
def test_a_plain_connection_to_the_file_is_refused_as_well(world: World, table: str) -> None:
    """Whoever connects decides on ``recursive_triggers``: the triggers must hold without it."""
    if not isinstance(world.database, SQLite):
        return
    fill(world)
    columns, values = COLUMNS[table]
    other = sqlite3.connect(world.database.path, isolation_level=None)
    other.execute("PRAGMA recursive_triggers = OFF")
    for way in BOTH + ONLY_SQLITE:
        with pytest.raises(sqlite3.IntegrityError):
            other.execute(way.format(table=table, columns=columns, values=values, first=seqs(world, table)[0]))
    other.close()


# -- the chain


def test_what_the_program_wrote_is_whole(world: World) -> None:
    fill(world)
    for log, count in ((LOG, 3), (DASHBOARD_LOG, 3)):
        found = verdict(world, log)
        assert (found.whole, found.entries, found.why, found.before, found.began_at) == (
            True,
            count,
            "",
            0,
            world.clock.now,
        )
        assert found.head.startswith(f"{count}:")


def test_an_empty_log_is_whole(world: World) -> None:
    assert (verdict(world).whole, verdict(world).entries) == (True, 0)


def test_a_verdict_is_true_only_when_the_log_is_whole(world: World) -> None:
    fill(world)
    assert verdict(world)
    behind(world, *remove_last(world))
    assert not verdict(world)


CHANGES = {
    "who did it": "UPDATE key_audit SET actor_id = 'mallory' WHERE seq = {middle}",
    "from where": "UPDATE key_audit SET ip = NULL WHERE seq = {middle}",
    "when": "UPDATE key_audit SET at = at - 1 WHERE seq = {middle}",
    "to what": "UPDATE key_audit SET became = '{{}}' WHERE seq = {middle}",
    "in which mode": "UPDATE key_audit SET livemode = 0 WHERE seq = {middle}",
    "its code": "UPDATE audit_chain SET code = (SELECT code FROM audit_chain WHERE entry = {first} AND log = 'keys')"
                " WHERE entry = {middle} AND log = 'keys'",
    "its code is gone": "DELETE FROM audit_chain WHERE entry = {middle} AND log = 'keys'",
    "its code twice": "INSERT INTO audit_chain (log, entry, code, code_key) SELECT log, entry, code,"
                      " code_key FROM audit_chain"
                      " WHERE entry = {middle} AND log = 'keys'",
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_a_row_that_was_changed_is_named(world: World, change: str) -> None:
    fill(world)
    first, middle, last = seqs(world)
    behind(world, change.format(first=first, middle=middle, last=last))
    found = verdict(world)
    assert (found.whole, found.seq) == (False, middle)
    assert verdict(world, DASHBOARD_LOG).whole


def test_a_row_that_was_removed_shows_at_the_next_one(world: World) -> None:
    fill(world)
    _, middle, last = seqs(world)
    behind(
        world,
        f"DELETE FROM key_audit WHERE seq = {middle}",
        f"DELETE FROM audit_chain WHERE log = 'keys' AND entry = {middle}",
    )
    assert (verdict(world).whole, verdict(world).seq) == (False, last)


def test_a_row_that_was_put_in_is_named(world: World) -> None:
    fill(world)
    columns, values = COLUMNS["key_audit"]
    behind(world, f"INSERT INTO key_audit (seq, {columns}) VALUES ({seqs(world)[-1] + 1}, {values})")
    assert (verdict(world).whole, verdict(world).seq) == (False, seqs(world)[-1])


def remove_last(world: World) -> list[str]:
    last = seqs(world)[-1]
    return [
        f"DELETE FROM key_audit WHERE seq = {last}",
        f"DELETE FROM audit_chain WHERE log = 'keys' AND entry = {last}",
    ]


def test_rows_removed_at_the_end_are_missed(world: World) -> None:
    fill(world)
    behind(world, *remove_last(world))
    assert (verdict(world).whole, "at the end are missing" in verdict(world).why) == (False, True)


def test_a_head_put_back_to_an_earlier_row_needs_a_signature_that_only_the_key_material_makes(world: World) -> None:
    fill(world)
    _, middle, _ = seqs(world)
    back = f"(SELECT code FROM audit_chain WHERE log = 'keys' AND entry = {middle})"
    behind(
        world,
        *remove_last(world),
        f"UPDATE audit_heads SET entries = 2, entry = {middle}, code = {back} WHERE log = 'keys'",
    )
    assert (verdict(world).whole, "signature" in verdict(world).why) == (False, True)


def test_writing_on_does_not_make_a_changed_head_good(world: World, caplog: pytest.LogCaptureFixture) -> None:
    fill(world)
    _, middle, _ = seqs(world)
    back = f"(SELECT code FROM audit_chain WHERE log = 'keys' AND entry = {middle})"
    behind(
        world,
        *remove_last(world),
        f"UPDATE audit_heads SET entries = 2, entry = {middle}, code = {back} WHERE log = 'keys'",
    )
    for _ in range(2):
        world.make("secret")
        assert (verdict(world).whole, "signature" in verdict(world).why) == (False, True)
    assert "was changed outside the program" in caplog.text


def test_a_log_and_chain_that_were_emptied_together_are_missed(world: World) -> None:
    fill(world)
    behind(world, "DELETE FROM key_audit", "DELETE FROM audit_chain", "DELETE FROM audit_heads")
    assert (verdict(world).whole, "no head" in verdict(world).why) == (False, True)


def test_a_chain_begun_anew_over_chained_rows_is_told(world: World, caplog: pytest.LogCaptureFixture) -> None:
    fill(world)
    behind(world, "DELETE FROM audit_heads WHERE log = 'keys'")
    world.make("secret")
    assert (verdict(world).whole, "started again" in verdict(world).why) == (False, True)
    assert "the head of the hash chain over key_audit was deleted" in caplog.text


def test_a_head_noted_earlier_finds_what_was_put_back_as_a_whole(world: World) -> None:
    fill(world, 2)
    noted = verdict(world).head
    fill(world, 1)
    assert verdict(world, expected=noted).whole
    behind(world, "DELETE FROM key_audit", "DELETE FROM audit_chain", "DELETE FROM audit_heads")
    fill(world, 3)
    assert verdict(world).whole, "by itself it looks whole"
    assert (verdict(world, expected=noted).whole, "expected head" in verdict(world, expected=noted).why) == (
        False,
        True,
    )


def test_rows_from_before_the_chain_are_covered_from_its_beginning_on(world: World) -> None:
    columns, values = COLUMNS["key_audit"]
    older = [f"INSERT INTO key_audit ({columns}) VALUES ({values})"] * 1002
    behind(world, "DELETE FROM audit_heads", *older)
    world.database.write(lambda tx: audit.guard(tx, world.keyring, world.clock.now))
    world.make("secret")
    found = verdict(world)
    assert (found.whole, found.entries, found.before) == (True, 1003, 1002)
    behind(world, "UPDATE key_audit SET actor_id = 'mallory' WHERE seq = 500")
    assert (verdict(world).whole, "older than the chain" in verdict(world).why) == (False, True)


def test_a_rotated_key_goes_on_with_the_chain_and_a_lost_one_is_named(world: World) -> None:
    fill(world)
    world.authority.keyring = world.keyring.rotate_digest()
    world.make("secret")
    rotated = world.authority.keyring
    assert world.read(lambda tx: chain.verify(tx, rotated, LOG)).whole
    lost = world.read(lambda tx: chain.verify(tx, rotated.without("d1"), LOG))
    assert (lost.whole, "d1 is not in the keyring" in lost.why) == (False, True)


def test_a_refused_change_leaves_the_chain_whole(world: World) -> None:
    key, _ = world.make("secret")

    def work(tx: Tx) -> None:
        with tx.savepoint():
            world.authority.revoke(tx, key.scope, key.id, actor=ALICE, now=world.clock.now)
            raise RuntimeError("changed its mind")

    with pytest.raises(RuntimeError):
        world.database.write(work)
    world.make("secret")
    assert (verdict(world).whole, verdict(world).entries) == (True, 2)


@pytest.fixture
def opened(database_url: str, tmp_path: Path) -> Iterator[Callable[[], KeyService]]:
    services: list[KeyService] = []

    def one() -> KeyService:
        permissions = [Permission("report", "Reports")]
        services.append(KeyService.open(database_url, permissions, keyring=str(tmp_path / "keyring"), flush_seconds=0))
        return services[-1]

    yield one
    for service in services:
        service.close()


def test_writers_on_several_nodes_make_one_chain(opened: Callable[[], KeyService]) -> None:
    nodes = [opened() for _ in range(3)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda index: nodes[index % 3].create(f"n{index}", account=f"a{index % 5}"), range(60)))
    found = nodes[0].verify_audit()
    assert (found.whole, found.entries, found.why) == (True, 60, "")


def test_chains_begun_by_two_nodes_at_once_are_one(database: Database, world: World) -> None:
    behind(world, "DELETE FROM audit_heads")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda index: world.make("secret", name=f"n{index}"), range(8)))
    assert (verdict(world).whole, verdict(world).entries) == (True, 8)


def test_the_migrations_of_the_key_tables_are_applied_once(world: World) -> None:
    assert migrate(world.database, MIGRATIONS) == 0
