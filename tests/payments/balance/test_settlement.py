"""Charges in a currency that the account keeps no money in settle into its own."""

from __future__ import annotations

from tests.support.api import Answer, Api
from tests.support.connected import acting, audit, available, connected


def transaction(api: Api, id: str) -> Answer:
    return api.ok("get", f"/v1/balance_transactions/{id}")


def test_a_charge_in_another_currency_settles_at_the_exchange_rate(api: Api) -> None:
    charge = api.ok("post", "/v1/charges", amount=1_000, currency="eur", source="tok_bypassPending")
    found = transaction(api, charge["balance_transaction"])
    assert (found["currency"], found["amount"], found["exchange_rate"]) == ("usd", 1_163, 1.16279)
    assert found["net"] == 1_163 - found["fee"]
    assert charge["currency"] == "eur"
    assert (available(api), available(api, currency="eur")) == (found["net"], 0)
    audit(api)


def test_a_refund_of_it_takes_the_same_currency_back(api: Api) -> None:
    charge = api.ok("post", "/v1/charges", amount=1_000, currency="eur", source="tok_bypassPending")
    refund = api.ok("post", "/v1/refunds", charge=charge["id"], amount=500)
    found = transaction(api, refund["balance_transaction"])
    assert (refund["amount"], refund["currency"]) == (500, "eur")
    assert (found["currency"], found["amount"], found["exchange_rate"]) == ("usd", -581, 1.16279)
    audit(api)


def test_a_dispute_of_it_is_withdrawn_in_the_account_s_currency(api: Api) -> None:
    charge = api.ok("post", "/v1/charges", amount=1_000, currency="eur", source="tok_createDispute")
    dispute = api.ok("get", "/v1/disputes", charge=charge["id"])["data"][0]
    assert [(one["currency"], one["amount"]) for one in dispute["balance_transactions"]] == [("usd", -1_163)]
    audit(api)


def test_zero_decimal_amounts_are_exchanged_too(api: Api) -> None:
    charge = api.ok("post", "/v1/charges", amount=1_520, currency="jpy", source="tok_visa")
    found = transaction(api, charge["balance_transaction"])
    assert (found["currency"], found["amount"]) == ("usd", 1_000)


def test_a_balance_in_that_currency_keeps_it(api: Api) -> None:
    charge = api.ok("post", "/v1/charges", amount=1_000, currency="usd", source="tok_visa")
    assert transaction(api, charge["balance_transaction"])["exchange_rate"] is None
    bank = {"object": "bank_account", "country": "DE", "currency": "eur", "account_number": "DE89370400440532013000"}
    account = connected(api)
    api.ok("post", f"/v1/accounts/{account['id']}/external_accounts", external_account=bank)
    charge = api.ok("post", "/v1/charges", amount=1_000, currency="eur", source="tok_visa", headers=acting(account))
    found = api.ok("get", f"/v1/balance_transactions/{charge['balance_transaction']}", headers=acting(account))
    assert (found["currency"], found["amount"], found["exchange_rate"]) == ("eur", 1_000, None)
    audit(api, account)


def test_a_destination_charge_passes_on_what_was_settled(api: Api) -> None:
    account = connected(api)
    charge = api.ok(
        "post",
        "/v1/charges",
        amount=1_000,
        currency="eur",
        source="tok_visa",
        transfer_data={"destination": account["id"]},
    )
    transfer = api.ok("get", f"/v1/transfers/{charge['transfer']}")
    assert (transfer["currency"], transfer["amount"]) == ("usd", 1_163)
    audit(api, account)


def test_a_charge_on_behalf_of_an_account_settles_in_that_accounts_currency(api: Api) -> None:
    euro = {"object": "bank_account", "country": "DE", "currency": "eur", "account_number": "DE89370400440532013000"}
    account = connected(api, country="DE", default_currency="eur", external_account=euro)
    charge = api.ok(
        "post", "/v1/charges", amount=1_000, currency="usd", source="tok_bypassPending", on_behalf_of=account["id"],
        application_fee_amount=100, transfer_data={"destination": account["id"]},
        expand=["balance_transaction", "transfer"],
    )  # fmt: skip
    own = charge["balance_transaction"]
    assert (own["currency"], own["amount"]) == ("eur", round(1_000 * own["exchange_rate"]))
    assert (charge["transfer"]["amount"], charge["transfer"]["currency"]) == (own["amount"], "eur")
    payment = api.get(f"/v1/charges/{charge['transfer']['destination_payment']}", headers=acting(account))
    assert (payment["currency"], payment["application_fee_amount"]) == ("eur", round(100 * own["exchange_rate"]))
    assert available(api, account, "eur") == payment["amount"] - payment["application_fee_amount"]
    api.ok("post", "/v1/refunds", charge=charge["id"], reverse_transfer=True, refund_application_fee=True)
    assert available(api, account, "eur") == 0
    audit(api, account)
