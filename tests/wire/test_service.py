"""The life of a request, seen from outside."""

from __future__ import annotations

import threading

from tests.support.api import Api
from tollkey.keys import Permission
from tollkey.wire import Call, Endpoint, P, Params, Reply, Resource
from tollkey.wire.call import Setup
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


def test_a_body_that_takes_long_is_drawn_in_a_thread_after_the_transaction(api: Api) -> None:
    def show(call: Call, params: Params) -> Reply:
        def draw() -> bytes:
            assert not hasattr(call, "objects"), "nothing can be read any more"
            return threading.current_thread().name.encode()

        return Reply(b"", "text/plain", drawn=draw)

    endpoint = Endpoint("GET", "/v1/drawn", show, params=P.object())
    drawn = Resource("drawn", Permission("drawn", "Drawn things", "Core"), (endpoint,), stored=False)
    setup = Setup(Tables(Catalogue((drawn,))), api.core.setup.ids, api.core.setup.emit, api.core.setup.services)
    edge, verifier = api.world.server.edge, api.core.verifier
    service = Service(setup, edge, verifier, Policy(connected=lambda *_: False), lambda: api.now)
    request = Request("GET", "/v1/drawn", b"", {"authorization": f"Bearer {api.sk}"}, b"", "127.0.0.1")
    response = api.world.runner.run(service.answer(request))
    assert (response.status, response.length) == (200, len(response.body))
    assert response.body.startswith(b"tollkey-")
