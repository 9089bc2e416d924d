"""The balance, and the transactions that it is made of."""

from __future__ import annotations

from tests.support.api import Api
from tests.support.connected import available


def test_money_that_becomes_available_is_told_once_for_each_day(api: Api) -> None:
    for _ in range(2):
        api.ok("post", "/v1/charges", amount=1_000, currency="usd", source="tok_visa")
    assert api.events("balance.available") == []
    api.advance(7 * 86_400)
    (event,) = api.events("balance.available")
    assert event["data"]["object"]["available"][0]["amount"] == available(api)


def test_a_platforms_balance_tells_what_is_reserved_for_its_accounts(api: Api) -> None:
    assert "connect_reserved" not in api.get("/v1/balance")
    api.ok("post", "/v1/accounts", type="express", country="US")
    assert api.get("/v1/balance")["connect_reserved"] == [{"amount": 0, "currency": "usd"}]
