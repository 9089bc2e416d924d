"""Payouts through files, as a processor."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.payments.processors.bank_files.steps import NOW, bank_files, camt, configuration, entry, payout
from tollkey.payments.processors.bank_files.processor import PROVIDER
from tollkey.payments.processors.network import (
    Approved,
    Authorize,
    Declined,
    Inquire,
    Method,
    NotFound,
    NotSent,
    Pending,
    Processor,
    Reverse,
)

CARD = Authorize("R1", 1, NOW, 100, "eur", "pi_1", Method("card", "tok"), False)


def test_a_payout_is_pending_until_the_bank_has_booked_it(tmp_path: Path) -> None:
    async def run() -> None:
        processor = bank_files(tmp_path)
        request = payout()
        asked = Inquire(request, 900_001, NOW)
        assert await processor.inquire(asked) == NotFound()
        assert await processor.send(request) == Pending()
        assert await processor.send(request) == Pending()
        assert await processor.inquire(asked) == Pending()
        async with asyncio.timeout(20):
            while not list((tmp_path / "out").glob("*.xml")):
                await asyncio.sleep(0.02)
        (tmp_path / "in" / "s.xml").write_bytes(camt(entry(request.reference)))
        found = await processor.notices("")
        assert [one.kind for one in found.items] == ["result", "settled"]
        assert await processor.inquire(asked) == Approved()
        assert await processor.send(request) == Approved()
        await processor.close()
        assert len(list((tmp_path / "out").glob("*.xml"))) == 1

    asyncio.run(run())


def test_what_was_queued_when_a_process_ended_is_ordered_by_the_next_one(tmp_path: Path) -> None:
    async def run() -> None:
        first = bank_files(tmp_path, batch_seconds=3600)
        assert await first.send(payout()) == Pending()
        await first.close()
        second = bank_files(tmp_path)
        await second.notices("")
        async with asyncio.timeout(20):
            while not list((tmp_path / "out").glob("*.xml")):
                await asyncio.sleep(0.02)
        await second.close()

    asyncio.run(run())


def test_it_is_a_processor_of_payouts_alone(tmp_path: Path) -> None:
    async def run() -> None:
        processor = PROVIDER.open(configuration(tmp_path), lambda: NOW)
        assert isinstance(processor, Processor)
        features = processor.features
        assert features.takes("payout", "eur")
        assert not features.takes("payout", "gbp")
        assert not features.takes("authorize", "eur", "card")
        assert features.repeatable == {"payout"}
        assert isinstance(await processor.send(CARD), Declined)
        assert isinstance(await processor.reverse(Reverse(CARD, 2, NOW)), Declined)
        assert await processor.probe() == f"orders in eur, jpy, usd go to {tmp_path / 'out'}"
        await processor.close()

    asyncio.run(run())


def test_a_payout_that_the_bank_could_not_do_is_declined(tmp_path: Path) -> None:
    async def run() -> None:
        processor = bank_files(tmp_path)
        wrong = payout(destination={"name": "A", "iban": "DE00370400440532013000"})
        assert await processor.send(wrong) == Declined("invalid_account_number")
        assert await processor.send(payout(destination={"id": "ba_9"})) == Declined("no_account")
        assert await processor.send(payout(currency="gbp")) == Declined("could_not_process")
        await processor.close()

    asyncio.run(run())


def test_without_its_folders_nothing_is_sent_and_nothing_is_lost(tmp_path: Path) -> None:
    async def run() -> None:
        processor = bank_files(tmp_path)
        (tmp_path / "state").rmdir()
        assert isinstance(await processor.send(payout()), NotSent)
        with pytest.raises(OSError):
            await processor.probe()
        with pytest.raises(OSError):
            await processor.notices("")
        (tmp_path / "state").mkdir()
        assert await processor.send(payout()) == Pending()
        await processor.close()

    asyncio.run(run())
