"""How much of a body is read: nothing before the key is known, and never more than the endpoint says."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.api import Api, last_version_of
from tollkey.wire import Endpoint
from tollkey.wire.messages import Incoming, Request
from tollkey.wire.resource import LARGEST_FORM

PIECE = b"a" * 65_536


class Sender:
    """An ASGI ``receive`` that has a long body, and counts what is taken of it."""

    def __init__(self, size: int, start: bytes = b"") -> None:
        self.left, self.taken, self.start = size, 0, start

    async def __call__(self) -> dict[str, Any]:
        piece, self.start = self.start or PIECE[: self.left], b""
        self.left -= len(piece)
        self.taken += len(piece)
        return {"type": "http.request", "body": piece, "more_body": self.left > 0}


def ask(api: Api, method: str, path: str, sender: Sender, *, declared: bool = True, **headers: str) -> int:
    """The status of the answer to a request with that body."""
    sent = {"content-type": "application/x-www-form-urlencoded", **headers}
    sent |= {"content-length": str(sender.left)} if declared else {"transfer-encoding": "chunked"}
    request = Request(method, path, b"", sent, incoming=Incoming(sender, sent), ip="127.0.0.1")
    return api.world.runner.run(api.world.server.service.answer(request)).status


def endpoints(api: Api) -> list[Endpoint]:
    return [endpoint for resource in api.core.catalogue.resources for endpoint in resource.endpoints]


def filled(path: str) -> str:
    return "/".join("x" if part.startswith("{") else part for part in path.split("/"))


def test_every_endpoint_says_how_long_a_body_may_be(api: Api) -> None:
    for endpoint in endpoints(api):
        most = endpoint.most_body
        assert 0 < most <= LARGEST_FORM or endpoint.decode is not None, endpoint.path
        assert not (endpoint.public or endpoint.method == "GET") or most <= 64 * 1024, endpoint.path


@pytest.mark.parametrize("declared", [True, False])
def test_of_a_stranger_s_body_no_endpoint_reads_more_than_the_place_for_a_browser_s_key(
    api: Api, declared: bool
) -> None:
    for endpoint in endpoints(api):
        sender = Sender(20_000_000)
        status = ask(api, endpoint.method, filled(endpoint.path), sender, declared=declared)
        assert status in (401, 404), endpoint.path
        assert sender.taken <= (len(PIECE) if endpoint.publishable else 0), endpoint.path


def test_a_wrong_key_has_nothing_read_at_all(api: Api) -> None:
    for path in ("/v1/customers", "/v1/tokens", "/v1/files"):
        sender = Sender(20_000_000)
        assert ask(api, "POST", path, sender, authorization="Bearer sk_test_" + "1" * 24) == 401
        assert sender.taken == 0


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_longer_than_its_endpoint_takes_is_refused_before_it_is_there(api: Api, declared: bool) -> None:
    token = api.ok("POST", "/v2/billing/meter_event_session")["authentication_token"]
    for endpoint in endpoints(api):
        if endpoint.method == "GET" or endpoint.public:
            continue
        sender, key = Sender(40_000_000), f"Bearer {token if endpoint.session else api.sk}"
        headers = {"authorization": key, "stripe-version": last_version_of(endpoint)}
        status = ask(api, endpoint.method, filled(endpoint.path), sender, declared=declared, **headers)
        assert status == 413, endpoint.path
        assert sender.taken <= (0 if declared else endpoint.most_body + len(PIECE)), endpoint.path


def test_a_body_that_stops_is_a_400(api: Api) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    sent = {"content-length": "10", "authorization": f"Bearer {api.sk}"}
    request = Request("POST", "/v1/customers", b"", sent, incoming=Incoming(receive, sent), ip="127.0.0.1")
    assert api.world.runner.run(api.world.server.service.answer(request)).status == 400


def test_a_browser_s_key_is_found_wherever_it_stands_in_a_short_form(api: Api) -> None:
    card = "card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2034"
    for form in (f"key={api.pk}&{card}", f"{card}&key={api.pk}", f"key=pk_test_x&{card}&key={api.pk}"):
        sender = Sender(len(form), form.encode())
        assert ask(api, "POST", "/v1/tokens", sender) == 200, form
    assert ask(api, "POST", "/v1/tokens", Sender(9, b"x&key=pk_")) == 401


def test_a_form_is_decoded_in_a_few_steps_however_many_escapes_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not timed: what Python itself executes for a value does not grow with its length."""
    import sys

    from tollkey.wire._form import decode_form

    def steps(body: bytes) -> int:
        count = 0

        def trace(frame: Any, event: str, arg: Any) -> Any:
            nonlocal count
            frame.f_trace_opcodes = True
            count += 1
            return trace

        sys.settrace(trace)
        try:
            decode_form(body)
        finally:
            sys.settrace(None)
        return count

    decode_form(b"a=%41")
    assert steps(b"a=" + b"%41" * 10) == steps(b"a=" + b"%41" * 100_000)
    assert decode_form(b"a=" + b"%41" * 100_000) == {"a": "A" * 100_000}


