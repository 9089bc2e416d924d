"""Guessing is slowed: wrong keys, client secrets, page addresses and codes from one address."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.api import Answer, Api
from tollkey.platform.cli_socket import CliSocket
from tollkey.settings import Settings
from tollkey.wire import guesses
from tollkey.wire.guesses import GuessLimiter

MOST = 5


@pytest.fixture
def limited(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """A server that delays answers after five wrong attempts a minute, by no time."""
    monkeypatch.setattr(guesses, "PAUSE", 0)
    policy = api.world.server.service.policy
    policy.guess_limiter = GuessLimiter(MOST)
    yield api
    policy.guess_limiter = None


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
def test_after_so_many_wrong_ones_the_answer_says_no_more_what_was_wrong(limited: Api, kind: str) -> None:
    ask, status = WRONG[kind]
    ip = "192.0.2.1"
    told = [ask(limited, ip).status for _ in range(MOST + 2)]
    assert told == [status] * MOST + [429, 429]
    assert ask(limited, "192.0.2.2").status == status  # others are not meant
    late = ask(limited, ip)
    assert late.headers["retry-after" if "json" in late.headers["content-type"] else "content-type"]
    limited.world.clock[0] += 60
    assert ask(limited, ip).status == status


def test_right_keys_and_secrets_are_taken_from_an_address_that_has_guessed(limited: Api) -> None:
    ip = "192.0.2.1"
    intent = limited.ok("POST", "/v1/payment_intents", amount=2000, currency="usd")
    for _ in range(MOST + 3):
        wrong_key(limited, ip)
    assert wrong_key(limited, ip).status == 429
    assert limited.send("GET", "/v1/customers", ip=ip).status == 200
    query = f"client_secret={intent['client_secret']}"
    assert limited.send("GET", f"/v1/payment_intents/{intent['id']}", key=limited.pk, query=query, ip=ip).status == 200
    assert limited.send("GET", "/v1/customers/cus_none", ip=ip).status == 404
    assert limited.send("POST", "/v1/customers", body=b"x=1", ip=ip).status == 400


def test_guesses_are_limited_by_default() -> None:
    assert Settings().guess_limit == 60


def test_an_ipv6_caller_has_64_bits_of_address_to_itself() -> None:
    guess_limiter = GuessLimiter(2)
    told = [
        guess_limiter.count(ip, 0)
        for ip in ("2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1", "::ffff:192.0.2.1", None)
    ]
    assert told == [False, False, True, False, False, False]


def test_a_clock_that_is_set_back_slows_nobody_down_for_longer_than_a_minute() -> None:
    guess_limiter = GuessLimiter(2)
    day = 86_400.0
    assert [guess_limiter.count("192.0.2.1", day) for _ in range(3)] == [False, False, True]
    assert guess_limiter.count("192.0.2.1", 0.0)
    assert not guess_limiter.count("192.0.2.1", 61.0)


def test_the_number_of_remembered_addresses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guesses, "_MOST_KNOWN", 3)
    guess_limiter = GuessLimiter(1)
    for number in range(10):
        guess_limiter.count(f"192.0.2.{number}", number)
    assert len(guess_limiter._levels) == 3
    assert guess_limiter.count("192.0.2.9", 9)


def test_only_so_many_answers_wait_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guesses, "_MOST_WAITING", 2)
    monkeypatch.setattr(guesses, "PAUSE", 3_600)

    async def run() -> None:
        guess_limiter = GuessLimiter(1)
        waiting = [asyncio.create_task(guess_limiter.delay()) for _ in range(2)]
        await asyncio.sleep(0)
        await guess_limiter.delay()  # goes out at once
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(run())


def test_sessions_of_the_command_line_are_not_guessed_without_end(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guesses, "PAUSE", 0)
    server, guess_limiter = api.world.server, GuessLimiter(MOST)
    core = api.core
    socket = CliSocket(server.edge, core.setup.tables, core.authority, core.now, core.call, guess_limiter=guess_limiter)
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
    assert guess_limiter.count("192.0.2.7", api.now)
