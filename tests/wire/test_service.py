"""The life of a request, seen from outside."""

from __future__ import annotations

import asyncio
import threading
import time

from tests.support.api import Api
from tollkey.db import Scope
from tollkey.db.read_limits import COSTLY_SECONDS, MAX_QUEUED
from tollkey.keys import Permission
from tollkey.wire import Call, Endpoint, P, Params, Reply, Resource
from tollkey.wire.call import Setup
from tollkey.wire.hosted import hosted_url
from tollkey.wire.messages import Request
from tollkey.wire.policy import Policy
from tollkey.wire.resource import Catalogue
from tollkey.wire.service import Service
from tollkey.wire.tables import Tables


def test_a_created_customer_is_retrieved_as_it_was_answered(api: Api) -> None:
    made = api.ok("POST", "/v1/customers", email="jenny@example.com", metadata={"order": "6735"})
    assert api.get(f"/v1/customers/{made['id']}") == made


def test_an_unknown_key_is_told_so_with_its_last_four_characters_and_no_request_id(api: Api) -> None:
    answer = api.get("/v1/customers", key="sk_test_" + "a" * 20 + "WXYZ")
    assert answer.status == 401
    assert answer.error == {
        "message": "Invalid API Key provided: sk_test_" + "*" * 20 + "WXYZ",
        "type": "invalid_request_error",
    }
    assert "request-id" not in answer.headers
    assert answer.headers["www-authenticate"] == 'Bearer realm="Stripe"'


def test_the_other_mode_s_object_is_named_as_similar_but_never_shown(api: Api) -> None:
    made = api.ok("POST", "/v1/customers")
    answer = api.get(f"/v1/customers/{made['id']}", key=api.live_sk)
    assert answer.status == 404
    assert answer.error["message"] == (
        f"No such customer: '{made['id']}'; a similar object exists in test mode,"
        f" but a live mode key was used to make this request."
    )


def test_another_account_s_object_does_not_exist(api: Api) -> None:
    made = api.ok("POST", "/v1/customers")
    answer = api.another().get(f"/v1/customers/{made['id']}")
    assert answer.error["message"] == f"No such customer: '{made['id']}'"


def test_the_same_idempotency_key_gives_the_first_answer_again(api: Api) -> None:
    first = api.post("/v1/customers", headers={"Idempotency-Key": "k1"}, email="a@example.com")
    again = api.post("/v1/customers", headers={"Idempotency-Key": "k1"}, email="a@example.com")
    assert again == first
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["original-request"] == first.headers["request-id"] != again.headers["request-id"]
    assert len(api.get("/v1/customers")["data"]) == 1


VISITORS = 10 * MAX_QUEUED


def serving(api: Api, endpoint: Endpoint) -> Service:
    """A service of one endpoint, on the storage of the others."""
    thing = Resource("thing", Permission("thing", "Things", "Core"), (endpoint,), stored=False)
    setup = Setup(Tables(Catalogue((thing,))), api.core.setup.ids, api.core.setup.emit, api.core.setup.services)
    policy = Policy(connected=lambda *_: False)
    return Service(setup, api.world.server.edge, api.core.verifier, policy, lambda: api.now)


def test_a_body_that_takes_long_is_drawn_in_a_thread_after_the_transaction(api: Api) -> None:
    def show(call: Call, params: Params) -> Reply:
        def draw() -> bytes:
            assert not hasattr(call, "objects"), "nothing can be read any more"
            return threading.current_thread().name.encode()

        return Reply(b"", "text/plain", drawn=draw)

    service = serving(api, Endpoint("GET", "/v1/drawn", show, params=P.object()))
    request = Request("GET", "/v1/drawn", b"", {"authorization": f"Bearer {api.sk}"}, b"", "127.0.0.1")
    response = api.world.runner.run(service.answer(request))
    assert (response.status, response.length) == (200, len(response.body))
    assert response.body.startswith(b"tollkey-")


def test_visitors_of_a_page_hold_up_nobody_else(api: Api) -> None:
    """Whoever has the address of a page that takes long may ask for it as often as they like."""
    shown = []

    def show(call: Call, params: Params) -> Reply:
        until = time.thread_time() + COSTLY_SECONDS * 3
        while time.thread_time() < until:
            pass
        shown.append(call.path["id"])
        return Reply(b"shown", "text/html")

    pages = serving(api, Endpoint("GET", "/thing/{token}", show, params=P.object(), public=True))
    scope, core = Scope(api.account, False), api.core
    url = core.database.write(lambda tx: hosted_url(core.call(tx, scope, api.now), "thing", "thing_1"))
    page = Request("GET", "/thing/" + url.rpartition("/")[2], b"", {}, b"", "127.0.0.1")
    ordinary = Request("POST", "/v1/customers", b"", {"authorization": f"Bearer {api.sk}"}, b"", "127.0.0.1")

    async def run() -> int:
        await pages.answer(page)
        await pages.answer(page)  # what it takes is known by now
        visitors = [asyncio.ensure_future(pages.answer(page)) for _ in range(VISITORS)]
        await asyncio.sleep(0)
        assert (await api.world.server.service.answer(ordinary)).status == 200
        before = len(shown)
        assert {one.status for one in await asyncio.gather(*visitors)} == {200}
        return before

    assert api.world.runner.run(run()) < VISITORS / 2
    assert len(shown) == VISITORS + 2
