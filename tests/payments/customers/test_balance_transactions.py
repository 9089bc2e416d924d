"""A customer's balance changes by transactions, which stay."""

from __future__ import annotations

from tests.support.api import Api


def test_each_change_is_a_transaction_that_says_what_the_balance_is_then(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    path = f"/v1/customers/{customer}/balance_transactions"
    endings = [api.ok("POST", path, amount=amount, currency="usd")["ending_balance"] for amount in (-500, 200, 400)]
    assert endings == [-500, -300, 100]
    assert api.get(f"/v1/customers/{customer}")["balance"] == 100
    assert [one["amount"] for one in api.get(path)["data"]] == [400, 200, -500]


def test_an_amount_of_nothing_is_refused_and_a_second_currency_has_a_balance_of_its_own(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    path = f"/v1/customers/{customer}/balance_transactions"
    assert api.post(path, amount=0, currency="usd").error["param"] == "amount"
    api.ok("POST", path, amount=-500, currency="usd")
    assert api.ok("POST", path, amount=-300, currency="eur")["ending_balance"] == -300


def test_what_is_said_of_a_transaction_changes_and_its_amount_does_not(api: Api) -> None:
    one, other = (api.ok("POST", "/v1/customers")["id"] for _ in range(2))
    made = api.ok("POST", f"/v1/customers/{one}/balance_transactions", amount=-500, currency="usd")["id"]
    path = f"/v1/customers/{one}/balance_transactions/{made}"
    assert api.ok("POST", path, description="A gift")["description"] == "A gift"
    assert api.post(path, amount=-600).status == 400
    assert api.get(path.replace(one, other)).status == 404
