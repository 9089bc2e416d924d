"""Moving money between a platform and its connected accounts: transfers, their payments (``py_``) and reversals."""

from __future__ import annotations

from tests.support.api import Api
from tests.support.connected import acting, audit, available, fund, korean_recipient


def test_money_arrives_in_the_accounts_own_currency(api: Api) -> None:
    account = korean_recipient(api)
    fund(api, 10_000)
    transfer = api.ok("post", "/v1/transfers", amount=1_000, currency="usd", destination=account["id"])
    payment = api.ok(
        "get", f"/v1/charges/{transfer['destination_payment']}", headers=acting(account), expand=["balance_transaction"]
    )
    assert (payment["amount"], payment["currency"]) == (1_000, "usd")
    got = payment["balance_transaction"]
    assert (got["currency"], got["amount"]) == ("krw", round(1_000 * got["exchange_rate"]))
    api.ok("post", f"/v1/transfers/{transfer['id']}/reversals")
    assert available(api, account, "krw") == 0
    audit(api, account)
