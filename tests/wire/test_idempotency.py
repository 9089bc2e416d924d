"""``Idempotency-Key``: reference section 1.8, and the header columns of 1.9."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.api import Answer, Api, open_world
from tollkey.db import Database, Scope, migrate
from tollkey.wire.idempotency import MIGRATION, InFlight, Stored, fingerprint, is_used, keep
from tollkey.wire.messages import Request


def once(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def test_the_first_use_carries_its_own_id_as_the_original(api: Api) -> None:
    answer = api.post("/v1/customers", headers=once("k1"))
    assert answer.headers["original-request"] == answer.headers["request-id"]
    assert answer.headers["idempotency-key"] == "k1"
    assert answer.headers["stripe-should-retry"] == "false"
    assert "idempotent-replayed" not in answer.headers


def test_a_replay_has_the_first_answer_a_new_request_id_and_says_so(api: Api) -> None:
    first = api.post("/v1/customers", headers=once("k2"), email="a@example.com")
    api.post(f"/v1/customers/{first['id']}", email="b@example.com")
    again = api.post("/v1/customers", headers=once("k2"), email="a@example.com")
    assert again.body == first.body
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["original-request"] == first.headers["request-id"] != again.headers["request-id"]
    assert again.headers["stripe-should-retry"] == "false"


def test_other_parameters_under_a_used_key_are_refused(api: Api) -> None:
    api.ok("POST", "/v1/customers", headers=once("k3"), email="a@example.com")
    answer = api.post("/v1/customers", headers=once("k3"), email="b@example.com")
    assert (answer.status, answer.error["type"]) == (400, "idempotency_error")
    assert answer.error["message"] == (
        "Keys for idempotent requests can only be used with the same parameters they were first used with."
        " Try using a key other than 'k3' if you meant to execute a different request."
    )


def test_another_endpoint_under_a_used_key_is_refused(api: Api) -> None:
    made = api.ok("POST", "/v1/customers", headers=once("k4"))
    answer = api.post(f"/v1/customers/{made['id']}", headers=once("k4"))
    assert (answer.status, answer.error["type"]) == (400, "idempotency_error")
    assert answer.error["message"] == (
        "Keys for idempotent requests can only be used for the same endpoint they were first used for"
        f" ('/v1/customers/{made['id']}' vs '/v1/customers'). Try using a key other than 'k4' if you meant to execute"
        f" a different request."
    )


def test_an_empty_key_and_one_that_is_too_long_are_refused(api: Api) -> None:
    answer = api.post("/v1/customers", headers=once(""))
    assert (answer.status, answer.error["message"]) == (400, "Idempotency Key must be a non-empty string.")
    assert api.post("/v1/customers", headers=once("k" * 256)).status == 400
    assert api.post("/v1/customers", headers=once("k" * 255)).status == 200


def overlapping(api: Api, count: int, key: str) -> list[Answer]:
    api.ok("GET", "/v1/customers")  # the key is known by now: looking it up would let one request arrive late

    async def work() -> list[Answer]:
        headers = {"authorization": f"Bearer {api.sk}", "idempotency-key": key}
        requests = [Request("POST", "/v1/customers", b"", dict(headers), b"", "127.0.0.1") for _ in range(count)]
        done = await asyncio.gather(*(api.world.server.service.answer(request) for request in requests))
        return [Answer(d.status, d.headers, d.body) for d in done]

    return api.world.runner.run(work())


def test_a_second_request_while_the_first_goes_through_is_told_to_wait(api: Api) -> None:
    answers = overlapping(api, 3, "k5")
    assert sorted(a.status for a in answers) == [200, 409, 409]
    refused = next(a for a in answers if a.status == 409)
    assert (refused.error["type"], refused.error["code"]) == ("idempotency_error", "idempotency_key_in_use")
    assert refused.error["message"] == (
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted"
        " twice,"
        " and the other request is still going through): k5. Please try again later."
    )
    assert refused.headers["stripe-should-retry"] == "true"
    assert len(api.get("/v1/customers")["data"]) == 1


def test_the_key_is_free_again_when_the_first_is_through(api: Api) -> None:
    overlapping(api, 2, "k6")
    assert api.post("/v1/customers", headers=once("k6")).headers["idempotent-replayed"] == "true"


def test_refused_parameters_are_not_kept_and_may_be_corrected(api: Api) -> None:
    assert api.post("/v1/customers", headers=once("k7"), no_such="x").status == 400
    answer = api.post("/v1/customers", headers=once("k7"), email="a@example.com")
    assert (answer.status, "idempotent-replayed" in answer.headers) == (200, False)


def test_a_missing_object_is_not_kept(api: Api) -> None:
    missing = api.post("/v1/customers/cus_nothing", headers=once("k8"))
    assert missing.status == 404
    assert "stripe-should-retry" not in missing.headers
    assert "idempotent-replayed" not in api.post("/v1/customers/cus_nothing", headers=once("k8")).headers


def test_a_declined_card_is_kept_and_not_tried_again(api: Api) -> None:
    body = {"amount": 2000, "currency": "usd", "source": "tok_chargeDeclined"}
    first = api.post("/v1/charges", headers=once("k9"), **body)
    assert (first.status, first.headers["stripe-should-retry"]) == (402, "false")
    again = api.post("/v1/charges", headers=once("k9"), **body)
    assert (again.status, again.body, again.headers["idempotent-replayed"]) == (402, first.body, "true")
    assert len(api.get("/v1/charges")["data"]) == 1


def test_a_state_that_does_not_allow_it_is_kept(api: Api) -> None:
    charge = api.ok("POST", "/v1/charges", amount=2000, currency="usd", source="tok_visa")["id"]
    api.ok("POST", "/v1/refunds", charge=charge)
    first = api.post("/v1/refunds", headers=once("k10"), charge=charge)
    assert (first.status, first.headers["stripe-should-retry"]) == (400, "false")
    assert api.post("/v1/refunds", headers=once("k10"), charge=charge).headers["idempotent-replayed"] == "true"


def test_a_refused_key_leaves_the_idempotency_key_unused(api: Api) -> None:
    api.post("/v1/customers", key="sk_test_" + "a" * 20 + "WXYZ", headers=once("k11"))
    assert "idempotent-replayed" not in api.post("/v1/customers", headers=once("k11")).headers


def test_get_and_delete_ignore_the_key(api: Api) -> None:
    made = api.ok("POST", "/v1/customers")["id"]
    got = api.get("/v1/customers", headers=once("k12"))
    assert not {"idempotency-key", "original-request", "stripe-should-retry"} & got.headers.keys()
    gone = api.delete(f"/v1/customers/{made}", headers=once("k12"))
    assert (gone.status, gone.headers["idempotency-key"]) == (200, "k12")
    assert not {"original-request", "stripe-should-retry"} & gone.headers.keys()
    assert "idempotent-replayed" not in api.delete(f"/v1/customers/{made}", headers=once("k12")).headers


def test_a_request_without_a_key_carries_none_of_its_headers(api: Api) -> None:
    answer = api.post("/v1/customers")
    assert not {"idempotency-key", "original-request", "stripe-should-retry"} & answer.headers.keys()
    declined = api.post("/v1/charges", amount=2000, currency="usd", source="tok_chargeDeclined")
    assert "stripe-should-retry" not in declined.headers


def test_each_mode_and_each_account_has_keys_of_its_own(api: Api) -> None:
    api.ok("POST", "/v1/customers", headers=once("k13"))
    assert "idempotent-replayed" not in api.post("/v1/customers", key=api.live_sk, headers=once("k13")).headers
    assert "idempotent-replayed" not in api.another().post("/v1/customers", headers=once("k13")).headers


@pytest.mark.parametrize("kind", ["publishable", "ephemeral"])
def test_a_key_of_a_web_page_or_a_phone_neither_uses_up_nor_asks_about_the_account_s_own_keys(
    api: Api, kind: str
) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    phone = api.post("/v1/ephemeral_keys", customer=customer, headers={"Stripe-Version": "2020-08-27"})["secret"]
    public, path, sent = {
        "publishable": (api.pk, "/v1/tokens", {"pii": {"id_number": "000000000"}}),
        "ephemeral": (phone, f"/v1/customers/{customer}", {"shipping": {"name": "J", "address": {"line1": "1 St"}}}),
    }[kind]
    first = api.post(path, key=public, headers=once("order-1001"), **sent)
    assert first.status == 200
    charge = {"amount": 500, "currency": "usd", "source": "tok_visa"}
    assert api.post("/v1/charges", headers=once("order-1001"), **charge).status == 200
    again = api.post(path, key=public, headers=once("order-1001"), **sent)
    assert (again["id"], again.headers["idempotent-replayed"]) == (first["id"], "true")


def test_a_key_of_a_web_page_does_not_wait_for_the_account_s_own_request_with_that_key() -> None:
    async def test() -> None:
        in_flight, scope, ended = InFlight(), Scope("acct_1", False), asyncio.Event()

        async def waits() -> str:
            await ended.wait()
            return "done"

        async def passes() -> str:
            return "passed"

        first = asyncio.ensure_future(in_flight.run(waits, scope, "order-1001"))
        await asyncio.sleep(0)
        assert await in_flight.run(passes, scope, "order-1001", "publishable") == "passed"
        ended.set()
        assert await first == "done"

    asyncio.run(test())


def test_a_key_is_forgotten_after_a_day(api: Api) -> None:
    first = api.ok("POST", "/v1/customers", headers=once("k14"))
    api.world.clock[0] += 24 * 3600 - 1
    assert api.post("/v1/customers", headers=once("k14"))["id"] == first["id"]
    api.world.clock[0] += 1
    assert api.post("/v1/customers", headers=once("k14"))["id"] != first["id"]


def test_a_restart_loses_no_answer(tmp_path: Path) -> None:
    opening = open_world("", tmp_path)
    api = Api(next(opening))
    first = api.ok("POST", "/v1/customers", headers=once("k15"))
    for _ in opening:  # close
        pass
    second = open_world("", tmp_path)
    world = next(second)
    later = Api(world)
    again = later.post("/v1/customers", key=api.sk, headers=once("k15"))
    assert (again.body, again.headers["idempotent-replayed"]) == (first.body, "true")
    for _ in second:
        pass


def test_the_text_of_a_new_key_is_not_in_the_kept_answer(api: Api) -> None:
    first = api.ok("POST", "/v1/api_keys", key=api.live_sk, headers=once("k16"), type="secret")
    assert first["secret"].startswith("sk_live_")
    again = api.post("/v1/api_keys", key=api.live_sk, headers=once("k16"), type="secret")
    assert (again["id"], again["secret"]) == (first["id"], None)


def test_a_v2_request_is_repeated_by_its_key_a_deletion_too(api: Api) -> None:
    path = "/v2/core/event_destinations"
    sent = {
        "name": "Mine", "type": "webhook_endpoint", "event_payload": "thin",
        "enabled_events": ["v1.customer.created"], "webhook_endpoint": {"url": "https://example.com/hook"},
    }  # fmt: skip
    first = api.post(path, headers={"Idempotency-Key": "a"}, **sent)
    assert api.post(path, headers={"Idempotency-Key": "a"}, **sent) == first
    other = api.post(path, headers={"Idempotency-Key": "a"}, **{**sent, "name": "Other"})
    assert (other.status, other.error["type"], other.error["code"]) == (400, *["idempotency_error"] * 2)
    one = f"{path}/{first['id']}"
    gone = api.delete(one, headers={"Idempotency-Key": "b"})
    again = api.delete(one, headers={"Idempotency-Key": "b"})
    assert (gone.status, again, again.headers["idempotent-replayed"]) == (200, gone, "true")
    assert api.delete(one).status == 404


@pytest.mark.parametrize("key", ["order 7", "order 7 of sk_test_" + "a1B2" * 6])
def test_a_key_that_was_used_is_known_before_an_upload_is_stored_again(database: Database, key: str) -> None:
    """An API key in it is stored masked."""
    scope = Scope("acct_1", False)
    migrate(database, [MIGRATION])
    database.write(lambda tx: keep(tx, scope, key, "/v1/files", b"mark", Stored("req_1", 200, "", b"{}"), 1_000))
    assert database.read(lambda tx: is_used(tx, scope, key, 1_001))
    assert not database.read(lambda tx: is_used(tx, scope, key + "1", 1_001))


def test_what_is_kept_of_parameters_cannot_be_guessed_without_the_server_s_secret(api: Api) -> None:
    """A plain hash of a form with the number of a card tells the number to whoever tries them all."""
    api.ok("POST", "/v1/customers", headers=once("k-secret"), email="a@example.com")
    sql = "SELECT fingerprint FROM idempotency WHERE account = ? AND key = ?"
    ((stored,),) = api.core.database.read(lambda tx: tx.execute(sql, (api.account, "k-secret")))
    form, secret = b"email=a%40example.com", api.core.authority.keyring.stable_digest("marks of requests")
    assert bytes(stored) == fingerprint("POST", b"", form, secret)
    assert bytes(stored) != fingerprint("POST", b"", form, b"")


def test_an_answer_that_an_earlier_version_has_kept_is_given_again(api: Api) -> None:
    first = api.ok("POST", "/v1/customers", headers=once("k-older"), email="a@example.com")
    sql = "UPDATE idempotency SET fingerprint = ? WHERE account = ? AND key = ?"
    api.core.database.write(lambda tx: tx.execute(sql, (b"x" * 20, api.account, "k-older")))
    again = api.post("/v1/customers", headers=once("k-older"), email="a@example.com")
    assert (again["id"], again.headers["idempotent-replayed"]) == (first["id"], "true")
