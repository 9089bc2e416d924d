"""Moving money between a platform and its connected accounts: transfers, their payments (``py_``), reversals, and who
may.
"""

from __future__ import annotations

from tests.support.api import Api
from tests.support.connected import acting, audit, available, connected, fund


def korean() -> dict[str, str]:
    return {
        "object": "bank_account",
        "country": "KR",
        "currency": "krw",
        "account_number": "000123456789",
        "routing_number": "SGSEKRSLXXX",
    }


def test_an_unknown_destination_is_named_and_one_that_cannot_receive_is_refused(api: Api) -> None:
    fund(api, 1_000)
    refused = api.post("/v1/transfers", amount=10, currency="usd", destination="acct_invalid")
    assert (refused.status, refused.error["message"], refused.error["param"]) == (
        400,
        "No such destination: 'acct_invalid'",
        "destination",
    )
    bare = api.ok("post", "/v1/accounts", type="custom", country="US")
    refused = api.post("/v1/transfers", amount=10, currency="usd", destination=bare["id"])
    assert refused.error["code"] == "insufficient_capabilities_for_transfer"


def test_money_arrives_in_the_accounts_own_currency(api: Api) -> None:
    account = connected(api, country="KR", default_currency="krw", external_account=korean())
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
