"""Documents are drawn in a thread, one at a time: nobody's hold up others, and nobody whose right ended gets one."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.support.api import Api
from tollkey.db import Scope
from tollkey.db.read_limits import MAX_QUEUED
from tollkey.wire.admission import AGE_SECONDS, Admission
from tollkey.wire.drawing import Drawing
from tollkey.wire.errors import ApiError
from tollkey.wire.messages import Request, Response

ONE, OTHER = Scope("acct_1", False), Scope("acct_2", False)


def test_an_account_s_documents_wait_for_one_another_and_no_other_account_s_for_them() -> None:
    drawn: list[str] = []

    def draw(name: str) -> bytes:
        drawn.append(name)
        return name.encode()

    async def run() -> None:
        drawing = Drawing(Admission(1000, 30))

        async def ask(scope: Scope, name: str) -> None:
            response = Response(200, b"", drawn=lambda: draw(name))
            assert (await drawing.finish(response, scope)).body == name.encode()

        many = [asyncio.ensure_future(ask(ONE, "many")) for _ in range(MAX_QUEUED)]
        await asyncio.sleep(0)
        await ask(OTHER, "another")
        await asyncio.gather(*many)

    asyncio.run(run())
    assert (len(drawn), drawn.index("another") < 3) == (MAX_QUEUED + 1, True)


def test_an_account_that_has_too_many_waiting_is_told_so_and_the_others_are_served() -> None:
    going = threading.Event()

    async def run() -> None:
        drawing = Drawing(Admission(1000, 30))
        held = Response(200, b"", drawn=lambda: b"late" if going.wait(20) else b"")
        waiting = [asyncio.ensure_future(drawing.finish(held, ONE))]
        more = [Response(200, b"", drawn=lambda: b"more") for _ in range(MAX_QUEUED - 1)]
        waiting += [asyncio.ensure_future(drawing.finish(one, ONE)) for one in more]
        await asyncio.sleep(0)
        with pytest.raises(ApiError) as refused:
            await drawing.finish(Response(200, b"", drawn=lambda: b"one more"), ONE)
        assert (refused.value.status, refused.value.code) == (429, "rate_limit")
        other = asyncio.ensure_future(drawing.finish(Response(200, b"", drawn=lambda: b"other"), OTHER))
        going.set()
        assert (await other).body == b"other"
        assert [one.body for one in await asyncio.gather(*waiting)] == [b"late", *[b"more"] * (MAX_QUEUED - 1)]

    asyncio.run(run())


def test_what_is_drawn_already_is_left_as_it_is() -> None:
    response = Response(200, b"done")
    assert asyncio.run(Drawing(Admission(0, 0)).finish(response, ONE)) is response


def held_up(api: Api, path: str, key: str, meanwhile: str) -> int:
    """The status of an answer whose document waits for another one, while something is posted with the secret key."""
    service, going = api.world.server.service, threading.Event()

    def request(method: str, path: str, key: str) -> Request:
        return Request(method, path, b"", {"authorization": f"Bearer {key}"}, b"", "127.0.0.1")

    async def run() -> int:
        other = Response(200, b"", drawn=lambda: b"late" if going.wait(20) else b"")
        before = asyncio.ensure_future(service.drawing.finish(other, OTHER))
        asked = asyncio.ensure_future(service.answer(request("GET", path, key)))
        await asyncio.sleep(AGE_SECONDS * 2)
        assert not asked.done()
        assert (await service.answer(request("POST", meanwhile, api.sk))).status == 200
        going.set()
        await before
        return (await asked).status

    return api.world.runner.run(run())


def quote(api: Api) -> str:
    price = api.ok("POST", "/v1/prices", currency="usd", unit_amount=500, product_data={"name": "Socks"})["id"]
    customer = api.ok("POST", "/v1/customers")["id"]
    made = api.ok("POST", "/v1/quotes", customer=customer, line_items=[{"price": price, "quantity": 1}])
    return str(api.ok("POST", f"/v1/quotes/{made['id']}/finalize")["id"])


def test_a_key_that_ends_while_its_document_waits_gets_none(api: Api) -> None:
    path = f"/v1/quotes/{quote(api)}/pdf"
    key = api.ok("POST", "/v1/api_keys", type="restricted", permissions=["quote_read"])
    assert api.send("GET", path, key=key["secret"]).body.startswith(b"%PDF")
    assert held_up(api, path, key["secret"], f"/v1/api_keys/{key['id']}/revoke") == 401
