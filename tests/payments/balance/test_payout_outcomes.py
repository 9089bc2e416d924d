"""Payouts in live mode, which a processor on a network makes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.api import Api
from tests.support.processor import Live, connected
from tollkey.db import Tx
from tollkey.payments.processors import backends


@pytest.fixture
def live(api: Api) -> Iterator[Live]:
    """A merchant with a bank account and 1,000 available."""
    with connected(api) as found:

        def give_bank(tx: Tx) -> None:
            call = api.core.call(tx, found.scope)
            account = call.objects.get("account", api.account)
            bank = {
                "id": "ba_1", "object": "bank_account", "country": "US", "currency": "usd", "last4": "6789",
                "routing_number": "110000000", "default_for_currency": True, "status": "new",
            }  # fmt: skip
            account["external_accounts"]["data"] = [bank]
            account["payouts_enabled"] = True
            account["settings"]["payouts"]["schedule"] = {"delay_days": 2, "interval": "manual"}
            call.objects.save(account)

        api.core.database.write(give_bank)
        assert found.pay(1_000)["status"] == "succeeded"
        api.advance(7 * 86_400)
        yield found


def test_a_payout_is_paid_when_the_processor_has_made_it(live: Live) -> None:
    paid = live.post("/v1/payouts", amount=400, currency="usd")
    assert (paid.status, paid["status"]) == (200, "paid")
    assert live.money()[-1] == -400
    sent = live.network.requests[-1]
    assert sent.operation == "payout"
    assert (sent.destination["id"], sent.destination["last4"]) == ("ba_1", "6789")


def test_a_payout_that_is_refused_fails_and_its_money_is_back(live: Live) -> None:
    before = live.get("/v1/balance")["available"]
    live.network.script = ["declined:account_closed"]
    refused = live.post("/v1/payouts", amount=400, currency="usd")
    assert (refused.status, refused["status"], refused["failure_code"]) == (200, "failed", "account_closed")
    assert live.get("/v1/balance")["available"] == before


def test_a_payout_that_is_pending_is_not_canceled_and_is_paid_when_that_is_told(live: Live) -> None:
    live.network.script = ["pending"]
    waiting = live.post("/v1/payouts", amount=400, currency="usd")
    assert waiting["status"] == "pending"
    refused = live.post(f"/v1/payouts/{waiting['id']}/cancel")
    assert (refused.status, refused.error["code"]) == (429, "lock_timeout")
    live.network.script = ["ok"]
    live.network.done.clear()
    live.network.done[live.attempts(waiting["id"])[0].reference] = live.network.approval, 400
    live.recover(120)
    assert live.get(f"/v1/payouts/{waiting['id']}")["status"] == "paid"


def test_a_payout_is_not_brought_back(live: Live) -> None:
    paid = live.post("/v1/payouts", amount=400, currency="usd")
    refused = live.post(f"/v1/payouts/{paid['id']}/reverse")
    assert (refused.status, refused.error["type"]) == (400, "invalid_request_error")


def test_the_number_of_the_bank_account_is_kept_sealed_and_goes_to_the_processor_alone(live: Live) -> None:
    core, iban = live.api.core, "DE89370400440532013000"
    keyring, now = core.authority.keyring, live.api.now
    core.database.write(lambda tx: backends.keep_destination(tx, keyring, live.scope, "ba_1", {"iban": iban}, now))
    paid = live.post("/v1/payouts", amount=400, currency="usd", expand=["destination"])
    sent = live.network.requests[-1]
    assert sent.operation == "payout"
    assert (sent.destination["iban"], sent.destination["name"]) == (iban, "Test account")
    assert iban not in repr(paid) + repr(live.attempts(paid["id"]))
    rows = core.database.read(lambda tx: tx.execute("SELECT sealed FROM processor_destinations"))
    assert all(iban.encode() not in bytes(sealed) for (sealed,) in rows)
