"""Whatever is charged, refunded and disputed in whatever order: the books sum to zero and the balance is what its
transactions say.
"""

from __future__ import annotations

import random

import pytest

from tests.support.api import Api
from tests.support.connected import audit

TOKENS = (
    "tok_visa", "tok_mastercard", "tok_createDispute", "tok_createDisputeInquiry", "tok_createMultipleDisputes",
    "tok_refundFail",
    "tok_pendingRefund", "tok_bypassPending", "tok_chargeDeclined", "tok_riskLevelElevated", "tok_jp",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_random_payments_leave_sound_books(api: Api, seed: int) -> None:
    dice = random.Random(seed)
    charges: list[str] = []
    for _ in range(60):
        act = dice.random()
        if act < 0.45 or not charges:
            made = api.post(
                "/v1/charges",
                amount=dice.randint(50, 9_999),
                currency=dice.choice(("usd", "usd", "eur")),
                source=dice.choice(TOKENS),
                capture=dice.random() < 0.8,
            )
            assert made.status in (200, 402)
            charges += [made["id"]] if made.status == 200 else []
        elif act < 0.7:
            assert api.post("/v1/refunds", charge=dice.choice(charges), amount=dice.randint(1, 3_000)).status in (
                200,
                400,
            )
        elif act < 0.8:
            assert api.post(f"/v1/charges/{dice.choice(charges)}/capture", amount=dice.randint(1, 9_999)).status in (
                200,
                400,
            )
        elif act < 0.95:
            dispute = api.get(f"/v1/charges/{dice.choice(charges)}")["dispute"]
            if dispute:
                words = dice.choice(("winning_evidence", "losing_evidence", "something"))
                assert api.post(f"/v1/disputes/{dispute}", evidence={"uncategorized_text": words}).status in (200, 400)
        else:
            api.advance(dice.choice((10, 86_400 * 3)))
    audit(api)
    totals = {"usd": 0, "eur": 0}
    after = None
    while True:
        page = api.get("/v1/balance_transactions", limit=100, **({"starting_after": after} if after else {}))
        for transaction in page["data"]:
            totals[transaction["currency"]] += transaction["net"]
            assert transaction["net"] == transaction["amount"] - transaction["fee"]
        if not page["has_more"]:
            break
        after = page["data"][-1]["id"]
    balance = api.get("/v1/balance")
    shown = {line["currency"]: line["amount"] for line in balance["available"]}
    for line in balance["pending"]:
        shown[line["currency"]] += line["amount"]
    assert shown == {currency: total for currency, total in totals.items() if currency in shown}
