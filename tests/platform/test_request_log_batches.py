"""Request logs that are written as batches are found, counted, indexed and deleted like all others."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import NEVER, NOW, Api
from tests.support.nodes import Nodes
from tollkey.db import Database, Migration, Row, Scope, SQLite, Tx, migrate
from tollkey.db.engine import ReadTooLong
from tollkey.platform import request_log_batches
from tollkey.platform._cli_feeds import logs_of
from tollkey.platform.background import Kept, delete_expired, index_logs
from tollkey.platform.request_counts import counts
from tollkey.platform.request_log_batches import FEW, WRITTEN, index_oldest, last_seq, store
from tollkey.platform.request_logs import MIGRATION, about, by_version, delete_old, find, horizon, logged, one

DAY = 86_400
SCOPE = Scope("acct_1", False)


@pytest.fixture
def logs(database: Database) -> Database:
    """A database with the tables of request logs and nothing else."""
    migrate(database, [MIGRATION])
    return database


def row(number: int, at: int = NOW, **other: Any) -> Row:
    """What the buffer makes of a request."""
    values = dict.fromkeys(WRITTEN, "") | {
        "id": f"req_{number}", "account": SCOPE.account, "livemode": 0, "at": at, "milliseconds": 3, "method": "GET",
        "path": "/v1/customers/cus_1", "status": 200, "error_code": None, "key_id": "mk_1",
        "version": "2026-01-28.clover", "idempotency_key": None, "object_id": "cus_1",
    }  # fmt: skip
    return tuple((values | other)[name] for name in WRITTEN)


def write(logs: Database, *rows: Row, waiting: bool = True) -> None:
    """Write requests in one flush, as a batch that waits or as rows of their own."""
    logs.write(lambda tx: store(tx, rows, few=0 if waiting else len(rows) + 1))


def index(logs: Database) -> None:
    while logs.write(lambda tx: index_oldest(tx, NEVER)):
        pass


def ids(found: Sequence[Any]) -> list[str]:
    return [each.id for each in found]


def rows_of(logs: Database, table: str) -> int:
    return int(logs.read(lambda tx: tx.execute(f"SELECT count(*) FROM {table}"))[0][0])


def mixed(logs: Database, seed: int) -> None:
    """Requests of all kinds, a few of them out of order, of which some wait and some do not."""
    chance, at, rows = random.Random(seed), NOW, list[Row]()
    pick = chance.choice
    for number in range(400):
        at += chance.randrange(3)
        rows.append(row(
            number, at - pick((0, 0, 0, 7)), account=pick(("acct_1", "acct_1", "acct_2")), livemode=pick((0, 0, 1)),
            method=pick(("GET", "POST")), path=pick(("/v1/customers", "/v1/a_b", "/v1/a%b", '/v1/"\\é')),
            status=pick((200, 404, 418)), key_id=pick(("mk_1", "mk_2", None)), object_id=pick(("cus_1", 'a"\\é', None)),
            version=pick(("2026-01-28.clover", "2025-03-31.basil")), request_body=pick(("", "email=é\n")),
            response_body='{"id": "cus_1"}',
        ))  # fmt: skip
    while rows:
        size = chance.randrange(1, 40)
        write(logs, *rows[:size], waiting=chance.random() < 0.7)
        del rows[:size]


#: What reads request logs. Each is asked in both modes.
READERS: dict[str, Callable[[Tx, Scope], Any]] = {
    "the newest": lambda tx, scope: find(tx, scope, limit=30),
    "all": lambda tx, scope: find(tx, scope, limit=1_000),
    "of a key": lambda tx, scope: find(tx, scope, key_id="mk_2", limit=25),
    "of a key and a status": lambda tx, scope: find(tx, scope, key_id="mk_2", status=(400, 499), limit=25),
    "of a class of statuses": lambda tx, scope: find(tx, scope, status=(400, 404), limit=25),
    "of one status": lambda tx, scope: find(tx, scope, status=(418, 418), limit=25),
    "of a method": lambda tx, scope: find(tx, scope, method="POST", limit=25),
    "of a path": lambda tx, scope: find(tx, scope, path="/v1/a_b", limit=25),
    "of a path with a percent sign": lambda tx, scope: find(tx, scope, path="/v1/a%", limit=25),
    "of a path with quotes": lambda tx, scope: find(tx, scope, path='/v1/"\\é', limit=25),
    "between two times": lambda tx, scope: find(tx, scope, since=NOW + 50, until=NOW + 90, limit=1_000),
    "behind another": lambda tx, scope: find(tx, scope, before=find(tx, scope, limit=20)[-1], limit=1_000),
    "down to another": lambda tx, scope: find(tx, scope, floor=find(tx, scope, limit=35)[-1], limit=1_000),
    "the horizon": lambda tx, scope: horizon(tx, scope, most=1_000),
    "by its id": lambda tx, scope: [one(tx, scope, f"req_{number}") for number in range(0, 400, 9)],
    "by an id that none has": lambda tx, scope: one(tx, scope, "cus_1"),
    "about an object": lambda tx, scope: about(tx, scope, "cus_1"),
    "about an object with quotes": lambda tx, scope: about(tx, scope, 'a"\\é', limit=100),
    "by version": lambda tx, scope: sorted(by_version(tx, scope, NOW + 20)),
    "for the check of an upgrade": lambda tx, scope: logged(tx, limit=1_000),
    "for the check, a page": lambda tx, scope: logged(tx, logged(tx, limit=70)[-1].seq, account="acct_1", limit=40),
    "for the check, of a version": lambda tx, scope: logged(tx, since=NOW + 9, day="2025-03-31", limit=1_000),
    "the last number": lambda tx, scope: last_seq(tx),
    "the CLI": lambda tx, scope: tail_of(tx, scope),
}  # fmt: skip


def tail_of(tx: Tx, scope: Scope) -> list[Row]:
    tail, found = logs_of(scope), list[Row]()
    while more := tail.next(tx, 0.0):
        found += more
    return found


@pytest.mark.parametrize("reader", READERS)
def test_what_reads_request_logs_finds_the_same_before_and_after_they_are_indexed(logs: Database, reader: str) -> None:
    mixed(logs, seed=len(reader))
    assert rows_of(logs, "request_log_batches") > 3
    scopes = (SCOPE, Scope("acct_1", True), Scope("acct_2", False))
    before = [logs.read(lambda tx, of=scope: READERS[reader](tx, of)) for scope in scopes]
    index(logs)
    assert (rows_of(logs, "request_logs"), rows_of(logs, "request_log_batches")) == (400, 0)
    assert before == [logs.read(lambda tx, of=scope: READERS[reader](tx, of)) for scope in scopes]


def test_a_horizon_among_waiting_requests_divides_a_search_in_two(logs: Database) -> None:
    write(logs, *(row(number, NOW + number // 7, path="/v1/a" if number % 5 else "/v1/b") for number in range(100)))
    floor = logs.read(lambda tx: horizon(tx, SCOPE, most=40))
    assert floor is not None
    assert floor.id == "req_60"
    first = logs.read(lambda tx: find(tx, SCOPE, path="/v1/b", floor=floor))
    second = logs.read(lambda tx: find(tx, SCOPE, path="/v1/b", before=floor))
    assert ids(first) == [f"req_{number}" for number in range(95, 59, -5)]
    assert ids(second) == [f"req_{number}" for number in range(55, -1, -5)]


def test_requests_that_are_indexed_may_be_newer_than_those_that_wait(logs: Database) -> None:
    write(logs, *(row(number, NOW + number, version="2025-03-31.basil") for number in range(3_000)))
    write(logs, *(row(number, NOW + number) for number in range(3_000, 6_000)), waiting=False)
    floor = logs.read(lambda tx: horizon(tx, SCOPE, most=50))
    assert floor is not None
    assert floor.id == "req_5950"
    assert logs.read(lambda tx: by_version(tx, SCOPE, NOW)) == [("2026-01-28.clover", 2_000)]


def test_the_newest_page_takes_no_older_batch_apart(logs: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(0, 40, 4):
        write(logs, *(row(number + each, NOW + number // 12) for each in range(4)))
    asked: list[str] = []

    def read(tx: Tx) -> list[str]:
        execute = tx.execute
        monkeypatch.setattr(tx, "execute", lambda sql, params=(): asked.append(sql) or execute(sql, params))
        return ids(find(tx, SCOPE, limit=6))

    assert logs.read(read) == [f"req_{number}" for number in range(39, 33, -1)]
    assert sum("json" in sql for sql in asked) == 2


def test_numbers_follow_one_another_across_batches_and_rows(logs: Database) -> None:
    write(logs, row(1), row(2))
    write(logs, row(3), waiting=False)
    write(logs, row(4))
    write(logs, row(5), row(6), waiting=False)
    found = logs.read(logged)
    assert ids(found) == [f"req_{number}" for number in range(1, 7)]
    assert [each.seq - found[0].seq for each in found] == list(range(6))


def test_the_cli_hears_of_each_request_once_whether_it_waits_or_not(logs: Database) -> None:
    write(logs, row(0))
    tail, heard, clock = logs_of(SCOPE), list[str](), 0.0
    logs.read(tail.begin)
    for number in range(1, 10, 3):
        write(logs, row(number), row(number + 1))
        write(logs, row(number + 2), waiting=False)
        clock += 1.0
        heard += [found[1] for found in logs.read(lambda tx, now=clock: tail.next(tx, now))]
        index(logs)
        heard += [found[1] for found in logs.read(lambda tx, now=clock: tail.next(tx, now))]
    assert heard == [f"req_{number}" for number in range(1, 10)]


def test_a_flush_of_few_requests_waits_for_no_index_and_one_of_many_does(logs: Database) -> None:
    logs.write(lambda tx: store(tx, [row(number) for number in range(FEW - 1)]))
    assert (rows_of(logs, "request_logs"), rows_of(logs, "request_log_batches")) == (FEW - 1, 0)
    logs.write(lambda tx: store(tx, [row(number) for number in range(FEW)]))
    assert (rows_of(logs, "request_logs"), rows_of(logs, "request_log_batches")) == (FEW - 1, 1)


def test_a_batch_has_at_most_so_many_requests_and_so_many_bytes(logs: Database) -> None:
    write(logs, *(row(number) for number in range(2_500)))
    write(logs, *(row(number, request_body="a" * 200_000) for number in range(5)))
    rows = logs.read(lambda tx: tx.execute("SELECT requests FROM request_log_batches ORDER BY seq"))
    assert [each[0] for each in rows] == [1_000, 1_000, 500, 2, 2, 1]


def test_a_character_that_postgresql_does_not_store_is_left_out(logs: Database) -> None:
    write(logs, row(1, path="/v1/a\0b"), waiting=False)
    write(logs, row(2, path="/v1/a\0b", request_body="\\u0000"))
    assert [(each.path, each.request_body) for each in logs.read(logged)] == [("/v1/ab", ""), ("/v1/ab", "\\u0000")]


# -- when batches are indexed


def test_batches_are_indexed_when_the_last_one_is_some_seconds_old(logs: Database) -> None:
    write(logs, row(1, NOW))
    for seconds, waiting in ((0, 1), (2, 1), (3, 0)):
        asyncio.run(index_logs(logs, lambda now=NOW + seconds: now))  # type: ignore[misc]
        assert rows_of(logs, "request_log_batches") == waiting


def test_a_server_that_becomes_busy_stops_indexing_before_it_has_written_anything(api: Api) -> None:
    server, waiting = api.world.server, "SELECT count(*) FROM request_log_batches"
    api.world.write_logs()
    write(api.core.logs, row(1, api.now - 60))
    while not server.log.busy:
        api.get("/v1/balance")
    for batches in (1, 0):
        api.world.runner.run(index_logs(api.core.logs, api.core.now, lambda: server.log.busy))
        assert api.core.logs.read(lambda tx: tx.execute(waiting)) == [(batches,)]
        api.world.write_logs()
        write(api.core.logs, row(2, api.now - 60))
    api.world.write_logs()


def test_where_many_batches_wait_further_requests_become_rows_at_once(logs: Database) -> None:
    for number in range(0, 10, 2):
        logs.write(lambda tx, first=number: store(tx, [row(first), row(first + 1)], few=0, most=3))  # type: ignore[misc]
    assert (rows_of(logs, "request_log_batches"), rows_of(logs, "request_logs")) == (3, 4)
    found = logs.read(logged)
    assert ids(found) == [f"req_{number}" for number in range(10)]
    index(logs)
    assert logs.read(logged) == found


def test_the_oldest_batches_are_indexed_first_some_at_once(logs: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log_batches, "_INDEXED_AT_ONCE", 4)
    for number in range(0, 9, 3):
        write(logs, *(row(number + each, NOW) for each in range(3)))
    steps = []
    while logs.write(lambda tx: index_oldest(tx, NOW + 60)):
        steps.append([each[0] for each in logs.read(lambda tx: tx.execute("SELECT id FROM request_logs ORDER BY seq"))])
    assert steps == [[f"req_{number}" for number in range(end)] for end in (3, 6, 9)]


def test_a_running_server_writes_a_batch_and_indexes_it_once_it_is_quiet(api: Api) -> None:
    scope, server, read = Scope(api.account, False), api.world.server, api.core.database.read
    for _ in range(FEW):
        api.get("/v1/balance")
    api.world.runner.run(server._write_logs())
    waiting = "SELECT sum(requests) FROM request_log_batches"
    assert read(lambda tx: tx.execute(waiting))[0][0] == FEW
    assert len(read(lambda tx: find(tx, scope, limit=2 * FEW))) == FEW
    assert [each[2] for each in read(lambda tx: counts(tx, scope, api.now, api.now + 1, 3600))] == [FEW]
    api.world.clock[0] += 3
    api.world.runner.run(index_logs(api.core.logs, api.core.now))
    assert read(lambda tx: tx.execute(waiting))[0][0] is None
    assert len(read(lambda tx: find(tx, scope, limit=2 * FEW))) == FEW


def test_a_read_of_many_waiting_requests_does_not_hold_the_event_loop(logs: Database) -> None:
    if not isinstance(logs, SQLite):  # PostgreSQL is read in threads
        return
    write(logs, *(row(number) for number in range(501)))
    for reader in ("the newest", "by its id", "about an object", "the CLI"):
        with pytest.raises(ReadTooLong):
            logs.read(lambda tx, of=reader: READERS[of](tx, SCOPE), brief=True)  # type: ignore[misc]
    assert len(logs.read(lambda tx: find(tx, SCOPE, limit=1_000))) == 501


# -- nothing is lost or doubled


def test_batches_are_indexed_once_by_two_nodes(nodes: Nodes) -> None:
    nodes.api()
    first, second = nodes.first.core.logs, nodes.second.core.logs
    nodes.first.write_logs()
    mine = Scope("acct_of_two_nodes", False)
    for number in range(0, 600, 20):
        write(first, *(row(number + each, account=mine.account) for each in range(20)))

    def work(logs: Database) -> int:
        steps = 0
        while logs.write(lambda tx: index_oldest(tx, NEVER)):
            steps += 1
        return steps

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, (first, second)))
    found = first.read(lambda tx: tx.execute("SELECT id FROM request_logs WHERE account = ?", (mine.account,)))
    assert sorted(each[0] for each in found) == sorted(f"req_{number}" for number in range(600))


def test_batches_of_two_nodes_have_numbers_of_their_own(nodes: Nodes) -> None:
    nodes.api()
    mine = Scope("acct_of_two_writers", False)

    def work(world: Any) -> None:
        for number in range(30):
            rows = [row(number, account=mine.account)] * 40
            write(world.core.logs, *rows, waiting=number % 3 > 0)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, (nodes.first, nodes.second)))
    nodes.first.write_logs()
    found = nodes.first.core.database.read(
        lambda tx: tx.execute("SELECT count(DISTINCT seq) FROM request_logs WHERE account = ?", (mine.account,))
    )
    assert found[0][0] == 2 * 30 * 40


def test_a_step_of_indexing_that_fails_changes_nothing(logs: Database) -> None:
    write(logs, *(row(number) for number in range(50)))
    before = logs.read(logged)

    def fails(tx: Tx) -> None:
        index_oldest(tx, NEVER)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        logs.write(fails)
    assert (rows_of(logs, "request_logs"), rows_of(logs, "request_log_batches")) == (0, 1)
    index(logs)
    assert logs.read(logged) == before


# -- retention and older versions


def test_batches_go_with_the_days_of_request_logs(api: Api) -> None:
    logs, old = api.core.logs, api.now - 30 * DAY
    api.world.write_logs()
    logs.write(lambda tx: tx.execute("DELETE FROM request_logs"))  # of other tests
    for number in range(5):
        write(logs, row(number, old - 2), row(number + 10, old - 1))
    write(logs, row(20, old - 1), row(21, old))
    api.world.runner.run(delete_expired(api.world.server.edge, logs, api.now, Kept()))
    assert ids(logs.read(logged)) == ["req_20", "req_21"]
    index(logs)
    logs.write(lambda tx: delete_old(tx, old))
    assert ids(logs.read(logged)) == ["req_21"]


def test_a_database_of_an_earlier_version_goes_on_where_it_was(database: Database) -> None:
    migrate(database, [Migration(MIGRATION.module, MIGRATION.statements[:-1])])
    write(database, row(1), row(2), waiting=False)
    assert migrate(database, [MIGRATION]) == 1
    write(database, row(3), row(4))
    write(database, row(5), waiting=False)  # as a node of the earlier version does beside this one
    found = database.read(logged)
    assert ids(found) == [f"req_{number}" for number in range(1, 6)]
    index(database)
    assert database.read(logged) == found


def test_a_copied_file_goes_on_with_numbers_behind_its_batches(tmp_path: Path) -> None:
    logs = SQLite(tmp_path / "requests.db")
    migrate(logs, [MIGRATION])
    write(logs, row(1), row(2))
    logs.close()
    again = SQLite(tmp_path / "requests.db")
    write(again, row(3), waiting=False)
    assert ids(again.read(logged)) == ["req_1", "req_2", "req_3"]
    again.close()
