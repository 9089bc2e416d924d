"""Time-outs on PostgreSQL, and what happens while it is away: every wait ends, and nobody else waits for it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import pytest

from tests.support.wire import Wire
from tollkey.db import SQLite, StorageError, Tx
from tollkey.db.bounds import Bounds, Contact
from tollkey.db.engine import LockTimeout, OutcomeUnknown, Unreachable
from tollkey.db.listening import CHANNEL
from tollkey.db.postgres import Postgres
from tollkey.db.schema import SCHEMA_LOCK

SHORT = Bounds(lock=0.2, statement=0.3, idle=0.15, away=0.5)
PATIENT = Bounds(lock=5, statement=5, idle=4.9, away=0.5)


@pytest.fixture
def node(postgres_url: str) -> Iterator[Postgres]:
    opened = Postgres(postgres_url, bounds=SHORT)
    yield opened
    opened.close()


@pytest.fixture
def other_node(postgres_url: str) -> Iterator[Postgres]:
    opened = Postgres(postgres_url, bounds=PATIENT)
    yield opened
    opened.close()


@pytest.fixture
def wire(postgres_url: str) -> Iterator[Wire]:
    made = Wire(postgres_url)
    yield made
    made.close()


@pytest.fixture
def distant(wire: Wire) -> Iterator[Postgres]:
    """A node whose connections go by way of a network that can fail."""
    opened = Postgres(wire.url, bounds=PATIENT)
    opened.listen(lambda began: None)
    opened.write(lambda tx: tx.execute("CREATE TABLE notes (id TEXT PRIMARY KEY)"))
    yield opened
    wire.heal()
    opened.close()


def test_a_lock_that_another_transaction_holds_is_waited_for_no_longer_than_the_bound(
    node: Postgres, other_node: Postgres
) -> None:
    def hold(tx: Tx) -> None:
        with pytest.raises(LockTimeout):
            node.write(lambda inner: None, lock="account")

    other_node.write(hold, lock="account")
    node.write(lambda tx: None, lock="account")


def test_a_row_that_another_transaction_changes_is_waited_for_no_longer_than_the_bound(
    node: Postgres, other_node: Postgres
) -> None:
    node.write(lambda tx: tx.execute("CREATE TABLE notes (id TEXT PRIMARY KEY)"))

    def both(tx: Tx) -> None:
        tx.execute("INSERT INTO notes VALUES ('a')")
        with pytest.raises(LockTimeout):
            node.write(lambda inner: inner.execute("INSERT INTO notes VALUES ('a')"))

    other_node.write(both)


def test_a_statement_that_takes_too_long_is_ended(node: Postgres) -> None:
    with pytest.raises(StorageError, match="statement timeout"):
        node.read(lambda tx: tx.execute("SELECT pg_sleep(5)"))
    assert node.read(lambda tx: tx.execute("SELECT 1")) == [(1,)]


def test_a_node_that_does_nothing_in_a_transaction_loses_its_lock_and_its_writes(
    node: Postgres, other_node: Postgres
) -> None:
    node.write(lambda tx: tx.execute("CREATE TABLE notes (id TEXT PRIMARY KEY)"))

    def frozen(tx: Tx) -> None:
        tx.execute("INSERT INTO notes VALUES ('a')")
        other_node.write(lambda inner: inner.execute("INSERT INTO notes VALUES ('b')"), lock="account")
        tx.execute("INSERT INTO notes VALUES ('c')")

    with pytest.raises(Unreachable, match="idle-in-transaction timeout"):
        node.write(frozen, lock="account")
    assert node.read(lambda tx: tx.execute("SELECT id FROM notes")) == [("b",)]


@pytest.fixture(params=["after a statement", "after a request to flush"])
def frozen(request: pytest.FixtureRequest, node: Postgres, postgres_url: str) -> Iterator[psycopg.Connection]:
    """The connection of a node that was stopped while it sent several statements at once: PostgreSQL waits for their
    end, and no time-out of its own ends that. Its session is active, or idle as far as PostgreSQL tells.
    """
    node.write(lambda tx: tx.execute("CREATE TABLE notes (id TEXT PRIMARY KEY)"))
    with closing(psycopg.connect(postgres_url, autocommit=True, application_name="tollkey")) as connection:
        connection.execute("BEGIN")
        if request.param == "after a request to flush":
            connection.execute("INSERT INTO notes VALUES ('a')")
            connection.pgconn.enter_pipeline_mode()
        else:
            connection.pgconn.enter_pipeline_mode()
            connection.pgconn.send_query_params(b"INSERT INTO notes VALUES ('a')", [])
        connection.pgconn.send_flush_request()
        connection.pgconn.flush()
        find = "SELECT pid FROM pg_stat_activity WHERE pid = ? AND wait_event = 'ClientRead' AND query LIKE 'INSERT%'"
        while not node.read(lambda tx: tx.execute(find, (connection.info.backend_pid,))):
            time.sleep(0.01)
        yield connection


def insert_once_free(node: Postgres) -> None:
    """Insert the row, as soon as the other has stood still for long enough."""
    while True:
        with suppress(LockTimeout):
            node.write(lambda tx: tx.execute("INSERT INTO notes VALUES ('a')"))
            return


def test_a_node_that_is_frozen_while_it_sends_several_statements_loses_its_lock(
    node: Postgres, frozen: psycopg.Connection
) -> None:
    insert_once_free(node)
    there = "SELECT 1 FROM pg_stat_activity WHERE pid = ?"
    assert node.read(lambda tx: tx.execute(there, (frozen.info.backend_pid,))) == []


def test_whoever_waits_for_a_change_of_the_schema_does_not_end_it(node: Postgres, other_node: Postgres) -> None:
    def change(tx: Tx) -> None:
        tx.execute("CREATE TABLE notes (id TEXT PRIMARY KEY)")
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            with pytest.raises(LockTimeout):
                node.write(lambda inner: inner.execute("CREATE TABLE notes (id TEXT PRIMARY KEY)"))

    other_node.write(change, lock=SCHEMA_LOCK)
    assert node.read(lambda tx: tx.execute("SELECT count(*) FROM notes")) == [(0,)]


def test_no_bound_ends_a_change_of_the_schema(node: Postgres) -> None:
    node.write(lambda tx: tx.execute("SELECT pg_sleep(0.4)"), lock=SCHEMA_LOCK)


def test_a_request_that_the_network_swallowed_ends_and_later_ones_are_refused_at_once(
    distant: Postgres, wire: Wire
) -> None:
    wire.swallow()
    started = time.monotonic()
    with pytest.raises(Unreachable):
        distant.read(lambda tx: tx.execute("SELECT 1"))
    assert time.monotonic() - started < PATIENT.statement, "it ended by the shorter bound, however busy the machine"
    assert distant.away is not None
    started = time.monotonic()
    with pytest.raises(Unreachable, match="no answer within"):
        distant.read(lambda tx: tx.execute("SELECT 1"))
    assert time.monotonic() - started < PATIENT.away, "nothing was waited for"


@pytest.mark.parametrize("failure", ["swallow", "cut"])
def test_a_database_that_is_back_is_used_again_within_five_seconds(distant: Postgres, wire: Wire, failure: str) -> None:
    getattr(wire, failure)()
    while distant.away is None:
        time.sleep(0.02)
    wire.heal()
    until = time.monotonic() + 5
    while distant.away is not None and time.monotonic() < until:
        time.sleep(0.02)
    assert distant.read(lambda tx: tx.execute("SELECT 1")) == [(1,)]
    assert time.monotonic() < until


def test_a_connection_that_is_lost_while_a_transaction_is_committed_leaves_the_outcome_open(
    distant: Postgres, wire: Wire
) -> None:
    def work(tx: Tx) -> None:
        tx.execute("INSERT INTO notes VALUES ('a')")
        wire.swallow()

    with pytest.raises(OutcomeUnknown):
        distant.write(work)


def test_a_connection_that_is_lost_for_a_moment_does_not_make_the_database_count_as_away() -> None:
    now = [0.0]
    contact = Contact(3.0, lambda: now[0])
    contact.lost("never there")
    now[0] = 100
    assert contact.away is None
    contact.heard()
    contact.lost("the server closed the connection")
    now[0] = 102.9
    assert contact.away is None
    now[0] = 103
    assert contact.away == "the server closed the connection"
    contact.heard()
    assert contact.away is None


@pytest.mark.parametrize("idle", [1.0, 1.5])
def test_who_waits_for_a_frozen_node_s_lock_must_wait_longer_than_that_node_may_be_frozen(idle: float) -> None:
    with pytest.raises(ValueError, match=r"idle \(.* s\) must be shorter than lock \(1 s\)"):
        Bounds(lock=1.0, idle=idle)


def test_bounds_hold_for_each_connection(node: Postgres) -> None:
    def ask(tx: Tx) -> list[str]:
        names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
        return [tx.execute(f"SHOW {name}")[0][0] for name in names]

    assert node.read(ask) == ["200ms", "300ms", "150ms"]


def test_a_file_that_another_process_writes_to_is_a_lock_time_out(tmp_path: Path) -> None:
    first, second = SQLite(tmp_path / "a.db"), SQLite(tmp_path / "a.db")

    def both(tx: Tx) -> None:
        tx.execute("DELETE FROM bell")
        with pytest.raises(LockTimeout, match="database is locked"):
            second.write(impatient)

    def impatient(tx: Tx) -> None:
        raise AssertionError("it has no lock")

    second._writing().execute("PRAGMA busy_timeout = 10")
    first.write(both)
    first.close()
    second.close()


def insert_and_end_session(tx: Tx, postgres_url: str) -> None:
    """Insert a note; then an admin ends the session of the transaction."""
    tx.execute("INSERT INTO notes VALUES ('a')")
    [(pid,)] = tx.execute("SELECT pg_backend_pid()")
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 2000)", (pid,))


def test_an_admin_who_ends_the_session_is_no_unknown_outcome_before_the_commit(
    distant: Postgres, postgres_url: str
) -> None:
    def work(tx: Tx) -> None:
        insert_and_end_session(tx, postgres_url)
        tx.execute("SELECT 1")

    with pytest.raises(Unreachable):
        distant.write(work)
    assert distant.read(lambda tx: tx.execute("SELECT id FROM notes")) == []


def test_an_admin_who_ends_the_session_at_the_commit_leaves_the_outcome_open(
    distant: Postgres, postgres_url: str
) -> None:
    """PostgreSQL may say so (57P01) after it has committed, as when it waited for a standby."""
    with pytest.raises(OutcomeUnknown):
        distant.write(lambda tx: insert_and_end_session(tx, postgres_url))


def test_what_may_have_been_committed_is_announced_in_this_process_too(distant: Postgres, postgres_url: str) -> None:
    """A revoked key would stay in its memory: a repetition of the revocation gets the stored answer."""
    heard, late, origins = list[str](), threading.Event(), list[str]()

    def hear(payload: str) -> None:
        heard.append(payload)
        if payload == "late":
            late.set()

    distant.subscribe("channel", hear)

    def work(tx: Tx) -> None:
        origins.append(distant._origin)
        tx.notify("channel", "revoked")
        tx.execute("INSERT INTO notes VALUES ('a')")
        [(pid,)] = tx.execute("SELECT pg_backend_pid()")
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(%s, 2000)", (pid,))

    with pytest.raises(OutcomeUnknown):
        distant.write(work)
    assert "revoked" in heard
    with psycopg.connect(postgres_url, autocommit=True) as server:  # it was committed after the connection was lost
        server.execute("SELECT pg_notify(%s, %s)", (CHANNEL, json.dumps([origins[0], "channel", "late"])))
    assert late.wait(5)


def test_what_is_asked_for_is_called_when_the_outcome_is_unknown_unless_it_was_undone(
    distant: Postgres, postgres_url: str
) -> None:
    called: list[str] = []

    def work(tx: Tx) -> None:
        tx.on_commit(lambda: called.append("durable"))
        tx.on_commit(lambda: called.append("perhaps"), if_unknown=True)
        with suppress(ValueError), tx.savepoint():
            tx.on_commit(lambda: called.append("undone"), if_unknown=True)
            raise ValueError
        insert_and_end_session(tx, postgres_url)

    with pytest.raises(OutcomeUnknown):
        distant.write(work)
    assert called == ["perhaps"]


def test_a_connection_that_was_lost_before_the_commit_has_changed_nothing(distant: Postgres, wire: Wire) -> None:
    def work(tx: Tx) -> None:
        tx.execute("INSERT INTO notes VALUES ('a')")
        wire.cut()
        with suppress(StorageError):
            tx.execute("SELECT 1")

    with pytest.raises(Unreachable):
        distant.write(work)
    wire.heal()
    until = time.monotonic() + 5
    while distant.away is not None and time.monotonic() < until:
        time.sleep(0.02)
    assert distant.read(lambda tx: tx.execute("SELECT id FROM notes")) == []
