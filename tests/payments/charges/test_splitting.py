"""What of a charge goes to others: a platform's application fee, and the transfer of a destination charge."""

from __future__ import annotations

from tests.support.api import Api
from tests.support.connected import audit, available, connected
from tests.support.openapi import assert_valid


def test_a_destination_charge_passes_its_money_on_and_keeps_the_fee(api: Api) -> None:
    account = connected(api)
    charge = api.ok(
        "post", "/v1/charges", amount=1_000, currency="usd", source="tok_bypassPending", application_fee_amount=100,
        transfer_data={"destination": account["id"]},
    )  # fmt: skip
    assert available(api, account) == 900
    fee = api.ok("get", f"/v1/application_fees/{charge['application_fee']}")
    assert_valid("GET", "/v1/application_fees/{id}", 200, fee)
    assert (fee["amount"], fee["account"], fee["originating_transaction"]) == (100, account["id"], charge["id"])
    api.ok("post", "/v1/refunds", charge=charge["id"], reverse_transfer=True, refund_application_fee=True)
    assert available(api, account) == 0
    fee = api.get(f"/v1/application_fees/{fee['id']}")
    assert (fee["refunded"], fee["amount_refunded"]) == (True, 100)
    assert api.get(f"/v1/transfers/{charge['transfer']}")["reversed"]
    assert_valid("GET", "/v1/application_fees/{id}", 200, fee)
    audit(api, account)


def test_an_account_that_is_not_there_gets_no_money(api: Api) -> None:
    given = {"amount": 1_000, "currency": "usd", "source": "tok_visa"}
    assert api.post("/v1/charges", transfer_data={"destination": "acct_no"}, **given).status == 400
    assert api.get("/v1/charges")["data"] == []
