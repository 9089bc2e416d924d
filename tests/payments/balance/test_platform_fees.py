"""Application fees: what a connected account gives its platform of a charge, and what the platform gives back."""

from __future__ import annotations

from tests.support.api import Api
from tests.support.connected import acting, audit, connected
from tests.support.openapi import assert_valid


def test_a_direct_charge_is_the_accounts_own_and_the_fee_goes_to_the_platform(api: Api) -> None:
    account = connected(api)
    charge = api.ok(
        "post",
        "/v1/charges",
        amount=1_000,
        currency="usd",
        source="tok_bypassPending",
        application_fee_amount=50,
        headers=acting(account),
    )
    assert api.get(f"/v1/charges/{charge['id']}").status == 404
    transaction = api.get(f"/v1/balance_transactions/{charge['balance_transaction']}", headers=acting(account))
    assert {detail["type"] for detail in transaction["fee_details"]} == {"stripe_fee", "application_fee"}
    assert [event["data"]["object"]["amount"] for event in api.events("application_fee.created")] == [50]
    refund = api.ok("post", f"/v1/application_fees/{charge['application_fee']}/refunds", amount=20)
    assert_valid("POST", "/v1/application_fees/{id}/refunds", 200, refund)
    again = api.post(f"/v1/application_fees/{charge['application_fee']}/refunds", amount=31)
    assert again.status == 400
    audit(api, account)


def test_a_fee_is_given_back_in_parts_until_nothing_is_left(api: Api) -> None:
    destination = {"transfer_data": {"destination": connected(api)["id"]}, "application_fee_amount": 50}
    charge = api.ok("post", "/v1/charges", amount=1_000, currency="usd", source="tok_bypassPending", **destination)
    path = f"/v1/application_fees/{charge['application_fee']}"
    api.ok("post", f"{path}/refunds", amount=49)
    assert api.post(f"{path}/refunds", amount=2).error["param"] == "amount"
    api.ok("post", f"{path}/refunds", amount=1)
    fee = api.get(path)
    assert (fee["refunded"], fee["amount_refunded"]) == (True, 50)
    assert api.post(f"{path}/refunds", amount=1).error["code"] == "charge_already_refunded"
