"""A seeded walk through everything that moves money between a platform, its accounts and banks.

The books stay sound throughout.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.support.api import Answer, Api
from tests.support.connected import acting, audit, connected, fund, korean_recipient

STEPS = 300


class Walk:
    """One platform with three accounts, two of which settle in other currencies."""

    def __init__(self, api: Api, seed: int) -> None:
        self.api, self.random = api, random.Random(seed)
        canadian = {"object": "bank_account", "country": "CA", "currency": "cad", "account_number": "000123456789"}
        abroad = connected(api, country="CA", default_currency="cad", external_account=canadian)
        self.accounts = [connected(api), abroad, korean_recipient(api)]
        self.charges: list[str] = []
        self.transfers: list[str] = []
        self.payouts: list[tuple[str, Answer | None]] = []
        self.answers: dict[int, int] = {}

    def step(self) -> None:
        """One random request; it may be refused, and must never be an error of the server."""
        moves = [
            self.charge,
            self.destination,
            self.direct,
            self.transfer,
            self.reverse,
            self.payout,
            self.undo,
            self.refund,
            self.wait,
        ]
        action = self.random.choice(moves)
        answer = action()
        if answer is not None:
            assert answer.status in (200, 400), answer
            self.answers[answer.status] = self.answers.get(answer.status, 0) + 1

    def amount(self) -> int:
        return self.random.randint(50, 5_000)

    def charge(self) -> Answer:
        made = fund(self.api, self.amount())
        self.charges.append(made["id"])
        return made

    def destination(self) -> Answer:
        account, amount = self.random.choice(self.accounts), self.amount()
        more: dict[str, Any] = {"on_behalf_of": account["id"]} if self.random.random() < 0.5 else {}
        made = self.api.post(
            "/v1/charges", amount=amount, currency="usd", source=self.random.choice(["tok_visa", "tok_bypassPending"]),
            application_fee_amount=self.random.randint(1, amount), transfer_data={"destination": account["id"]}, **more,
        )  # fmt: skip
        if made.status == 200:
            self.charges.append(made["id"])
            self.transfers.append(made["transfer"])
        return made

    def direct(self) -> Answer:
        return self.api.post(
            "/v1/charges", amount=self.amount(), currency="usd", source="tok_visa", application_fee_amount=10,
            headers=acting(self.random.choice(self.accounts)),
        )  # fmt: skip

    def transfer(self) -> Answer:
        to = self.random.choice(self.accounts)["id"]
        source = (
            {"source_transaction": self.random.choice(self.charges)}
            if self.charges and self.random.random() < 0.4
            else {}
        )
        made = self.api.post("/v1/transfers", amount=self.amount(), currency="usd", destination=to, **source)
        if made.status == 200:
            self.transfers.append(made["id"])
        return made

    def reverse(self) -> Answer | None:
        if not self.transfers:
            return None
        more: dict[str, Any] = {"amount": self.amount()} if self.random.random() < 0.7 else {}
        path = f"/v1/transfers/{self.random.choice(self.transfers)}/reversals"
        return self.api.post(path, refund_application_fee=self.random.random() < 0.3, **more)

    def payout(self) -> Answer:
        account = self.random.choice([None, *self.accounts])
        headers = acting(account) if account is not None else None
        made = self.api.post("/v1/payouts", amount=self.amount(), currency="usd", headers=headers)
        if made.status == 200:
            self.payouts.append((made["id"], account))
        return made

    def undo(self) -> Answer | None:
        if not self.payouts:
            return None
        id, account = self.random.choice(self.payouts)
        how = self.random.choice(["cancel", "reverse"])
        return self.api.post(f"/v1/payouts/{id}/{how}", headers=acting(account) if account is not None else None)

    def refund(self) -> Answer | None:
        if not self.charges:
            return None
        more: dict[str, Any] = {"amount": self.amount()} if self.random.random() < 0.7 else {}
        back = {"reverse_transfer": self.random.random() < 0.5, "refund_application_fee": self.random.random() < 0.3}
        return self.api.post("/v1/refunds", charge=self.random.choice(self.charges), **back, **more)

    def wait(self) -> None:
        self.api.advance(self.random.choice([10, 86_400]))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_books_stay_sound_whatever_happens(api: Api, seed: int) -> None:
    walk = Walk(api, seed)
    for number in range(STEPS):
        walk.step()
        if number % 20 == 19:
            audit(api, *walk.accounts)
            _balance_is_its_transactions(api, None)
            for account in walk.accounts:
                _balance_is_its_transactions(api, account)
    assert walk.answers[200] > walk.answers[400] > 5


def _balance_is_its_transactions(api: Api, account: Answer | None) -> None:
    headers = acting(account) if account is not None else None
    balance = api.get("/v1/balance", headers=headers)
    shown = {line["currency"]: line["amount"] for line in balance["available"]}
    for line in balance["pending"]:
        shown[line["currency"]] += line["amount"]
    summed: dict[str, int] = {}
    after: dict[str, str] = {}
    while True:
        page = api.get("/v1/balance_transactions", limit=100, headers=headers, **after)
        for transaction in page["data"]:
            summed[transaction["currency"]] = summed.get(transaction["currency"], 0) + transaction["net"]
        if not page["has_more"]:
            break
        after = {"starting_after": page["data"][-1]["id"]}
    assert {c: n for c, n in shown.items() if n} == {c: n for c, n in summed.items() if n}
