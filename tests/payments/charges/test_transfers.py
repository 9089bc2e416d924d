"""Transfers: from a platform's balance to a connected account's, and back."""

from __future__ import annotations

from tests.support.api import Api
from tests.support.connected import acting, audit, available, connected, fund
from tests.support.openapi import assert_valid


def test_a_transfer_moves_money_and_makes_a_payment_in_the_connected_account(api: Api) -> None:
    account = connected(api)
    fund(api, 10_000)
    before = available(api)
    transfer = api.ok(
        "post", "/v1/transfers", amount=700, currency="usd", destination=account["id"], metadata={"a": "b"}
    )
    assert_valid("POST", "/v1/transfers", 200, transfer)
    assert available(api) == before - 700
    assert available(api, account) == 700
    payment = api.ok(
        "get", f"/v1/charges/{transfer['destination_payment']}", headers=acting(account), expand=["balance_transaction"]
    )
    assert (payment["amount"], payment["source_transfer"], payment["source"]["id"]) == (
        700,
        transfer["id"],
        api.account,
    )
    assert (payment["balance_transaction"]["type"], payment["balance_transaction"]["net"]) == ("payment", 700)
    own = api.get(f"/v1/balance_transactions/{transfer['balance_transaction']}")
    assert (own["type"], own["amount"], own["source"]) == ("transfer", -700, transfer["id"])
    assert [event["data"]["object"]["id"] for event in api.events("transfer.created")] == [transfer["id"]]
    assert api.get("/v1/events", type="payment.created", headers=acting(account))["data"][0]["account"] == account["id"]
    expanded = api.get(f"/v1/transfers/{transfer['id']}", expand=["destination_payment", "destination"])
    assert (expanded["destination_payment"]["object"], expanded["destination"]["object"]) == ("charge", "account")
    audit(api, account)


def test_a_transfer_beyond_the_available_balance_is_refused(api: Api) -> None:
    account = connected(api)
    api.ok("post", "/v1/charges", amount=5_000, currency="usd", source="tok_visa")  # pending, not available
    refused = api.post("/v1/transfers", amount=100, currency="usd", destination=account["id"])
    assert (refused.status, refused.error["code"]) == (400, "balance_insufficient")
    assert "4000000000000077" in refused.error["message"]


def test_a_charge_as_source_needs_no_available_balance_and_gives_at_most_its_amount(api: Api) -> None:
    account = connected(api)
    charge = api.ok("post", "/v1/charges", amount=5_000, currency="usd", source="tok_visa")
    given = {"currency": "usd", "destination": account["id"], "source_transaction": charge["id"]}
    transfer = api.ok("post", "/v1/transfers", amount=3_000, **given)
    assert (
        transfer["transfer_group"]
        == f"group_{charge['id']}"
        == api.get(f"/v1/charges/{charge['id']}")["transfer_group"]
    )
    assert available(api, account) == 0
    api.advance(7 * 86_400)
    assert available(api, account) == 3_000
    refused = api.post("/v1/transfers", amount=2_001, **given)
    assert "must not exceed the source amount of $50.00" in refused.error["message"]
    other = api.post("/v1/transfers", amount=1, **{**given, "currency": "eur"})
    assert other.error["code"] == "transfer_source_balance_parameters_mismatch"
    audit(api, account)


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


def test_an_account_that_has_told_nothing_yet_receives_money_in_test_mode(api: Api) -> None:
    fund(api, 1_000)
    account = api.ok("post", "/v1/accounts")
    assert api.post("/v1/transfers", amount=10, currency="usd", destination=account["id"]).status == 200


def test_a_reversal_takes_money_back_in_parts_until_nothing_is_left(api: Api) -> None:
    account = connected(api)
    fund(api, 1_000)
    transfer = api.ok("post", "/v1/transfers", amount=500, currency="usd", destination=account["id"])
    path = f"/v1/transfers/{transfer['id']}/reversals"
    part = api.ok("post", path, amount=200, metadata={"why": "half"})
    assert_valid("POST", "/v1/transfers/{id}/reversals", 200, part)
    mirror = api.ok("get", f"/v1/refunds/{part['destination_payment_refund']}", headers=acting(account))
    assert (mirror["amount"], mirror["transfer_reversal"]) == (200, part["id"])
    too_much = api.post(path, amount=301)
    assert too_much.error["message"] == "Reversal amount ($3.01) is greater than unreversed amount on transfer ($3.00)"
    api.ok("post", path)
    transfer = api.get(f"/v1/transfers/{transfer['id']}")
    assert (transfer["reversed"], transfer["amount_reversed"], transfer["reversals"]["total_count"]) == (True, 500, 2)
    assert_valid("GET", "/v1/transfers/{transfer}", 200, transfer)
    assert api.post(path).status == 400
    assert available(api, account) == 0
    assert len(api.events("transfer.reversed")) == 2
    assert [one["amount"] for one in api.get(path)["data"]] == [300, 200]
    audit(api, account)


