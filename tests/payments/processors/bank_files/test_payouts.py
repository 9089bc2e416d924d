"""Payouts of the API through files that a bank takes and answers."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.payments.processors.bank_files.steps import AMERICAN, bank_files, camt, entry
from tests.support.api import Api
from tests.support.processor import FEATURES, Network, connected
from tollkey import ledger
from tollkey.db import Tx
from tollkey.ledger.books import BANK, PAYOUTS, SUSPENSE
from tollkey.payments.processors import backends, notices
from tollkey.payments.processors.combined import Combined
from tollkey.payments.processors.network import Provider


def test_a_payout_is_ordered_in_a_file_and_paid_when_the_statement_has_it(api: Api, tmp_path: Path) -> None:
    network, files = Network(FEATURES), bank_files(tmp_path)
    with connected(api, network) as live:
        sender, core = api.world.server.sender, api.core
        sender.links.find = lambda: {"scripted": Provider("scripted", "", lambda *_: Combined(network, files))}
        api.world.runner.run(sender.links.close())

        def give_bank(tx: Tx) -> None:
            call = core.call(tx, live.scope)
            account = call.objects.get("account", api.account)
            bank = {"id": "ba_1", "object": "bank_account", "country": "US", "currency": "usd", "last4": "6789"}
            account["external_accounts"]["data"] = [{**bank, "default_for_currency": True, "status": "new"}]
            account["payouts_enabled"] = True
            account["settings"]["payouts"]["schedule"] = {"delay_days": 2, "interval": "manual"}
            call.objects.save(account)
            backends.keep_destination(tx, core.authority.keyring, live.scope, "ba_1", AMERICAN, api.now)

        core.database.write(give_bank)
        live.pay(2_000)
        api.advance(7 * 86_400)
        waiting = live.post("/v1/payouts", amount=1_234, currency="usd")
        assert (waiting.status, waiting["status"]) == (200, "pending")
        reference = live.attempts(waiting["id"])[0].reference

        async def exchange() -> str:
            async with asyncio.timeout(20):
                while not (found := list((tmp_path / "out").glob("*.xml"))):
                    await asyncio.sleep(0.02)
            (tmp_path / "in" / "s.xml").write_bytes(camt(entry(reference, currency="USD")))
            await sender.read_notices()
            return found[0].read_text()

        ordered = api.world.runner.run(exchange())
        assert reference in ordered
        assert AMERICAN["number"] in ordered
        assert live.get(f"/v1/payouts/{waiting['id']}")["status"] == "paid"
        read = core.database.read
        books = {book: read(lambda tx, book=book: ledger.book_total(tx, live.scope, book, "usd")) for book in
                 (PAYOUTS, BANK, SUSPENSE)}  # fmt: skip
        assert books == {PAYOUTS: 0, BANK: 1_234, SUSPENSE: 0}

        returned = camt(entry(reference, currency="USD", side="CRDT", reason="AC04"), id="STMT-2")
        (tmp_path / "in" / "r.xml").write_bytes(returned)
        api.world.runner.run(sender.read_notices())
        failed = live.get(f"/v1/payouts/{waiting['id']}")
        assert (failed["status"], failed["failure_code"]) == ("failed", "account_closed")
        assert [read(lambda tx, book=book: ledger.book_total(tx, live.scope, book, "usd")) for book in books] == [0] * 3
        assert read(lambda tx: notices.differences(tx, live.scope)) == []
