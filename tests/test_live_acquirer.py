"""Live mode through an acquirer that speaks ISO 8583 and a bank that reads files: from a request to their books."""

from __future__ import annotations

import asyncio
import re
import tomllib
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.payments.processors.bank_files.steps import camt, entry
from tests.payments.processors.bank_files.steps import configuration as of_the_bank
from tests.payments.processors.iso8583.steps import configuration
from tests.support.api import Api
from tests.support.iso_host import Host, iso_host
from tollkey.db import Scope, Tx
from tollkey.payments.processors import backends, links
from tollkey.payments.processors.bank_files import config as bank_files
from tollkey.payments.processors.iso8583 import config as iso8583

NEVER = {"enabled": True, "allow_redirects": "never"}
BANK = {
    "id": "ba_1", "object": "bank_account", "country": "US", "currency": "usd", "last4": "6789",
    "routing_number": "110000000", "default_for_currency": True, "status": "new",
}  # fmt: skip


@dataclass
class Live:
    """The live mode of a merchant, its acquirer's host, and the folders of its bank."""

    api: Api
    host: Host
    folder: Path

    def post(self, path: str, **params: Any) -> Any:
        return self.api.post(path, key=self.api.live_sk, **params)

    def get(self, path: str) -> Any:
        return self.api.get(path, key=self.api.live_sk)

    def pay(self, amount: int = 1_000, **params: Any) -> Any:
        method = self.post("/v1/payment_methods", type="card", card={"token": "tok_3Xq9"})["id"]
        given = {"amount": amount, "currency": "usd", "payment_method": method, "confirm": True}
        return self.post("/v1/payment_intents", **given, automatic_payment_methods=NEVER, **params)

    def pass_time(self, seconds: int) -> None:
        """Let time pass, and do what is due, as the server's background does."""
        self.api.world.clock[0] += seconds
        sender = self.api.world.server.sender

        async def step() -> None:
            await sender.tick()
            await sender.drain()
            await sender.read_notices()

        for _ in range(8):
            self.api.world.runner.run(step())


@pytest.fixture
def live(api: Api, tmp_path: Path) -> Iterator[Live]:
    runner, stack, found = api.world.runner, AsyncExitStack(), api.world.server.sender.links
    before, found.find = found.find, links.known
    runner.run(found.close())
    host = runner.run(stack.enter_async_context(iso_host()))
    given = {
        "payments": {"provider": "iso8583", **configuration(host.port, link={"answer_seconds": 0.3})},
        "payouts": {"provider": "bank_files", **of_the_bank(tmp_path)},
    }
    features = links.known()["combined"].open(given, api.core.now).features
    scope = Scope(api.account, True)

    def connect(tx: Tx) -> None:
        backends.connect(tx, api.core.authority.keyring, scope, "combined", given, features, api.now)
        number = {"number": "000123456789", "bank": "110000000"}
        backends.keep_destination(tx, api.core.authority.keyring, scope, "ba_1", number, api.now)
        call = api.core.call(tx, scope)
        account = call.objects.get("account", api.account)
        account["external_accounts"]["data"] = [BANK]
        account["payouts_enabled"] = True
        account["settings"]["payouts"]["schedule"] = {"delay_days": 2, "interval": "manual"}
        call.objects.save(account)

    api.core.database.write(connect)
    try:
        yield Live(api, host, tmp_path)
    finally:
        runner.run(found.close())
        runner.run(stack.aclose())
        found.find = before
        left = "DELETE FROM processor_attempts WHERE account = ? AND applied = 0"
        api.core.database.write(lambda tx: tx.execute(left, (api.account,)))


def test_a_payment_is_approved_captured_in_part_and_given_back(live: Live) -> None:
    held = live.pay(1_000, capture_method="manual")
    assert held["status"] == "requires_capture"
    assert list(live.host.held.values()) == [1_000]
    taken = live.post(f"/v1/payment_intents/{held['id']}/capture", amount_to_capture=700)
    assert (taken["status"], taken["amount_received"]) == ("succeeded", 700)
    back = live.post("/v1/refunds", payment_intent=held["id"], amount=200)
    live.pass_time(5)
    assert live.get(f"/v1/refunds/{back['id']}")["status"] == "succeeded"
    assert (list(live.host.captured.values()), list(live.host.refunded.values())) == ([700], [200])
    assert [message["t"] for message in live.host.seen] == ["0100", "0220", "0220"]


def test_the_host_s_refusal_is_the_decline_of_the_card(live: Live) -> None:
    live.host.answers = {"000000005100": "51"}
    refused = live.pay(5_100)
    assert (refused.status, refused.error["decline_code"]) == (402, "insufficient_funds")


def test_a_payment_whose_answer_is_lost_is_undone_and_fails(live: Live) -> None:
    live.host.faults.append("lose_answer")
    waiting = live.pay()
    assert waiting["status"] == "processing"
    assert list(live.host.captured.values()) == [1_000]
    for seconds in (3, 10, 30, 120, 600):
        live.pass_time(seconds)
    after = live.get(f"/v1/payment_intents/{waiting['id']}")
    assert (after["status"], after["last_payment_error"]["code"]) == ("requires_payment_method", "processing_error")
    assert live.host.captured == {}
    assert "0420" in [message["t"] for message in live.host.seen]


def test_a_payout_leaves_in_a_file_and_is_paid_when_the_bank_has_booked_it(live: Live) -> None:
    assert live.pay(1_000)["status"] == "succeeded"
    live.api.advance(7 * 86_400)
    asked = live.post("/v1/payouts", amount=400, currency="usd")
    assert (asked.status, asked["status"]) == (200, "pending")

    async def ordered() -> str:
        async with asyncio.timeout(20):
            while not (files := list((live.folder / "out").glob("*.xml"))):
                await asyncio.sleep(0.05)
        return files[0].read_text()

    order = live.api.world.runner.run(ordered())
    assert '<InstdAmt Ccy="USD">4.00</InstdAmt>' in order
    reference = order.partition("<EndToEndId>")[2].partition("<")[0]
    (live.folder / "in" / "statement.xml").write_bytes(camt(entry(reference, "4.00", currency="USD")))
    live.pass_time(60)
    assert live.get(f"/v1/payouts/{asked['id']}")["status"] == "paid"


def test_no_token_or_account_number_is_in_the_database(live: Live) -> None:
    live.pay()
    rows = live.api.core.database.read(
        lambda tx: tx.execute("SELECT asked, answer FROM processor_attempts WHERE account = ?", (live.api.account,))
    )
    assert rows
    assert "tok_3Xq9" not in repr(rows)


def test_the_files_in_the_guide_are_valid(tmp_path: Path) -> None:
    guide = (Path(__file__).parent.parent / "docs" / "guides" / "live.md").read_text(encoding="utf-8")
    blocks = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)]
    acquirers = [one for one in blocks if "merchant" in one]
    dialects = [one for one in blocks if "messages" in one]
    banks = [one for one in blocks if "debtor" in one]
    assert (len(acquirers), len(dialects), len(banks)) == (1, 1, 1)
    found = iso8583.read({**acquirers[0], "dialect": dialects[0]})
    assert (found.dialect.name, found.dialect.messages["refund"].type) == ("Acme", "0200")
    folders = of_the_bank(tmp_path)["folders"]
    assert bank_files.read({**banks[0], "folders": folders}).accounts["eur"].iban == "DE89370400440532013000"
