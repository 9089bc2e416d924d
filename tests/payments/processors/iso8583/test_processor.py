"""The processor at a host that loses, delays, repeats and cuts: nothing is done twice or left half done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from itertools import product
from random import Random

import pytest

from tests.payments.processors.iso8583.conversation import STEPS, Tap, converse, recorded
from tests.payments.processors.iso8583.steps import (
    NOW,
    at_a_host,
    authorize,
    capture,
    configuration,
    refund,
    reverse,
    trace_of,
    void,
)
from tests.support.iso_host import Fault, Host
from tollkey.payments.processors.iso8583.config import read
from tollkey.payments.processors.iso8583.processor import PROVIDER, Iso8583
from tollkey.payments.processors.network import (
    Approved,
    Authorize,
    Declined,
    Inquire,
    NotSent,
    Outcome,
    Payout,
    Processor,
    Unknown,
)

FAULTS: tuple[Fault | None, ...] = (
    None, "lose_request", "lose_answer", "delay", "repeat", "cut_before", "cut_within", "cut_after", "garbage",
    "no_code", "other_amount",
)  # fmt: skip
PAIRS = list(product(FAULTS, FAULTS))


def test_a_message_that_can_never_be_written_holds_up_nothing_that_comes_after_it() -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            broken = replace(refund(authorize()), data={"approval": "\x01"})
            assert await processor.send(broken) == Declined("processing_error")
            assert isinstance(await processor.send(replace(broken, repeats=1)), Unknown)
            assert host.seen == []

    asyncio.run(run())


def test_it_is_a_processor_that_undoes_what_it_cannot_ask_about() -> None:
    async def run() -> None:
        processor = PROVIDER.open(configuration(currencies=["usd"]), lambda: NOW)
        assert isinstance(processor, Processor)
        features = processor.features
        assert (features.inquiry, features.reversal, features.raw_numbers, features.notices) == (
            False,
            True,
            False,
            False,
        )
        assert features.repeatable == {"capture", "void", "refund"}
        assert features.takes("authorize", "usd", "card")
        assert not features.takes("authorize", "eur", "card")
        assert not features.takes("payout", "usd")
        assert (await processor.notices("7")).cursor == "7"
        assert isinstance(await processor.inquire(Inquire(authorize(), 1, NOW)), Unknown)
        await processor.close()

    asyncio.run(run())


def test_an_authorization_is_captured_in_part_and_given_back() -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            original = authorize()
            assert await processor.send(original) == Approved("000001", {"approval": "000001"})
            assert isinstance(await processor.send(capture(original, amount=700)), Approved)
            assert isinstance(await processor.send(refund(original, amount=300)), Approved)
            assert (host.held, host.captured, host.refunded) == (
                {}, {trace_of(original): 700}, {"REFU00000301": 300},
            )  # fmt: skip

    asyncio.run(run())


def test_an_authorization_is_released() -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            original = authorize()
            await processor.send(original)
            assert isinstance(await processor.send(void(original)), Approved)
            assert host.held == {}
            assert isinstance(await processor.send(void(original, 202)), Declined)

    asyncio.run(run())


def test_a_purchase_takes_the_money_at_once() -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            assert isinstance(await processor.send(authorize(capture=True)), Approved)
            assert list(host.captured.values()) == [1000]

    asyncio.run(run())


def test_a_decline_has_its_reason() -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            host.answers = {"000000005100": "51"}
            found = await processor.send(authorize(1, 5100))
            assert found == Declined("insufficient_funds", "try_again_later", "51")

    asyncio.run(run())


def test_what_the_network_has_no_message_for_is_declined() -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            assert isinstance(await processor.send(Payout("P1", 1, NOW, 5, "usd", "po_1", {})), Declined)
            assert isinstance(await processor.send(authorize(1, 10**12)), Declined)
            assert isinstance(await processor.reverse(reverse(authorize(1, 10**12))), Declined)
            assert host.seen == []

    asyncio.run(run())


def test_no_card_data_is_in_what_a_processor_shows() -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            host.faults.extend(["lose_answer", "no_code", "other_amount", "garbage", None])
            found = [await processor.send(authorize(number)) for number in range(1, 6)]
            assert "tok_3Xq9" not in repr((found, processor))
            assert "tok_3Xq9" in host.seen[0]["48"]

    asyncio.run(run())


async def _until_sure(step: Callable[[int], Awaitable[Outcome]], most: int = 9) -> Outcome:
    """Do a step again for as long as its outcome is not known, as recovery does. step: takes how often it was sent."""
    repeats = 0
    while True:
        found = await step(repeats)
        if not isinstance(found, Unknown | NotSent):
            return found
        repeats += isinstance(found, Unknown)
        assert repeats < most


async def _undo(processor: Iso8583, original: Authorize) -> None:
    assert isinstance(await _until_sure(lambda n: processor.reverse(reverse(original, 401, n))), Approved)


def _with_faults(faults: tuple[Fault | None, ...], run: Callable[[Iso8583, Host], Awaitable[None]]) -> None:
    async def main() -> None:
        async with at_a_host(link={"answer_seconds": 0.1}) as (processor, host):
            host.delayed_seconds = 0.15
            host.faults.extend(faults)
            await run(processor, host)
            if "delay" in faults:
                await asyncio.sleep(0.2)  # what is late arrives

    asyncio.run(main())


@pytest.mark.parametrize("faults", PAIRS, ids=lambda faults: "-".join(map(str, faults)))
def test_an_authorization_of_unknown_outcome_is_undone_whatever_went_wrong(faults: tuple[Fault | None, ...]) -> None:
    async def run(processor: Iso8583, host: Host) -> None:
        original = authorize()
        found = await processor.send(original)
        if isinstance(found, Unknown):
            await _undo(processor, original)
            assert (host.held, host.captured) == ({}, {})
            answer = host.answer(host.seen[0] | {"t": "0100"})  # it arrives late, or once more
            assert answer["39"] != "00"
        else:
            assert isinstance(found, Approved)
            assert list(host.held.values()) == [1000]

    _with_faults(faults, run)


@pytest.mark.parametrize("faults", PAIRS, ids=lambda faults: "-".join(map(str, faults)))
def test_a_capture_and_a_refund_are_done_once_whatever_went_wrong(faults: tuple[Fault | None, ...]) -> None:
    async def run(processor: Iso8583, host: Host) -> None:
        original = authorize()
        host.faults.appendleft(None)
        assert isinstance(await _until_sure(lambda n: processor.send(original)), Approved)
        first = await _until_sure(lambda n: processor.send(capture(original, amount=600, repeats=n)))
        second = await _until_sure(lambda n: processor.send(refund(original, amount=200, repeats=n)))
        assert (type(first), type(second)) == (Approved, Approved)
        assert (list(host.captured.values()), list(host.refunded.values())) == ([600], [200])
        assert host.held == {}

    _with_faults(faults, run)


def test_a_host_that_says_what_jpos_said_hears_what_jpos_heard() -> None:
    """The recorded conversation once more: what is sent is the same, byte for byte, and so is what comes of it."""
    frames = recorded()
    answers = {frame["step"]: bytes.fromhex(frame["bytes"]) for frame in frames if frame["way"] == "answered"}
    heard: list[bytes] = []
    steps = iter([frame["step"] for frame in frames if frame["way"] == "sent"])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(EOFError, OSError, StopIteration):
            managed = iter([bytes.fromhex(one["bytes"]) for one in frames if _is_management(one)])
            while True:
                data = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
                heard.append(data)
                step = next(steps)
                answer = next(managed) if data.startswith(b"0800") else answers.get(step)
                if answer is not None:
                    writer.write(len(answer).to_bytes(2, "big") + answer)
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        config = configuration(server.sockets[0].getsockname()[1])
        found = await converse(Iso8583(read(config), lambda: NOW), Tap(0))
        server.close()
        assert [type(one) for one in found] == [kind for _, _, kind in STEPS]

    asyncio.run(run())
    assert heard == [bytes.fromhex(frame["bytes"]) for frame in frames if frame["way"] == "sent"]


def _is_management(frame: dict[str, str]) -> bool:
    return frame["way"] == "answered" and bytes.fromhex(frame["bytes"]).startswith(b"0810")


async def _pay(processor: Iso8583, number: int, outcomes: dict[int, str]) -> None:
    """Authorize and capture, as recovery would have it, and record what this side believes."""
    original = authorize(number, 1000 + number)
    found = await processor.send(original)
    while isinstance(found, NotSent):
        await asyncio.sleep(0.02)
        found = await processor.send(original)
    if isinstance(found, Unknown):
        await _until_sure(lambda n: processor.reverse(reverse(original, 10_000 + number, n)), most=60)
        outcomes[number] = "undone"
        return
    taken = await _until_sure(lambda n: processor.send(capture(original, 20_000 + number, repeats=n)), most=60)
    outcomes[number] = type(taken).__name__


@pytest.mark.parametrize("seed", range(4))
def test_books_agree_after_many_payments_at_once_on_a_link_that_fails_again_and_again(seed: int) -> None:
    async def run() -> None:
        async with at_a_host(link={"answer_seconds": 0.2}) as (processor, host):
            chance = Random(seed)
            host.delayed_seconds = 0.3
            host.faults.extend(chance.choice(FAULTS) if chance.random() < 0.3 else None for _ in range(400))
            outcomes: dict[int, str] = {}
            await asyncio.gather(*(_pay(processor, number, outcomes) for number in range(1, 61)))
            await asyncio.sleep(0.4)  # what is late arrives
            for message in [one for one in host.seen if one["t"] == "0100"]:
                host.answer(message)  # and everything once more
            taken = {
                trace_of(authorize(number)): 1000 + number for number, how in outcomes.items() if how == "Approved"
            }
            assert len(outcomes) == 60
            assert set(outcomes.values()) <= {"Approved", "undone"}
            assert (host.captured, host.held) == (taken, {})

    asyncio.run(run())
