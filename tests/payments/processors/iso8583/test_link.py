"""One connection for all calls: whose answer is whose, and what each failure between two steps means."""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.payments.processors.iso8583.steps import NOW, at_a_host, authorize, configuration
from tests.support.iso_host import Fault, framed, iso_host
from tollkey.cli import certificates
from tollkey.payments.processors.iso8583.config import read
from tollkey.payments.processors.iso8583.link import Timing
from tollkey.payments.processors.iso8583.processor import Iso8583
from tollkey.payments.processors.network import Approved, NotSent, Unknown


def test_many_calls_share_one_connection_and_each_gets_its_own_answer() -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            host.answers = {f"{100 + number:012d}": "51" for number in range(0, 200, 3)}
            found = await asyncio.gather(*(processor.send(authorize(one, 100 + one)) for one in range(1, 200)))
            for number, outcome in enumerate(found, 1):
                assert isinstance(outcome, Approved) is (number % 3 != 0)
            assert (host.connections, len(host.seen)) == (1, 199)
            assert host.managed == ["001"]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("fault", "arrived"),
    [
        ("lose_request", False), ("lose_answer", True), ("cut_before", False), ("cut_within", True),
        ("cut_after", True), ("delay", True), ("garbage", True), ("no_code", True), ("other_amount", True),
    ],
)  # fmt: skip
def test_whatever_happens_after_the_first_byte_is_unknown(fault: Fault, arrived: bool) -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            host.faults.append(fault)
            assert isinstance(await processor.send(authorize()), Unknown)
            assert len(host.held) == arrived
            assert isinstance(await processor.send(authorize(2)), Approved)  # on this connection, or a new one

    asyncio.run(run())


def test_nothing_is_sent_to_a_host_that_is_not_there() -> None:
    async def run() -> None:
        async with iso_host() as gone:
            pass
        processor = Iso8583(read(configuration(gone.port, link={"connect_seconds": 0.2})), lambda: NOW)
        found = await processor.send(authorize())
        assert isinstance(found, NotSent)
        assert "cannot be reached" in found.why
        await processor.close()

    asyncio.run(run())


def test_nothing_is_sent_before_the_host_agrees_to_the_sign_on() -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            host.signs_on = False
            processor.link.timing = replace(processor.link.timing, connect=0.3)
            assert isinstance(await processor.send(authorize()), NotSent)
            assert host.seen == []
            host.signs_on = True
            processor.link.timing = replace(processor.link.timing, connect=5)
            assert isinstance(await processor.send(authorize(2)), Approved)

    asyncio.run(run())


def test_nothing_is_sent_by_a_closed_link() -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            await processor.send(authorize())
            await processor.close()
            assert await processor.send(authorize(2)) == NotSent("the host cannot be reached: the link is closed")
            assert host.managed == ["001", "002"]

    asyncio.run(run())


def test_the_same_message_is_not_under_way_twice() -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            host.faults.append("delay")
            host.delayed_seconds = 0.1
            found = await asyncio.gather(processor.send(authorize()), processor.send(authorize()))
            assert [type(one) for one in found] == [Approved, NotSent]

    asyncio.run(run())


def test_a_late_answer_is_told_from_a_repeated_one_and_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            host.faults.extend(["delay", None, "repeat", None])
            found = [await processor.send(authorize(one)) for one in range(1, 5)]
            await asyncio.sleep(1)
            assert [type(one) for one in found] == [Unknown, Approved, Approved, Approved]
            counts = processor.link.counts
            assert (counts["late"], counts["repeated"], counts["unasked"]) == (1, 1, 0)

    with caplog.at_level(logging.WARNING, "tollkey"):
        asyncio.run(run())
    assert "a late answer of the host was left aside: 0110" in caplog.text


def test_the_answer_to_a_cancelled_call_is_late() -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            await processor.send(authorize())
            host.faults.append("delay")
            host.delayed_seconds = 0.1
            call = asyncio.create_task(processor.send(authorize(2)))
            await asyncio.sleep(0.05)
            call.cancel()
            with suppress(asyncio.CancelledError):
                await call
            await asyncio.sleep(0.2)
            assert processor.link.counts["late"] == 1

    asyncio.run(run())


def test_a_connection_that_ends_is_made_again() -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            for number in range(1, 4):
                assert isinstance(await processor.send(authorize(number)), Approved)
                host.cut()
                await asyncio.sleep(0.1)
            assert isinstance(await processor.send(authorize(9)), Approved)
            assert host.connections == 4
            assert host.managed == ["001"] * 4

    asyncio.run(run())


def test_pauses_grow_while_the_host_is_away() -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            host.signs_on = False
            processor.link.timing = Timing(0.05, 0.05, 60, (0.01, 0.05, 10))
            for number in range(1, 9):
                await processor.send(authorize(number))
            assert 1 <= host.connections <= 3  # at once, after 0.05 s; the next one would come after 10 s

    asyncio.run(run())


