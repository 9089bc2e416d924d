"""How tests make the objects of ``payments.balance`` and call its endpoints (``tests/support/recipes.py``)."""

from __future__ import annotations

from collections.abc import Callable

from tests.payments.charges.recipes import funded, new_charge
from tests.support.connected import connected, fund
from tests.support.recipes import META, Body, Json, Maker


def _arrived(m: Maker) -> str:
    made = m.make("payout")
    m.api.advance(7 * 86400)
    found: str = made["id"]
    return found


def _daily_payouts(m: Maker) -> None:
    account = connected(m.api)
    fund(m.api, 5_000, account)
    m.post(f"/v1/accounts/{account['id']}", settings={"payouts": {"schedule": {"interval": "daily"}}})


def _payout_of_a_schedule(m: Maker) -> None:
    _daily_payouts(m)
    m.api.advance(1)


COLLECTIONS = {
    "/v1/balance/history": "balance_transaction",
    "/v1/exchange_rates": "exchange_rate",
}


MAKERS: dict[str, Callable[[Maker], Json]] = {
    "balance_transaction": lambda m: {**m.get(f"/v1/balance_transactions/{new_charge(m)['balance_transaction']}")},
    "exchange_rate": lambda m: {"id": "usd"},
    "payout": lambda m: (funded(m), m.post("/v1/payouts", amount=100, currency="usd"))[1],
}


BODIES: dict[str, Body] = {
    "POST /v1/payouts": lambda m: (funded(m), {"amount": 100, "currency": "usd"})[1],
    "POST /v1/payouts/{}": META,
    "POST /v1/topups": {"amount": 1000, "currency": "usd", "description": "More", "source": "btok_us_verified"},
    "POST /v1/topups/{}": META,
}  # fmt: skip


PLANS: dict[str, Callable[[Maker], list[str]]] = {
    "POST /v1/payouts/{}/cancel": lambda m: [m.make("payout")["id"]],
    "POST /v1/payouts/{}/reverse": lambda m: [_arrived(m)],
    "POST /v1/topups/{}/cancel": lambda m: [m.make("topup")["id"]],
}


DUE: dict[str, Callable[[Maker], object]] = {
    "balance.available": lambda m: m.make("charge"),
    "payout.arrive": lambda m: m.make("payout"),
    "payout.automatic": _payout_of_a_schedule,
    "payout.plan": _daily_payouts,
    "topup.settle": lambda m: m.make("topup"),
}
