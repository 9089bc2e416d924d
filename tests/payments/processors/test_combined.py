"""Two processors of one account: each gets its operations, and both tell what they tell."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.processor import FEATURES, Network
from tests.support.socket_processor import installed
from tollkey.payments.processors.combined import Combined, open_both
from tollkey.payments.processors.network import (
    Approved,
    Authorize,
    Features,
    Inquire,
    Method,
    Notice,
    Payout,
    Processor,
    Reverse,
)

PAY = Authorize("R1", 1, 1_767_225_600, 500, "usd", "pi_1", Method("card", "t"), True)
OUT = Payout("R2", 3, 1_767_225_600, 500, "usd", "po_1", {"iban": "DE"})


def both() -> tuple[Combined, Network, Network]:
    payments = Network(replace(FEATURES, inquiry=False, repeatable=frozenset(), currencies=frozenset({"eur"})))
    payouts = Network(
        Features(frozenset({"payout"}), frozenset(), frozenset({"usd"}), repeatable=frozenset({"payout"}))
    )
    return Combined(payments, payouts), payments, payouts


def test_each_gets_its_own_operations() -> None:
    combined, payments, payouts = both()
    assert isinstance(combined, Processor)

    async def run() -> None:
        assert isinstance(await combined.send(PAY), Approved)
        assert isinstance(await combined.send(OUT), Approved)
        await combined.inquire(Inquire(OUT, 5, 0))
        await combined.reverse(Reverse(PAY, 2, 0))
        assert await combined.probe() == "it answers; it answers"
        await combined.close()

    asyncio.run(run())
    assert payments.heard == [("authorize", "R1"), ("reverse", "R1")]
    assert payouts.heard == [("payout", "R2"), ("inquire", "R2")]


def test_together_they_can_do_what_each_is_there_for() -> None:
    features = both()[0].features
    assert features.operations == FEATURES.operations
    assert (features.inquiry, features.reversal, features.currencies) == (False, True, {"eur", "usd"})
    assert features.repeatable == {"payout"}


def test_what_both_told_is_read_once_and_apart() -> None:
    combined, payments, payouts = both()
    payments.features = replace(payments.features, notices=True)
    payouts.features = replace(payouts.features, notices=True)
    payments.told = [Notice("1", "settled", "R1", 0, 500, "eur")]
    payouts.told = [Notice("1", "settled", "R2", 0, -500, "usd")]

    async def run() -> None:
        first = await combined.notices("")
        assert [one.id for one in first.items] == ["payments:1", "payouts:1"]
        second = await combined.notices(first.cursor)
        assert (second.items, second.cursor) == ((), first.cursor)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "payments.provider is missing"),
        ({"payments": {"provider": "socket", "host": "a", "port": 1}}, "payouts.provider is missing"),
        ({"payments": {"provider": "nobody"}}, "payments.provider: there is no provider"),
        ({"payments": {"provider": "combined"}}, "payments.provider: there is no provider"),
        ({"payments": {"provider": "socket"}}, "payments: host is missing"),
        ({"other": 1}, "other is no setting"),
    ],
)
def test_what_is_wrong_with_a_configuration_is_told(
    config: dict[str, Any], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(installed(tmp_path)))
    with pytest.raises(ValueError, match=said):
        open_both(config, lambda: 0)
    part = {"provider": "socket", "host": "a", "port": 1}
    assert open_both({"payments": part, "payouts": part}, lambda: 0).features.operations == FEATURES.operations
