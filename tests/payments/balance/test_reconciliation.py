"""Settlements in the ledger: whatever a line says, the books sum to zero and the merchant's balance stays."""

from __future__ import annotations

import pytest

from tests.support.api import Api
from tests.support.processor import connected
from tollkey import ledger
from tollkey.payments.processors.network import Notice


@pytest.mark.parametrize(("amount", "fee"), [(1_000, 0), (1_000, 35), (0, 35), (-1_000, 0), (7, 1_000), (0, 0)])
def test_a_line_leaves_the_balance_as_it_is_and_the_books_sound(api: Api, amount: int, fee: int) -> None:
    with connected(api) as live:
        paid = live.pay(1_000)
        before = live.get("/v1/balance")
        reference = live.attempts(paid["id"])[0].reference
        live.network.told.append(Notice("1", "settled", reference, api.now, amount, "usd", fee))
        api.world.runner.run(api.world.server.sender.read_notices())
        assert live.get("/v1/balance").body == before.body
        assert api.core.database.read(lambda tx: ledger.audit(tx, live.scope)) == []