def test_money_arrives_in_the_accounts_own_currency(api: Api) -> None:
    account = connected(api, country="KR", default_currency="krw", external_account=_korean())
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


def _korean() -> dict[str, str]:
    return {
        "object": "bank_account",
        "country": "KR",
        "currency": "krw",
        "account_number": "000123456789",
        "routing_number": "SGSEKRSLXXX",
    }


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


def test_a_connected_account_can_pay_its_platform(api: Api) -> None:
    account = connected(api)
    fund(api, 1_000, account)
    transfer = api.ok(
        "post", "/v1/transfers", amount=15, currency="usd", destination=api.account, headers=acting(account)
    )
    assert api.get(f"/v1/charges/{transfer['destination_payment']}")["source"]["id"] == account["id"]
    assert available(api) == 15
    audit(api, account)


def test_a_platform_takes_from_an_account_even_what_is_not_there(api: Api) -> None:
    account = connected(api)
    api.ok("post", "/v1/transfers", amount=15, currency="usd", destination=api.account, headers=acting(account))
    assert (available(api, account), available(api)) == (-15, 15)
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


def test_what_a_platform_s_objects_name_in_a_connected_account_expands_to_what_it_is(api: Api) -> None:
    account = connected(api)
    fund(api, 5000)
    shown = ["destination_payment.balance_transaction", "destination_payment.refunds"]
    payment = api.ok("POST", "/v1/transfers", amount=1000, currency="usd", destination=account["id"], expand=shown)[
        "destination_payment"
    ]
    assert (payment["balance_transaction"]["amount"], payment["refunds"]["data"]) == (1000, [])
    api.post(
        "/v1/charges",
        headers=acting(account),
        amount=900,
        currency="usd",
        source="tok_visa",
        application_fee_amount=100,
    )
    (fee,) = api.get("/v1/application_fees", expand=["data.charge.balance_transaction"])["data"]
    assert (fee["charge"]["amount"], fee["charge"]["balance_transaction"]["amount"]) == (900, 900)
    (fee,) = api.get("/v1/application_fees", expand=["data.application"])["data"]
    assert (fee["application"]["object"], fee["application"]["id"][:3]) == ("application", "ca_")


def test_before_payouts_were_their_own_kind_a_transfer_told_what_they_tell(api: Api) -> None:
    account = connected(api)["id"]
    fund(api, 5000)
    headers = {"Stripe-Version": "2016-07-06"}
    transfer = api.post("/v1/transfers", headers=headers, amount=1000, currency="usd", destination=account)
    told = {name: transfer[name] for name in ("date", "method", "recipient", "status", "type")}
    assert told == {
        "date": transfer["created"],
        "method": "standard",
        "recipient": None,
        "status": "paid",
        "type": "stripe_account",
    }


def test_a_connected_account_s_copy_of_a_payment_method_is_of_the_customer_who_has_it(api: Api) -> None:
    account = connected(api)
    has, has_not = (api.ok("POST", "/v1/customers")["id"] for _ in range(2))
    method = api.ok("POST", "/v1/payment_methods/pm_card_visa/attach", customer=has)["id"]
    copy = api.post("/v1/payment_methods", headers=acting(account), customer=has, payment_method=method)
    assert (copy.status, copy["customer"]) == (200, None)
    assert api.get(f"/v1/payment_methods/{copy['id']}", headers=acting(account)).status == 200
    refused = api.post("/v1/payment_methods", headers=acting(account), customer=has_not, payment_method=method).error
    assert refused["message"].startswith(f"The customer does not have a payment method with the ID {method}.")
    refused = api.post("/v1/payment_methods", headers=acting(account), customer="cus_no", payment_method=method).error
    assert (refused["param"], refused["message"]) == ("customer", "No such customer: 'cus_no'")
