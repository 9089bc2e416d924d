"""Request logs hold what was asked and answered, within bounds."""

from __future__ import annotations

from pathlib import Path

from tests.support.api import Api
from tollkey.db import Scope, SQLite
from tollkey.db.sqlite_connection import create_shrinking
from tollkey.platform.request_counts import by_error, by_key, counts
from tollkey.platform.request_log_buffer import Buffer
from tollkey.platform.request_logs import find, give_back, horizon, one
from tollkey.wire.messages import Request, Response
from tollkey.wire.policy import Logged


def test_a_request_is_logged_with_its_key_status_and_object(api: Api) -> None:
    made = api.ok("POST", "/v1/customers", email="jenny@example.com")
    database, scope = api.core.database, Scope(api.account, False)
    api.world.write_logs()
    (entry,) = database.read(lambda tx: find(tx, scope, path="/v1/customers"))
    assert (entry.method, entry.status, entry.object_id) == ("POST", 200, made["id"])
    full = database.read(lambda tx: one(tx, scope, entry.id))
    assert full is not None
    assert made["id"] in full.response_body
    assert api.sk not in repr(full)
    assert list(database.read(lambda tx: counts(tx, scope, entry.at, entry.at + 1, 3600))) == [
        (entry.at - entry.at % 3600, 2, 1)
    ]


def test_requests_are_counted_by_hour_status_code_and_key(api: Api) -> None:
    scope = Scope(api.account, False)
    api.get("/v1/balance")
    api.get("/v1/charges/ch_none")
    api.world.clock[0] += 3600
    api.get("/v1/charges/ch_none")
    api.world.write_logs()
    read = api.core.database.read
    start = api.now - 3600
    assert list(read(lambda tx: counts(tx, scope, start, api.now + 1, 3600))) == [
        (start, 2, 1),
        (start, 4, 1),
        (api.now, 4, 1),
    ]
    assert read(lambda tx: by_error(tx, scope, start)) == [(404, "resource_missing", 2)]
    assert [number for _, number in read(lambda tx: by_key(tx, scope, start, api.now + 1))] == [3]
    assert [number for _, number in read(lambda tx: by_key(tx, scope, start - 30 * 86400, api.now + 1))] == [3]


def test_counting_goes_on_where_the_last_batch_ended(api: Api) -> None:
    scope = Scope(api.account, False)
    for _ in range(2):
        api.get("/v1/balance")
        api.world.write_logs()
    assert [row[2] for row in api.core.database.read(lambda tx: counts(tx, scope, api.now, api.now + 1, 3600))] == [2]


def test_a_class_of_statuses_is_found_in_the_order_of_time(api: Api) -> None:
    scope = Scope(api.account, False)
    for path in ("/v1/charges/ch_a", "/v1/nothing", "/v1/balance", "/v1/charges/ch_b"):
        api.get(path)
    api.post("/v1/charges", amount="x")
    api.world.write_logs()
    found = api.core.database.read(lambda tx: find(tx, scope, status=(400, 499)))
    assert [entry.path for entry in found] == ["/v1/charges", "/v1/charges/ch_b", "/v1/nothing", "/v1/charges/ch_a"]
    further = api.core.database.read(lambda tx: find(tx, scope, status=(400, 499), before=found[1], limit=1))
    assert [entry.path for entry in further] == ["/v1/nothing"]


def test_a_search_without_an_index_looks_only_so_far_back(api: Api) -> None:
    scope = Scope(api.account, False)
    for path in ("/v1/customers", "/v1/balance", "/v1/balance", "/v1/balance"):
        api.get(path)
    api.world.write_logs()
    read = api.core.database.read
    floor = read(lambda tx: horizon(tx, scope, most=2))
    assert floor is not None
    assert read(lambda tx: find(tx, scope, path="/v1/customers", floor=floor)) == []
    assert len(read(lambda tx: find(tx, scope, path="/v1/customers", before=floor))) == 1
    assert read(lambda tx: horizon(tx, scope, most=5)) is None


def test_bodies_that_wait_for_the_log_have_a_bound(api: Api) -> None:
    buffer, big = Buffer(most_bytes=100_000), b"x" * (5 * 1024 * 1024)
    key = api.core.database.read(lambda tx: api.core.authority.list(tx, Scope(api.account, False)))[0]
    form = {"content-type": "application/x-www-form-urlencoded"}
    entry = Logged(
        Request("POST", "/v1/customers", b"", form, big), Response(400, b""), key, api.account, "req_1", 0.0, 0.0
    )
    for _ in range(20):
        buffer(entry)
    assert 0 < buffer.dropped < 20


