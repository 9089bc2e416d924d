"""Request logs hold what was asked and answered, without secrets."""

from __future__ import annotations

from tests.support.api import Api
from tollkey.db import Scope
from tollkey.platform.request_counts import by_error, by_key, counts
from tollkey.platform.request_logs import find, horizon, one, redact


def test_a_request_is_logged_with_its_key_status_and_object(api: Api) -> None:
    made = api.ok("POST", "/v1/customers", email="jenny@example.com")
    database, scope = api.core.database, Scope(api.account, False)
    database.write(lambda tx: api.world.server.log.flush(tx, 100_000))
    (entry,) = database.read(lambda tx: find(tx, scope, path="/v1/customers"))
    assert (entry.method, entry.status, entry.object_id) == ("POST", 200, made["id"])
    full = database.read(lambda tx: one(tx, scope, entry.id))
    assert full is not None
    assert made["id"] in full.response_body
    assert api.sk not in repr(full)
    assert list(database.read(lambda tx: counts(tx, scope, entry.at, entry.at + 1, 3600))) == [(entry.at - entry.at % 3600, 2, 1)]


def test_keys_client_secrets_card_numbers_and_codes_are_redacted() -> None:
    key = "sk_live_" + "a" * 30 + "WXYZ"
    text = redact(f"key={key}&card[number]=4242424242424242&card[cvc]=123&x=pi_1_secret_abcdefgh")
    assert text == "key=sk_live_...WXYZ&card[number]=************4242&card[cvc]=[redacted]&x=pi_1_secret_[redacted]"


def _flush(api: Api) -> None:
    api.core.database.write(lambda tx: api.world.server.log.flush(tx, 100_000))


def test_requests_are_counted_by_hour_status_code_and_key(api: Api) -> None:
    scope = Scope(api.account, False)
    api.get("/v1/balance")
    api.get("/v1/charges/ch_none")
    api.world.clock[0] += 3600
    api.get("/v1/charges/ch_none")
    _flush(api)
    read = api.core.database.read
    start = api.now - 3600
    assert list(read(lambda tx: counts(tx, scope, start, api.now + 1, 3600))) == [(start, 2, 1), (start, 4, 1), (api.now, 4, 1)]
    assert read(lambda tx: by_error(tx, scope, start)) == [(404, "resource_missing", 2)]
    assert [number for _, number in read(lambda tx: by_key(tx, scope, start, api.now + 1))] == [3]
    assert [number for _, number in read(lambda tx: by_key(tx, scope, start - 30 * 86400, api.now + 1))] == [3]


def test_counting_goes_on_where_the_last_batch_ended(api: Api) -> None:
    scope = Scope(api.account, False)
    for _ in range(2):
        api.get("/v1/balance")
        _flush(api)
    assert [row[2] for row in api.core.database.read(lambda tx: counts(tx, scope, api.now, api.now + 1, 3600))] == [2]


def test_a_class_of_statuses_is_found_in_the_order_of_time(api: Api) -> None:
    scope = Scope(api.account, False)
    for path in ("/v1/charges/ch_a", "/v1/nothing", "/v1/balance", "/v1/charges/ch_b"):
        api.get(path)
    api.post("/v1/charges", amount="x")
    _flush(api)
    found = api.core.database.read(lambda tx: find(tx, scope, status=(400, 499)))
    assert [entry.path for entry in found] == ["/v1/charges", "/v1/charges/ch_b", "/v1/nothing", "/v1/charges/ch_a"]
    further = api.core.database.read(lambda tx: find(tx, scope, status=(400, 499), before=found[1], limit=1))
    assert [entry.path for entry in further] == ["/v1/nothing"]


def test_a_search_without_an_index_looks_only_so_far_back(api: Api) -> None:
    scope = Scope(api.account, False)
    for path in ("/v1/customers", "/v1/balance", "/v1/balance", "/v1/balance"):
        api.get(path)
    _flush(api)
    read = api.core.database.read
    floor = read(lambda tx: horizon(tx, scope, most=2))
    assert floor is not None
    assert read(lambda tx: find(tx, scope, path="/v1/customers", floor=floor)) == []
    assert len(read(lambda tx: find(tx, scope, path="/v1/customers", before=floor))) == 1
    assert read(lambda tx: horizon(tx, scope, most=5)) is None
