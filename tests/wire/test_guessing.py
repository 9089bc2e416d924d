"""Guessing is slowed: wrong keys, client secrets, page addresses and codes from one address."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.api import Answer, Api
from tollkey.platform.cli_socket import CliSocket
from tollkey.settings import Settings
from tollkey.wire import Brake, _brake

MOST = 5


@pytest.fixture
def braked(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """A server with a brake at five wrong attempts a minute, whose answers wait no time."""
    monkeypatch.setattr(_brake, "PAUSE", 0)
    policy = api.world.server.service.policy
    policy.brake = Brake(MOST)
    yield api
    policy.brake = None


def wrong_key(api: Api, ip: str) -> Answer:
    return api.send("GET", "/v1/customers", key="sk_test_" + "x" * 24, ip=ip)


def wrong_ephemeral(api: Api, ip: str) -> Answer:
    return api.send("GET", "/v1/customers/cus_1", key="ek_test_" + "x" * 24, ip=ip)


def wrong_secret(api: Api, ip: str) -> Answer:
    intent = api.ok("POST", "/v1/payment_intents", amount=2000, currency="usd")
    return api.send(
        "GET", f"/v1/payment_intents/{intent['id']}", key=api.pk, query=f"client_secret={intent['id']}_secret_x", ip=ip
    )


def wrong_source(api: Api, ip: str) -> Answer:
    source = api.ok(
        "POST", "/v1/sources", type="ideal", amount=1099, currency="eur", redirect={"return_url": "https://example.com"}
    )
    return api.send("GET", f"/v1/sources/{source['id']}", key=api.pk, query="client_secret=src_client_secret_x", ip=ip)


def wrong_page(api: Api, ip: str) -> Answer:
    return api.send("GET", "/pay/" + "x" * 48, key=None, ip=ip)


def wrong_code(api: Api, ip: str) -> Answer:
    items = [{"price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Tea"}}, "quantity": 1}]
    session = api.ok(
        "POST",
        "/v1/checkout/sessions",
        mode="payment",
        line_items=items,
        allow_promotion_codes=True,
        success_url="https://example.com",
    )
    path = "/" + session["url"].split("/", 3)[3].partition("#")[0]
    return api.send("POST", path + "/promotion", key=None, body=b"promotion_code=GUESS", ip=ip)


WRONG = {
    "key": (wrong_key, 401),
    "ephemeral key": (wrong_ephemeral, 401),
    "client secret": (wrong_secret, 400),
    "source": (wrong_source, 400),
    "page": (wrong_page, 404),
    "promotion code": (wrong_code, 402),
}


@pytest.mark.parametrize("kind", WRONG)
def test_after_so_many_wrong_ones_the_answer_says_no_more_what_was_wrong(braked: Api, kind: str) -> None:
    ask, status = WRONG[kind]
    ip = "192.0.2.1"
    told = [ask(braked, ip).status for _ in range(MOST + 2)]
    assert told == [status] * MOST + [429, 429]
    assert ask(braked, "192.0.2.2").status == status  # others are not meant
    late = ask(braked, ip)
    assert late.headers["retry-after" if "json" in late.headers["content-type"] else "content-type"]
    braked.world.clock[0] += 60
    assert ask(braked, ip).status == status


def test_right_keys_and_secrets_are_taken_from_an_address_that_has_guessed(braked: Api) -> None:
    ip = "192.0.2.1"
    intent = braked.ok("POST", "/v1/payment_intents", amount=2000, currency="usd")
    for _ in range(MOST + 3):
        wrong_key(braked, ip)
    assert wrong_key(braked, ip).status == 429
    assert braked.send("GET", "/v1/customers", ip=ip).status == 200
    query = f"client_secret={intent['client_secret']}"
    assert braked.send("GET", f"/v1/payment_intents/{intent['id']}", key=braked.pk, query=query, ip=ip).status == 200
    assert braked.send("GET", "/v1/customers/cus_none", ip=ip).status == 404
    assert braked.send("POST", "/v1/customers", body=b"x=1", ip=ip).status == 400


def test_the_brake_is_on_unless_it_is_taken_off() -> None:
    assert Settings().guess_limit == 60


def test_an_ipv6_caller_has_64_bits_of_address_to_itself() -> None:
    brake = Brake(2)
    told = [
        brake.wrong(ip, 0)
        for ip in ("2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1", "::ffff:192.0.2.1", None)
    ]
    assert told == [False, False, True, False, False, False]


def test_what_the_brake_remembers_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_brake, "_MOST_KNOWN", 3)
    brake = Brake(1)
    for number in range(10):
        brake.wrong(f"192.0.2.{number}", number)
    assert len(brake._levels) == 3
    assert brake.wrong("192.0.2.9", 9)


def test_only_so_many_answers_wait_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_brake, "_MOST_WAITING", 2)
    monkeypatch.setattr(_brake, "PAUSE", 3_600)

    async def run() -> None:
        brake = Brake(1)
        waiting = [asyncio.create_task(brake.hold()) for _ in range(2)]
        await asyncio.sleep(0)
        await brake.hold()  # goes out at once
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(run())


def test_sessions_of_the_command_line_are_not_guessed_without_end(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_brake, "PAUSE", 0)
    server, brake = api.world.server, Brake(MOST)
    socket = CliSocket(server.edge, api.core.setup.tables, api.core.authority, api.core.now, brake=brake)
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message.get("status"))

    scope = {
        "type": "websocket",
        "scheme": "ws",
        "client": ("192.0.2.7", 1),
        "headers": [(b"websocket-id", b"guessed")],
    }
    for _ in range(MOST):
        api.world.runner.run(socket(scope, receive, send))
    assert sent.count(401) == MOST
    assert brake.wrong("192.0.2.7", api.now)
