"""Reads that most transactions make are sent together with their BEGIN on PostgreSQL, and are as fresh as any other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from tollkey.db import Scope, StorageError, Table, Tx, migrate
from tollkey.db.ahead import Habits, Question
from tollkey.db.postgres import Postgres
from tollkey.db.table import Record

THINGS = Table("thing", ("colour",))
SCOPE = Scope("acct_1", False)
FIRST, SECOND = Question("things", "SELECT 1", ("a",)), Question("things", "SELECT 2", ("b",))


@pytest.fixture
def node(postgres_url: str) -> Iterator[Postgres]:
    opened = Postgres(postgres_url)
    migrate(opened, [])
    opened.write(lambda tx: tx.execute_script(THINGS.create(tx.dialect)))
    opened.write(store)
    yield opened
    opened.close()


def store(tx: Tx, body: bytes = b"{}") -> None:
    if THINGS.get(tx, SCOPE, "a") is None:
        THINGS.insert(tx, SCOPE, "a", 1, body, None, [None])
    else:
        THINGS.rewrite(tx, SCOPE, "a", body, None)


def found(tx: Tx) -> bytes | None:
    """What most transactions of these tests read."""

    def read() -> Record | None:
        return THINGS.get(tx, SCOPE, "a")

    record = THINGS.cached(tx, SCOPE, "a", read)
    return record.body if record is not None else None


@pytest.fixture
def exchanges(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Counts this thread's waits for an answer outside of pipelines, and its pipelines, since it was last called."""
    thread = threading.get_ident()
    seen: list[object] = []
    wait, leave = psycopg.Connection.wait, psycopg.Pipeline.__exit__

    def counted_wait(connection: Any, *args: Any, **named: Any) -> Any:
        if connection._pipeline is None and threading.get_ident() == thread:
            seen.append(connection)
        return wait(connection, *args, **named)

    def counted_leave(pipeline: Any, *args: Any) -> None:
        if threading.get_ident() == thread:
            seen.append(pipeline)
        leave(pipeline, *args)

    monkeypatch.setattr(psycopg.Connection, "wait", counted_wait)
    monkeypatch.setattr(psycopg.Pipeline, "__exit__", counted_leave)

    def count() -> int:
        number = len(seen)
        seen.clear()
        return number

    return count


def test_what_two_transactions_have_read_is_read_with_the_begin_of_the_third(
    node: Postgres, exchanges: Callable[[], int]
) -> None:
    counts = []
    for number in range(4):

        def work(tx: Tx, id: str = str(number)) -> None:
            assert found(tx) == b"{}"
            THINGS.insert(tx, SCOPE, id, 1, b"{}", None, [None])

        exchanges()
        node.write(work, "lock")
        counts.append(exchanges())
    assert counts == [3, 3, 2, 2]


def test_what_is_read_ahead_is_read_after_the_lock_was_acquired(node: Postgres, postgres_url: str) -> None:
    for _ in range(3):
        node.write(found, "lock")
    held, waiting = threading.Event(), threading.Event()
    other = Postgres(postgres_url)

    def change(tx: Tx) -> None:
        held.set()
        assert waiting.wait(5)
        store(tx, b'{"new": 1}')

    changing = threading.Thread(target=other.write, args=(change, "lock"))
    changing.start()
    assert held.wait(5)
    threading.Timer(0.2, waiting.set).start()
    assert node.write(found, "lock") == b'{"new": 1}'
    changing.join()
    other.close()


def test_what_is_read_ahead_is_not_used_once_its_table_was_written(node: Postgres) -> None:
    for _ in range(3):
        node.write(found, "lock")

    def work(tx: Tx) -> bytes | None:
        store(tx, b'{"mine": 1}')
        return found(tx)

    assert node.write(work, "lock") == b'{"mine": 1}'


def test_what_is_read_ahead_is_read_again_after_a_rollback(node: Postgres) -> None:
    for _ in range(3):
        node.write(found, "lock")

    def work(tx: Tx) -> bytes | None:
        with suppress(KeyError), tx.savepoint():
            store(tx, b'{"undone": 1}')
            raise KeyError
        return found(tx)

    assert node.write(work, "lock") == b"{}"


def test_what_callers_know_is_read_with_the_begin_of_their_transaction(
    node: Postgres, exchanges: Callable[[], int]
) -> None:
    asked = [THINGS.asks_body(SCOPE, id) for id in ("a", "none")]

    def work(tx: Tx) -> list[bytes | None]:
        return [THINGS.body(tx, SCOPE, id) for id in ("a", "none")]

    exchanges()
    assert node.write(work, "lock", asked) == [b"{}", None]
    assert exchanges() == 2
    assert node.write(work, "lock") == [b"{}", None]
    assert exchanges() == 4


@pytest.mark.parametrize("held", [True, False])
def test_what_callers_know_is_read_again_once_anything_was_written(node: Postgres, held: bool) -> None:
    def work(tx: Tx) -> bytes | None:
        store(tx, b'{"mine": 1}')
        if not held:
            tx.flush()
        return THINGS.body(tx, SCOPE, "a")

    assert node.write(work, "lock", [THINGS.asks_body(SCOPE, "a")]) == b'{"mine": 1}'


def test_what_another_statement_has_changed_is_read_again(node: Postgres) -> None:
    def work(tx: Tx) -> bytes | None:
        tx.execute("UPDATE obj_thing SET body = ?", (b"changed",))
        return THINGS.body(tx, SCOPE, "a")

    assert node.write(work, "lock", [THINGS.asks_body(SCOPE, "a")]) == b"changed"


def test_what_cannot_be_read_ahead_fails_one_transaction_at_most(node: Postgres) -> None:
    for _ in range(3):
        node.write(found, "lock")
    node.write(lambda tx: tx.execute_script(["DROP TABLE obj_thing"]))
    with pytest.raises(StorageError):
        node.write(lambda tx: None, "lock")
    assert node.write(lambda tx: tx.execute("SELECT 1"), "lock") == [(1,)]


def test_only_what_the_last_two_transactions_have_read_is_expected() -> None:
    habits = Habits()
    habits.learn("lock", [FIRST, SECOND])
    assert not habits.take("lock")
    habits.learn("lock", [SECOND])
    assert habits.take("lock") == [SECOND]
    habits.learn("lock", [])
    assert not habits.take("lock")


def test_a_transaction_that_failed_leaves_nothing_expected() -> None:
    habits = Habits()
    habits.learn("lock", [FIRST])
    habits.learn("lock", [FIRST])
    assert habits.take("lock") == [FIRST]
    assert not habits.take("lock")