def test_a_long_error_is_logged_with_the_object_it_is_about(api: Api) -> None:
    metadata = {f"k{n}": "x" * 490 for n in range(45)}
    method = api.ok("POST", "/v1/payment_methods", type="card", metadata=metadata,
                    card={"number": "4000000000000002", "exp_month": 12, "exp_year": 2034, "cvc": "123"})  # fmt: skip
    answer = api.post(
        "/v1/setup_intents", payment_method=method["id"], confirm=True, allowed_payment_method_types=["card"]
    )
    assert answer.status == 402
    api.world.runner.run(api.world.server._write_buffers())
    rows = api.core.database.read(lambda tx: tx.execute("SELECT object_id FROM request_logs ORDER BY seq DESC LIMIT 1"))
    assert rows == [(answer.error["setup_intent"]["id"],)]


def test_beyond_so_many_long_requests_their_bodies_are_not_kept(api: Api) -> None:
    key = api.core.database.read(lambda tx: api.core.authority.list(tx, Scope(api.account, False)))[0]
    form = {"content-type": "application/x-www-form-urlencoded"}
    request = Request("POST", "/v1/customers", b"", form, b"description=" + b"a" * 9_000)
    buffer, database = Buffer(), api.core.logs
    for number in range(30):
        buffer(Logged(request, Response(400, b"{}"), key, api.account, f"req_long{number}", 0.0, 0.0))
    assert buffer.flush(database) == 30
    rows = database.read(
        lambda tx: tx.execute("SELECT request_body FROM request_logs WHERE id LIKE 'req_long%' ORDER BY seq")
    )
    kept = [row[0].startswith("description=") for row in rows]
    assert kept == [True] * 14 + [False] * 16
    assert rows[-1][0] == "[9012 bytes, not kept: too many long requests at once]"
    buffer(Logged(request, Response(400, b"{}"), key, api.account, "req_later", 0.0, 0.0))
    buffer.flush(database)
    rows = database.read(lambda tx: tx.execute("SELECT request_body FROM request_logs WHERE id = 'req_later'"))
    assert rows[0][0].startswith("description=")


def test_a_long_answer_of_ours_is_kept_however_many_there_are(api: Api) -> None:
    key = api.core.database.read(lambda tx: api.core.authority.list(tx, Scope(api.account, False)))[0]
    answer = b'{"id": "cus_1", "description": "' + b"a" * 9_000 + b'"}'
    buffer, database = Buffer(), api.core.logs
    for number in range(40):
        request = Request("POST", "/v1/customers", b"", {}, b"")
        buffer(Logged(request, Response(200, answer), key, api.account, f"req_answer{number}", 0.0, 0.0))
    buffer.flush(database)
    rows = database.read(lambda tx: tx.execute("SELECT response_body FROM request_logs WHERE id LIKE 'req_answer%'"))
    assert [len(row[0]) for row in rows] == [len(answer)] * 40


def test_free_space_of_the_file_of_logs_is_given_back_but_for_four_megabytes(tmp_path: Path) -> None:
    file = tmp_path / "requests.db"
    create_shrinking(file)
    database = SQLite(file)
    database.write(lambda tx: tx.execute("CREATE TABLE filled (content BLOB)"))
    database.write(lambda tx: tx.execute_many("INSERT INTO filled VALUES (?)", [(bytes(16_000),)] * 500))
    database.write(lambda tx: tx.execute("DELETE FROM filled"))
    while database.write(give_back):
        pass
    database.checkpoint(restart=True)
    database.close()
    assert 4_000_000 < file.stat().st_size < 4_300_000


def test_a_file_of_an_earlier_version_keeps_its_free_space(tmp_path: Path) -> None:
    database = SQLite(tmp_path / "requests.db")
    database.write(lambda tx: tx.execute("CREATE TABLE filled (content BLOB)"))
    database.write(lambda tx: tx.execute_many("INSERT INTO filled VALUES (?)", [(bytes(16_000),)] * 300))
    database.write(lambda tx: tx.execute("DELETE FROM filled"))
    assert database.write(give_back) is False
    database.close()
