"""What is kept for a time is forgotten as fast as it comes in, by any number of nodes at once."""

from __future__ import annotations

import asyncio

from tests.support.nodes import Nodes
from tollkey.db import Ids, Scope, Tx
from tollkey.outbox import Destination, enqueue
from tollkey.outbox.claims import Attempt, Result, claim, record
from tollkey.platform._contents import UNCLAIMED_SECONDS, staged_contents
from tollkey.platform.background import Kept, delete_expired

DAY = 86_400
MANY = 4_500
KEPT_IN = ("outbox_attempts", "outbox_deliveries", "outbox_messages", "obj_event")


def rows(nodes: Nodes, account: str) -> tuple[int, int]:
    """How many answers and request logs there are of an account."""

    def count(tx: Tx) -> tuple[int, int]:
        answers = tx.execute("SELECT count(*) FROM idempotency WHERE account = ?", (account,))
        logs = tx.execute("SELECT count(*) FROM request_logs WHERE account = ?", (account,))
        return answers[0][0], logs[0][0]

    return nodes.first.core.database.read(count)


def test_all_that_is_past_its_time_goes_at_one_tidying_and_nothing_else(nodes: Nodes) -> None:
    api, core, now = nodes.api(), nodes.first.core, nodes.first.clock[0]
    answer = (
        "INSERT INTO idempotency (account, livemode, key, path, fingerprint, request_id, status, retry, body, created)"
        " VALUES (?, 0, ?, '/v1/customers', ?, 'req_1', 200, '', ?, ?)"
    )
    logged = (
        "INSERT INTO request_logs (id, account, livemode, at, milliseconds, method, path, query, status, version,"
        " request_body,"
        " response_body) VALUES ('req_1', ?, 0, ?, 1, 'GET', '/v1/customers', '', 200, '2025-01-01', '', '')"
    )
    core.logs.write(
        lambda tx: tx.execute("DELETE FROM request_logs")
    )  # of other tests; they would be older by their number, not by time
    old, young = now - 40 * DAY, now - 60
    answers = [(api.account, f"{number}", b"", b"{}", old if number else young) for number in range(MANY)]
    core.database.write(lambda tx: tx.execute_many(answer, answers))
    core.logs.write(
        lambda tx: tx.execute_many(
            logged, [(api.account, young if number == MANY - 1 else old) for number in range(MANY)]
        )
    )

    async def delete_on_both() -> None:
        await asyncio.gather(
            *(delete_expired(node.server.edge, node.core.logs, now, Kept()) for node in (nodes.first, nodes.second))
        )

    nodes.first.runner.run(delete_on_both())
    assert rows(nodes, api.account) == (1, 1)


def test_two_nodes_delete_what_crashes_left_of_uploads_and_leave_those_that_are_under_way(nodes: Nodes) -> None:
    api, database, now = nodes.api(), nodes.first.core.database, nodes.first.clock[0]
    scope, ids = Scope(api.account, False), Ids()
    began = {ids.new("file"): now - (UNCLAIMED_SECONDS if number % 2 else UNCLAIMED_SECONDS - 1) for number in range(6)}
    for id, created in began.items():
        for step in staged_contents(bytes(600_000), id, scope, created, {}).steps:
            database.write(step)

    async def delete_on_both() -> None:
        await asyncio.gather(
            *(delete_expired(node.server.edge, node.core.logs, now, Kept()) for node in (nodes.first, nodes.second))
        )

    nodes.first.runner.run(delete_on_both())
    under_way = {id for id, created in began.items() if created > now - UNCLAIMED_SECONDS}
    left = database.read(lambda tx: tx.execute("SELECT file FROM file_contents WHERE account = ?", (api.account,)))
    assert sorted(id for (id,) in left) == sorted(3 * list(under_way))


def test_events_and_deliveries_go_after_their_days_with_their_attempts_and_not_a_second_earlier(nodes: Nodes) -> None:
    api, database, now = nodes.api(), nodes.first.core.database, nodes.first.clock[0]
    owner = (api.account, 0)
    old, young = now - 30 * DAY - 1, now - 30 * DAY
    ages = [old] * 700 + [young] * 3
    database.write(lambda tx: [tx.execute(f"DELETE FROM {name}") for name in KEPT_IN])  # of other tests

    def fill(tx: Tx) -> None:
        for number, created in enumerate(ages):
            row = (*owner, f"evt_{number}", created, b"{}")
            tx.execute("INSERT INTO obj_event (account, livemode, id, created, body) VALUES (?, ?, ?, ?, ?)", row)
            one = Destination("we_1", "http://127.0.0.1:1/x", ("whsec_1",))
            enqueue(tx, Scope(*owner), f"evt_{number}", "a.b", b"{}", [one], created)
        claims = claim(tx, now, "lease", now + 60, {"we_1": 702})
        record(tx, [Attempt(each, Result(now, True, 200, "", None, 1), "delivered", None) for each in claims])

    database.write(fill)

    async def delete_on_both() -> None:
        await asyncio.gather(
            *(delete_expired(node.server.edge, node.core.logs, now, Kept()) for node in (nodes.first, nodes.second))
        )

    nodes.first.runner.run(delete_on_both())
    left = database.read(lambda tx: [tx.execute(f"SELECT count(*) FROM {name}")[0][0] for name in KEPT_IN])
    assert dict(zip(KEPT_IN, left, strict=True)) == {
        "outbox_attempts": 2,
        "outbox_deliveries": 3,
        "outbox_messages": 3,
        "obj_event": 3,
    }