@pytest.mark.parametrize("depth", [17, 1_000, 5_000])
def test_json_that_is_nested_too_deep_is_a_400_in_the_wire_s_form(api: Api, depth: int) -> None:
    body = b'{"metadata":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"
    for endpoint in endpoints(api):
        if endpoint.method == "GET" or endpoint.public or endpoint.session or endpoint.decode is not None:
            continue
        answer = api.for_endpoint(endpoint).send(
            endpoint.method, filled(endpoint.path), headers={"content-type": "application/json"}, body=body
        )
        assert (answer.status, answer.error["type"]) == (400, "invalid_request_error"), endpoint.path


def test_a_query_takes_a_thousand_parameters(api: Api) -> None:
    for count, message in ((1_000, "Received unknown parameters: a0, a1, "), (1_001, "more than 1000 parameters")):
        query = "&".join(f"a{n}=1" for n in range(count))
        refused = api.send("GET", "/v1/customers", query=query)
        assert refused.status == 400
        assert message in refused.error["message"]
        assert len(refused.error["message"]) < 500


def test_an_error_lists_fifty_unknown_parameters(api: Api) -> None:
    for count, end in ((50, "a48, a49"), (51, "a48, a49 and 1 more"), (5_000, "a48, a49 and 4950 more")):
        refused = api.post("/v1/customers", **{f"a{n}": "1" for n in range(count)})
        assert refused.error["message"].endswith(end)
        assert refused.error["param"] == "a0"
    refused = api.post("/v1/customers", address={f"a{n}": "1" for n in range(60)})
    assert refused.error["message"].endswith("address[a49] and 10 more")


def test_json_of_too_many_values_is_a_400(api: Api) -> None:
    body = b'{"events":[' + b",".join([b"[]"] * 10_000) + b"]}"
    answer = api.send("POST", "/v2/billing/meter_events", headers={"content-type": "application/json"}, body=body)
    assert (answer.status, "more than" in answer.error["message"]) == (400, True)


def test_an_answer_expands_each_property_once_and_a_hundred_at_most(api: Api) -> None:
    charge = api.ok("POST", "/v1/charges", amount=2000, currency="usd", source="tok_visa")["id"]
    again = "&".join(["expand[]=balance_transaction"] * 600)
    assert (
        api.send("GET", f"/v1/charges/{charge}", query=again)["balance_transaction"]["object"] == "balance_transaction"
    )
    refused = api.send("GET", f"/v1/charges/{charge}", query="&".join(f"expand[]=a{n}" for n in range(101)))
    assert (refused.status, refused.error["param"]) == (400, "expand")


def test_an_unread_body_is_no_reason_to_wait() -> None:
    async def never() -> dict[str, Any]:
        raise AssertionError("read")

    async def run() -> None:
        assert Incoming(never, {}).finished
        assert Incoming(never, {"content-length": "0"}).finished
        assert Incoming(never, {"content-length": "100"}).ends_soon
        assert not Incoming(never, {"content-length": "100000"}).ends_soon
        assert not Incoming(never, {"transfer-encoding": "chunked"}).ends_soon

    asyncio.run(run())
