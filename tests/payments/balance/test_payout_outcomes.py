"""Payouts in live mode, which a processor on a network makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.processor import Live, connected
from tollkey import ledger
from tollkey.db import Tx
from tollkey.ledger.books import BANK, PAYOUTS, SUSPENSE
from tollkey.payments.processors import backends, notices
from tollkey.payments.processors.network import Notice


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


def told(live: Live, kind: Any, amount: int, number: str = "1", code: str | None = "account_closed") -> None:
    made = [one for one in live.network.requests if one.operation == "payout"][-1]
    live.network.told.append(Notice(number, kind, made.reference, live.api.now, amount, "usd", code=code))
    live.api.world.runner.run(live.api.world.server.sender.read_notices())


def differences(live: Live) -> list[str]:
    return [one.difference for one in live.api.core.database.read(lambda tx: notices.differences(tx, live.scope))]


def in_books(live: Live) -> list[int]:
    read = live.api.core.database.read
    return [read(lambda tx, book=book: ledger.book_total(tx, live.scope, book, "usd")) for book in
            (PAYOUTS, BANK, SUSPENSE)]  # fmt: skip


def test_a_payout_whose_money_comes_back_fails_and_the_money_is_back(live: Live) -> None:
    before = live.get("/v1/balance")["available"]
    paid = live.post("/v1/payouts", amount=400, currency="usd")
    told(live, "settled", -400)
    told(live, "returned", 400, "2")
    told(live, "settled", 400, "3")
    failed = live.get(f"/v1/payouts/{paid['id']}")
    assert (failed["status"], failed["failure_code"]) == ("failed", "account_closed")
    back = live.get(f"/v1/balance_transactions/{failed['failure_balance_transaction']}")
    assert (back["amount"], back["type"]) == (400, "payout_failure")
    assert live.get("/v1/balance")["available"] == before
    assert [one for one in live.events() if one.startswith("payout.")] == [
        "payout.created", "payout.paid", "payout.failed",
    ]  # fmt: skip
    assert in_books(live) == [0, 0, 0]
    assert differences(live) == []


@pytest.mark.parametrize(
    ("amount", "times", "reason"),
    [(399, 1, "399 came back of 400"), (-400, 1, "-400 came back of 400"),
     (400, 2, "the money came back of a payout that is failed here")],
)  # fmt: skip
def test_what_came_back_otherwise_is_for_a_person(live: Live, amount: int, times: int, reason: str) -> None:
    live.post("/v1/payouts", amount=400, currency="usd")
    for number in range(times):
        told(live, "returned", amount, str(number))
    assert differences(live) == [reason]


@pytest.mark.parametrize(
    ("told_code", "shown"),
    [("account_frozen", "account_frozen"), ("invalid_account_number", "invalid_account_number"),
     ("declined", "declined"), ("weather", "could_not_process"), (None, "could_not_process")],
)  # fmt: skip
def test_the_code_of_a_failed_payout_is_one_of_the_api(live: Live, told_code: str | None, shown: str) -> None:
    paid = live.post("/v1/payouts", amount=400, currency="usd")
    told(live, "returned", 400, code=told_code)
    failed = live.get(f"/v1/payouts/{paid['id']}")
    assert failed["failure_code"] == shown
    assert failed["failure_message"]
