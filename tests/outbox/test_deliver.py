"""Deliveries to a real HTTP server on this machine, on both databases, by a clock set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace

import pytest

from tests.outbox.conftest import BODY, LIVE, NOW, SECRET, TEST, Receiver, World
from tollkey.db import Tx
from tollkey.outbox import Deliverer, Destination, Limits, attempts, deliveries, enqueue, pending
from tollkey.outbox.deliver import LIVE_RETRIES, TEST_RETRIES, AttemptResult, retry_delay
from tollkey.outbox.signature import ValidSignature, verify

NEW_SECRET = "whsec_" + "n" * 32


def test_an_event_goes_to_each_endpoint_that_wants_it(world: World) -> None:
    some = Destination("we_some", "http://x", (SECRET,), ("charge.failed", "charge.succeeded"))
    other = Destination("we_other", "http://x", (SECRET,), ("charge.failed",))
    assert len(world.send(world.add("http://x"), some, other)) == 2
    found = world.database.read(lambda tx: deliveries(tx, TEST, event_id="evt_1"))
    assert [(d.endpoint_id, d.state, d.attempts, d.next_attempt_at) for d in found] == [
        ("we_some", "pending", 0, NOW),
        ("we_1", "pending", 0, NOW),
    ]
    assert world.database.read(lambda tx: pending(tx, TEST, "evt_1")) == 2


def test_a_delivery_is_posted_signed_and_logged(world: World, receiver: Receiver) -> None:
    (id,) = world.send(world.add(receiver.url))
    assert world.deliver() == 1
    ((headers, body),) = receiver.got
    assert body == BODY
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["User-Agent"] == "Tollkey/1.0"
    assert verify(body, headers["Stripe-Signature"], SECRET, NOW) == ValidSignature(NOW)
    (logged,) = world.database.read(lambda tx: attempts(tx, TEST, id))
    assert (logged.attempt, logged.at, logged.succeeded, logged.status, logged.response, logged.error) == (
        1,
        NOW,
        True,
        200,
        "thanks",
        None,
    )
    assert logged.duration_ms >= 0
    assert world.database.read(lambda tx: pending(tx, TEST, "evt_1")) == 0
    assert [(o.state, o.attempt, o.status) for o in world.outcomes] == [("delivered", 1, 200)]
    assert world.deliver() == 0


@pytest.mark.parametrize("status", [201, 204, 299])
def test_any_2xx_is_success(world: World, receiver: Receiver, status: int) -> None:
    receiver.status, receiver.answer = status, b""
    world.send(world.add(receiver.url))
    world.deliver()
    assert world.outcomes[0].state == "delivered"


@pytest.mark.parametrize("status", [400, 404, 410, 500, 503])
def test_anything_else_is_tried_again_later(world: World, receiver: Receiver, status: int) -> None:
    receiver.status = status
    world.send(world.add(receiver.url))
    world.deliver()
    assert (world.outcomes[0].state, world.outcomes[0].next_attempt_at) == ("pending", NOW + TEST_RETRIES[0])


def test_a_redirect_is_not_followed_and_is_a_failure(world: World, receiver: Receiver) -> None:
    receiver.status, receiver.location = 302, receiver.url + "/elsewhere"
    world.send(world.add(receiver.url))
    world.deliver()
    assert len(receiver.got) == 1
    assert (world.outcomes[0].state, world.outcomes[0].status) == ("pending", 302)


def test_a_retry_comes_not_a_second_early_and_survives_a_restart(world: World, receiver: Receiver) -> None:
    receiver.status = 500
    world.send(world.add(receiver.url))
    world.deliver()
    receiver.status = 200
    world.now = NOW + TEST_RETRIES[0] - 1
    assert world.deliver() == 0
    world.now += 1
    assert world.deliver() == 1  # by a deliverer that knows only what the database knows
    assert world.outcomes[-1].state == "delivered"
    assert world.outcomes[-1].attempt == 2
    old, new = (verify(body, headers["Stripe-Signature"], SECRET, world.now) for headers, body in receiver.got)
    assert (old, new) == (ValidSignature(NOW), ValidSignature(world.now))  # each attempt is signed anew


def test_after_the_last_retry_a_delivery_has_failed(world: World, receiver: Receiver) -> None:
    receiver.status = 500
    (id,) = world.send(world.add(receiver.url))
    for delay in (*TEST_RETRIES, 0):
        world.deliver()
        world.now += delay
    assert [o.state for o in world.outcomes] == ["pending", "pending", "pending", "failed"]
    world.now += 10 * 86_400
    assert world.deliver() == 0
    assert [a.status for a in world.database.read(lambda tx: attempts(tx, TEST, id))] == [500] * 4


def test_live_mode_tries_for_up_to_three_days_with_growing_pauses() -> None:
    assert 2 * 86_400 < sum(LIVE_RETRIES) <= 3 * 86_400
    assert list(LIVE_RETRIES) == sorted(LIVE_RETRIES)
    assert [retry_delay(n, True) for n in (1, len(LIVE_RETRIES), len(LIVE_RETRIES) + 1)] == [
        LIVE_RETRIES[0],
        LIVE_RETRIES[-1],
        None,
    ]
    assert sum(TEST_RETRIES) < 6 * 3600


def test_a_live_event_follows_the_live_schedule(world: World, receiver: Receiver) -> None:
    receiver.status = 500
    world.send(world.add(receiver.url), scope=LIVE)
    for _ in range(5):
        world.deliver()
        world.now += 86_400
    assert [o.state for o in world.outcomes] == ["pending"] * 5


def test_nobody_listening_is_a_failure_without_a_status(world: World, receiver: Receiver) -> None:
    (id,) = world.send(world.add("http://127.0.0.1:1/hook"))
    world.deliver()
    (logged,) = world.database.read(lambda tx: attempts(tx, TEST, id))
    assert (logged.status, logged.succeeded, logged.response) == (None, False, "")
    assert logged.error is not None
    assert logged.error.startswith("ConnectionRefusedError")


@pytest.mark.parametrize(
    "url", ["nonsense", "http://", "ftp://127.0.0.1/x", "http://[bad", "http://\u2028.\u00e4..", "http://" + "a" * 300]
)
def test_an_address_that_is_none_is_a_failure_like_any_other(world: World, url: str) -> None:
    world.send(world.add(url))
    world.deliver()
    assert (world.outcomes[0].state, world.outcomes[0].status) == ("pending", None)


def test_a_receiver_that_does_not_answer_in_time_has_timed_out(world: World) -> None:
    async def work(deliverer: Deliverer) -> int:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            world.send(world.add(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"))
            return await deliverer.run_once()

    assert world.run(work, Limits(timeout_seconds=0.05)) == 1
    assert (world.outcomes[0].status, world.outcomes[0].error, world.outcomes[0].state) == (
        None,
        "timed out",
        "pending",
    )


def test_of_a_long_answer_only_the_beginning_is_kept(world: World, receiver: Receiver) -> None:
    receiver.answer = b"\x00\xff" + b"x" * 1_000_000
    (id,) = world.send(world.add(receiver.url))
    world.deliver()
    (logged,) = world.database.read(lambda tx: attempts(tx, TEST, id))
    assert len(logged.response) == 4096
    assert "\0" not in logged.response


def test_the_endpoint_counts_as_it_stands_when_it_is_sent_to(world: World, receiver: Receiver) -> None:
    world.send(world.add(receiver.url))
    world.endpoints["we_1"] = Destination("we_1", receiver.url, ("whsec_new", SECRET))
    world.deliver()
    headers, body = receiver.got[0]
    assert verify(body, headers["Stripe-Signature"], "whsec_new", NOW) == ValidSignature(NOW)


def test_a_deleted_endpoint_gets_nothing_more(world: World, receiver: Receiver) -> None:
    world.send(world.add(receiver.url))
    del world.endpoints["we_1"]
    world.deliver()
    assert receiver.got == []
    assert world.database.read(lambda tx: deliveries(tx, TEST))[0].state == "abandoned"
    assert world.database.read(lambda tx: pending(tx, TEST, "evt_1")) == 0


def test_what_the_server_does_on_an_attempt_and_the_attempt_itself_stand_or_fall_together(
    world: World, receiver: Receiver
) -> None:
    (id,) = world.send(world.add(receiver.url))

    def refuse(tx: Tx, outcome: AttemptResult) -> None:
        raise RuntimeError("no")

    def work(deliverer: Deliverer) -> Awaitable[int]:
        deliverer._on_attempt = refuse
        return deliverer.run_once()

    world.run(work)
    assert world.database.read(lambda tx: attempts(tx, TEST, id)) == []
    world.now += 61  # the lease has run out
    assert world.deliver() == 1
    assert world.outcomes[0].state == "delivered"


def test_an_endpoint_without_a_secret_is_a_failed_attempt_not_a_silent_one(world: World, receiver: Receiver) -> None:
    world.send(world.add(receiver.url))
    world.endpoints["we_1"] = Destination("we_1", receiver.url, ())
    world.deliver()
    assert receiver.got == []
    assert world.outcomes[0].error == "ValueError: cannot sign for a webhook endpoint without a signing secret"


# -- the loop


def test_the_loop_delivers_when_it_is_woken_and_stops_when_told(world: World, receiver: Receiver) -> None:
    endpoint = world.add(receiver.url)

    async def work(deliverer: Deliverer) -> None:
        stop, arrived = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def note(tx: Tx, outcome: AttemptResult) -> None:
            world.outcomes.append(outcome)
            loop.call_soon_threadsafe(arrived.set)

        deliverer._on_attempt = note
        running = asyncio.create_task(deliverer.run(stop))
        for number in range(3):
            arrived.clear()
            await deliverer._edge.write(
                lambda tx, n=number: enqueue(
                    tx, TEST, f"evt_{n}", "charge.succeeded", BODY, [endpoint], NOW, deliverer.wake
                )  # type: ignore[misc]
            )
            await asyncio.wait_for(arrived.wait(), 10)
        stop.set()
        await asyncio.wait_for(running, 10)

    world.run(work, Limits(poll_seconds=600.0))  # so long that only being woken explains a delivery
    assert [outcome.event_id for outcome in world.outcomes] == ["evt_0", "evt_1", "evt_2"]


def test_an_attempt_that_lasts_is_given_up_when_the_loop_stops_and_made_again_later(world: World) -> None:
    """A server may run for ten seconds after SIGTERM, an attempt for twenty."""

    async def work(deliverer: Deliverer) -> None:
        stop, asked = asyncio.Event(), asyncio.Event()

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.set()
            await reader.read()
            writer.close()

        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            endpoint = world.add(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
            world.send(endpoint)
            running = asyncio.create_task(deliverer.run(stop))
            await asyncio.wait_for(asked.wait(), 10)
            stop.set()
            await asyncio.wait_for(running, 5)

    world.run(work, Limits(stop_seconds=0.01))
    (left,) = world.database.read(lambda tx: deliveries(tx, TEST))
    assert (left.state, left.attempts, world.outcomes) == ("pending", 0, [])
    world.now += 61  # the lease has run out
    assert world.deliver() == 1


@pytest.mark.parametrize(("held_up", "sent"), [(40, 1), (41, 0), (600, 0)])
def test_what_a_process_has_claimed_and_not_sent_when_it_is_held_up_is_left_to_others(
    world: World, receiver: Receiver, held_up: int, sent: int
) -> None:
    """A process that was stopped, or whose machine slept, may wake when another has sent its deliveries."""
    world.send(world.add(receiver.url))
    clock = iter([NOW, *[NOW + held_up] * 9])

    async def stopped_after_the_claim(deliverer: Deliverer) -> None:
        deliverer._clock = lambda: next(clock)
        await deliverer.run_once()

    world.run(stopped_after_the_claim)
    assert len(receiver.got) == sent
    world.now += held_up + 60
    world.deliver()
    assert len(receiver.got) == 1


@pytest.mark.parametrize("now", ["with another secret", "elsewhere", "nowhere"])
def test_a_process_that_is_held_up_after_its_claim_sends_to_the_endpoint_as_it_is_by_then(
    world: World, receiver: Receiver, now: str
) -> None:
    """A secret that was rolled, an address that was changed, or an endpoint that was deleted has ended meanwhile."""
    before = world.add(receiver.url if now == "with another secret" else "http://127.0.0.1:9/old")
    world.send(before)
    after = {
        "with another secret": replace(before, secrets=(NEW_SECRET,)),
        "elsewhere": replace(before, url=receiver.url),
    }.get(now)

    claimed = [NOW]

    def clock() -> int:
        if claimed:  # read for the claim; what is read later is after the pause
            return claimed.pop()
        world.now, world.endpoints = NOW + 10, {} if after is None else {after.id: after}
        return world.now

    async def stopped_after_the_claim(deliverer: Deliverer) -> None:
        deliverer._clock = clock
        await deliverer.run_once()

    world.run(stopped_after_the_claim)
    (delivery,) = world.database.read(lambda tx: deliveries(tx, TEST))
    if after is None:
        assert (delivery.state, delivery.attempts, receiver.got) == ("abandoned", 0, [])
        return
    assert (delivery.state, delivery.attempts) == ("delivered", 1)
    ((headers, body),) = receiver.got
    assert verify(body, headers["Stripe-Signature"], after.secrets[0], world.now) == ValidSignature(world.now)


def test_waking_a_deliverer_that_does_not_run_is_harmless(world: World) -> None:
    world.run(lambda deliverer: asyncio.to_thread(deliverer.wake))


def test_a_secret_is_not_shown_by_repr() -> None:
    assert SECRET not in repr(Destination("we_1", "http://x", (SECRET,)))


def test_an_endpoint_that_cannot_be_read_is_a_failed_attempt_and_not_tried_for_ever(world: World) -> None:
    async def unreadable(deliverer: Deliverer) -> int:
        return await deliverer.run_once()

    class Broken(dict[str, Destination]):
        def get(self, id: str, default: object = None) -> Destination:  # type: ignore[override]
            raise ValueError("sealed under a key that is gone")

    (id,) = world.send(world.add("http://127.0.0.1:9/hook"))
    world.endpoints = Broken(world.endpoints)
    assert world.run(unreadable) == 1
    (delivery,) = world.database.read(lambda tx: deliveries(tx, TEST))
    assert (delivery.id, delivery.state, delivery.attempts, delivery.next_attempt_at) == (id, "pending", 1, NOW + 300)
    (attempt,) = world.database.read(lambda tx: attempts(tx, TEST, id))
    assert attempt.error == "the endpoint could not be read: ValueError"