def test_an_idle_link_asks_for_an_echo_and_ends_without_one() -> None:
    async def run() -> None:
        async with at_a_host(link={"idle_seconds": 0.05}) as (processor, host):
            await processor.send(authorize())
            await asyncio.sleep(0.2)
            assert host.managed.count("301") >= 2
            host.echoes = False
            await asyncio.sleep(1.5)
            assert host.connections >= 2

    asyncio.run(run())


def test_the_host_s_own_echo_is_answered() -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            await processor.send(authorize())
            await host.ask({"t": "0800", "7": "0101000000", "11": "000077", "70": "301"})
            await host.ask({"t": "0600", "7": "0101000000", "11": "000078"})
            await asyncio.sleep(0.1)
            assert [(one["t"], one["11"], one["39"]) for one in host.answered] == [("0810", "000077", "00")]
            assert processor.link.counts["unasked"] == 1

    asyncio.run(run())


def test_a_host_that_asks_without_reading_is_not_answered_without_end() -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            await processor.send(authorize())
            for writer in host.writers:
                writer.transport.pause_reading()
                for _ in range(300):
                    writer.write(framed({"t": "0800", "7": "0101000000", "11": "000077", "70": "301"}) * 1_000)
                    await writer.drain()
            await asyncio.sleep(0.1)
            kept = processor.link._writer
            assert kept is None or kept.transport.get_write_buffer_size() < 200_000

    asyncio.run(run())


def test_a_host_that_talks_without_end_leaves_time_to_others() -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            await processor.send(authorize())
            turns = 0
            for writer in host.writers:
                writer.write(framed({"t": "0110", "7": "0101000000", "11": "000077"}) * 5_000)
            while processor.link.counts["unasked"] < 5_000:
                await asyncio.sleep(0)
                turns += 1
            assert turns >= 4_000  # between any two of its messages others have had theirs

    asyncio.run(run())


def test_a_bitmap_with_a_field_that_nobody_knows_ends_no_connection() -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            await processor.send(authorize())
            for writer in host.writers:
                writer.write(b"\x00\x14" + b"0110" + b"0100000000000000")
            assert isinstance(await processor.send(authorize(2)), Approved)
            assert (host.connections, processor.link.counts["unreadable"]) == (1, 1)

    asyncio.run(run())


def test_an_empty_frame_says_that_the_host_is_there() -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            await processor.send(authorize())
            for writer in host.writers:
                writer.write(b"\x00\x00\x00\x00")
            assert isinstance(await processor.send(authorize(2)), Approved)

    asyncio.run(run())


def test_a_probe_says_how_long_an_echo_took_or_what_is_wrong() -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            assert (await processor.probe()).startswith(f"signed on to 127.0.0.1:{host.port}, echo after ")
            host.echoes = False
            with pytest.raises(OSError, match="no answer to the echo"):
                await processor.probe()
        processor = Iso8583(read(configuration(host.port, link={"connect_seconds": 0.1})), lambda: NOW)
        with pytest.raises(OSError, match="cannot be reached"):
            await processor.probe()
        await processor.close()

    asyncio.run(run())


def test_messages_of_the_link_have_the_time_of_the_clock_from_the_first_one() -> None:
    async def run() -> None:
        async with at_a_host() as (processor, host):
            await processor.probe()
            assert [(one["70"], one["7"]) for one in host.management] == [("001", "0101000000"), ("301", "0101000000")]

    asyncio.run(run())


@pytest.mark.parametrize("known", [True, False])
def test_a_link_with_tls_goes_to_a_host_whose_authority_is_known_alone(tmp_path: Path, known: bool) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text(certificates.ca_certificate(tmp_path if known else tmp_path / "other"))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificates.server_certificate(tmp_path, ()))

    async def run() -> None:
        async with iso_host(tls) as host:
            link = {"tls": True, "ca_file": str(authority), "connect_seconds": 5 if known else 1}
            processor = Iso8583(read(configuration(host.port, link=link)), lambda: NOW)
            assert isinstance(await processor.send(authorize()), Approved if known else NotSent)
            assert len(host.seen) == known
            await processor.close()

    asyncio.run(run())


def test_a_plain_link_says_nothing_to_a_host_that_wants_tls(tmp_path: Path) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificates.server_certificate(tmp_path, ()))

    async def run() -> None:
        async with iso_host(tls) as host:
            processor = Iso8583(read(configuration(host.port, link={"connect_seconds": 1})), lambda: NOW)
            assert isinstance(await processor.send(authorize()), NotSent)
            assert host.seen == []
            await processor.close()

    asyncio.run(run())
