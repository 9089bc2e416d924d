"""What only PostgreSQL has: other nodes, lost connections, conflicts that are run again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psycopg
import pytest

from tollkey.db import Migration, StorageError, Tx, migrate
from tollkey.db.engine import Unreachable
from tollkey.db.postgres import Postgres
from tollkey.db.postgres_tx import placeholders

BOUND_SECONDS = 1.0  # a node refuses a revoked key within this
NOTES = Migration("notes", ("CREATE TABLE notes (id TEXT PRIMARY KEY, number {int})",))


@pytest.fixture
def node(postgres_url: str) -> Iterator[Postgres]:
    opened = Postgres(postgres_url)
    migrate(opened, [NOTES])
    yield opened
    opened.close()


@pytest.fixture
def other_node(postgres_url: str) -> Iterator[Postgres]:
    opened = Postgres(postgres_url)
    yield opened
    opened.close()


@pytest.fixture
def admin(postgres_server: Callable[[str], str]) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres_server("postgres"), autocommit=True) as connection:
        yield connection


class Heard:
    """What a subscriber heard, and a way to wait for it."""

    def __init__(self) -> None:
        self.payloads: list[str] = []
        self._changed = threading.Condition()

    def __call__(self, payload: str = "beat") -> None:
        with self._changed:
            self.payloads.append(payload)
            self._changed.notify_all()

    def wait_for(self, payload: str, seconds: float = 5.0) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: payload in self.payloads, seconds), f"{payload} was not heard"

    def wait_for_more_than(self, count: int, seconds: float = 5.0) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.payloads) > count, seconds)


def cut(admin: psycopg.Connection, url: str, application: str) -> int:
    """End every connection that ``application`` has to the database of ``url``; how many they were."""
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    sql = "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE datname = %s AND application_name = %s"
    return len(admin.execute(sql, (name, application)).fetchall())


def announce(tx: Tx, payload: str) -> None:
    tx.notify("channel", payload)


def test_an_announcement_is_heard_on_another_node_within_the_bound(node: Postgres, other_node: Postgres) -> None:
    heard = Heard()
    other_node.subscribe("channel", heard)
    node.write(lambda tx: tx.notify("channel", "revoked"))
    heard.wait_for("revoked", BOUND_SECONDS)


@pytest.mark.parametrize("text", ["[" * 7_000, "5", "{}", "[1, 2]", "not JSON"])
def test_an_announcement_of_another_program_is_passed_over(node: Postgres, other_node: Postgres, text: str) -> None:
    heard = Heard()
    other_node.subscribe("channel", heard)
    node.write(lambda tx: tx.execute("SELECT pg_notify('tollkey', ?)", (text,)))
    node.write(lambda tx: tx.notify("channel", "revoked"))
    heard.wait_for("revoked", BOUND_SECONDS)


def test_an_announcement_is_heard_once_on_each_node(node: Postgres, other_node: Postgres) -> None:
    here, there = Heard(), Heard()
    node.subscribe("channel", here)
    other_node.subscribe("channel", there)
    for payload in ("one", "two"):
        node.write(partial(announce, payload=payload))
    other_node.write(lambda tx: tx.notify("channel", "last"))
    here.wait_for("last")
    there.wait_for("two")
    assert here.payloads == ["one", "two", "last"]
    assert sorted(there.payloads) == ["last", "one", "two"]


def test_being_alive_is_reported_until_the_listening_connection_is_lost(
    node: Postgres, postgres_url: str, admin: psycopg.Connection
) -> None:
    beats, heard = Heard(), Heard()
    node.subscribe("channel", heard)
    node.listen(beats)
    beats.wait_for_more_than(1)
    name = psycopg.conninfo.conninfo_to_dict(postgres_url)["dbname"]
    admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
    assert cut(admin, postgres_url, "tollkey listener") >= 1
    before = len(beats.payloads)
    time.sleep(0.6)
    assert len(beats.payloads) <= before + 1  # one may have been under way
    admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
    beats.wait_for_more_than(before + 1)
    assert heard.payloads == ["*"]


def test_announcements_are_heard_again_after_a_reconnect(
    node: Postgres, other_node: Postgres, postgres_url: str, admin: psycopg.Connection
) -> None:
    heard = Heard()
    other_node.subscribe("channel", heard)
    cut(admin, postgres_url, "tollkey listener")
    heard.wait_for("*")
    node.write(lambda tx: tx.notify("channel", "after"))
    heard.wait_for("after", BOUND_SECONDS)


def test_a_failing_subscriber_does_not_stop_the_heartbeat(node: Postgres, other_node: Postgres) -> None:
    beats, heard = Heard(), Heard()

    def fail(payload: str) -> None:
        heard(payload)
        raise KeyError(payload)

    other_node.subscribe("channel", fail)
    other_node.listen(beats)
    node.write(lambda tx: tx.notify("channel", "payload"))
    heard.wait_for("payload")
    beats.wait_for_more_than(len(beats.payloads) + 1)


def test_connections_lost_while_idle_are_replaced_without_an_error(
    node: Postgres, postgres_url: str, admin: psycopg.Connection
) -> None:
    for _ in range(3):
        assert cut(admin, postgres_url, "tollkey") >= 1
        assert node.read(lambda tx: tx.execute("SELECT count(*) FROM notes")) == [(0,)]


def test_a_connection_lost_in_a_write_is_a_storage_error_and_nothing_is_kept(
    node: Postgres, postgres_url: str, admin: psycopg.Connection
) -> None:
    def work(tx: Tx) -> None:
        tx.execute("INSERT INTO notes (id) VALUES (?)", ("a",))
        cut(admin, postgres_url, "tollkey")
        tx.execute("INSERT INTO notes (id) VALUES (?)", ("b",))

    with pytest.raises(StorageError):
        node.write(work)
    assert node.read(lambda tx: tx.execute("SELECT id FROM notes")) == []


def test_a_connection_lost_in_a_savepoint_is_a_storage_error(
    node: Postgres, postgres_url: str, admin: psycopg.Connection
) -> None:
    def work(tx: Tx) -> None:
        with tx.savepoint():
            cut(admin, postgres_url, "tollkey")
            tx.execute("INSERT INTO notes (id) VALUES (?)", ("a",))

    with pytest.raises(StorageError):
        node.write(work)


def test_a_write_that_lost_a_conflict_is_run_again(node: Postgres) -> None:
    both, runs = threading.Barrier(2), []

    def work(tx: Tx) -> None:
        tx.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        [(count,)] = tx.execute("SELECT count(*) FROM notes")
        runs.append(count)
        if len(runs) <= 2:
            both.wait(5)  # both have read before either writes
        tx.execute("INSERT INTO notes (id, number) VALUES (?, ?)", (f"after {count}", count))

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(node.write, work), threads.submit(node.write, work)]:
            done.result()
    assert len(runs) > 2
    assert node.read(lambda tx: tx.execute("SELECT number FROM notes ORDER BY number")) == [(0,), (1,)]


def test_a_failure_that_was_swallowed_does_not_pass_for_a_commit(node: Postgres) -> None:
    def work(tx: Tx) -> None:
        tx.execute("INSERT INTO notes (id) VALUES (?)", ("a",))
        with pytest.raises(StorageError):
            tx.execute("SELECT * FROM nowhere")

    with pytest.raises(StorageError, match="the transaction was rolled back"):
        node.write(work)
    assert node.read(lambda tx: tx.execute("SELECT id FROM notes")) == []


def test_locks_hold_between_nodes(node: Postgres, other_node: Postgres) -> None:
    node.write(lambda tx: tx.execute("INSERT INTO notes VALUES ('a', 0)"))

    def count(tx: Tx) -> None:
        [(number,)] = tx.execute("SELECT number FROM notes")
        tx.execute("UPDATE notes SET number = ?", (number + 1,))

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit((node, other_node)[n % 2].write, count, "counter") for n in range(40)]:
            done.result()
    assert node.read(lambda tx: tx.execute("SELECT number FROM notes")) == [(40,)]


def test_two_nodes_that_migrate_at_once_apply_each_statement_once(node: Postgres, other_node: Postgres) -> None:
    many = [Migration(f"m{n}", (f"CREATE TABLE t{n} (id TEXT)",)) for n in range(10)]
    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(lambda one: migrate(one, many), [node, other_node])) == [0, 10]


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("a = ? AND b = ?", b"a = %s AND b = %s"),
        ("a LIKE '5%?' AND b = ?", b"a LIKE '5%%?' AND b = %s"),
        ("'it''s ?' || ?", b"'it''s ?' || %s"),
        ('"odd?" = ?', b'"odd?" = %s'),
        ("a % 2 = ?", b"a %% 2 = %s"),
        ("a -- why?\n= ?", b"a -- why?\n= %s"),
        ("'open ?", b"'open ?"),
    ],
)
def test_question_marks_become_placeholders_where_they_are_not_text(written: str, sent: bytes) -> None:
    assert placeholders(written) == sent


def test_a_connection_that_is_lost_in_the_middle_is_told_from_a_statement_that_fails(
    node: Postgres, admin: psycopg.Connection, postgres_url: str
) -> None:
    def lost(tx: Tx) -> None:
        tx.execute("INSERT INTO notes (id, number) VALUES ('a', 1)")
        cut(admin, postgres_url, "tollkey")
        tx.execute("INSERT INTO notes (id, number) VALUES ('b', 1)")

    with pytest.raises(Unreachable, match="PostgreSQL cannot be reached: "):
        node.write(lost)
    with pytest.raises(StorageError) as failed:
        node.write(lambda tx: tx.execute("SELECT nothing FROM nowhere"))
    assert not isinstance(failed.value, Unreachable)
    assert node.read(lambda tx: tx.execute("SELECT count(*) FROM notes")) == [(0,)]


def test_the_text_of_an_error_repeats_no_row(node: Postgres) -> None:
    with pytest.raises(StorageError) as failed:
        node.write(lambda tx: [tx.execute("INSERT INTO notes (id) VALUES ('what is private')") for _ in range(2)])
    assert "duplicate key" in str(failed.value)
    assert "private" not in str(failed.value)
