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


def test_a_charge_is_captured_before_it_is_the_source_of_a_transfer(api: Api) -> None:
    """stripe-node issue 590: it is captured first, and then the funds are transferred."""
    account = connected(api)
    charge = api.ok("post", "/v1/charges", amount=1_000, currency="usd", source="tok_visa", capture=False)
    given = {"amount": 100, "currency": "usd", "destination": account["id"], "source_transaction": charge["id"]}
    refused = api.post("/v1/transfers", **given)
    message = f"The charge {charge['id']} has not been captured and cannot be the source of a transfer."
    assert refused.refusal == (400, None, "source_transaction", message)
    api.ok("post", f"/v1/charges/{charge['id']}/capture")
    assert api.post("/v1/transfers", **given).status == 200


def test_a_transfer_shows_nothing_of_an_account_that_has_left_the_platform(api: Api) -> None:
    account = api.ok("post", "/v1/accounts", type="standard", country="US", email="shop@example.com")
    customer = api.ok("post", "/v1/customers", headers=acting(account), email="jenny@example.com")["id"]
    fund(api, 10_000)
    sent = {"amount": 700, "currency": "usd", "destination": account["id"], "transfer_group": customer}
    path = "/v1/transfers/" + api.ok("post", "/v1/transfers", **sent)["id"]
    shown = ["destination_payment", "transfer_group"]
    assert api.get(path, expand=shown)["destination_payment"]["amount"] == 700
    api.ok("delete", f"/v1/accounts/{account['id']}")
    left = api.get(path, expand=shown)
    assert left["destination_payment"] is None
    assert "jenny@example.com" not in str(left)


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
    assert (available(api, account), available(api)) == (-15, 0)  # what the account owes is reserved
    assert [one["amount"] for one in api.get("/v1/balance")["connect_reserved"]] == [15]
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


def test_a_transfer_out_of_a_converted_charge_is_in_the_currency_of_its_balance_transaction(api: Api) -> None:
    account = connected(api)
    charge = api.ok("post", "/v1/charges", amount=1_000, currency="eur", source="tok_visa")
    given = {"destination": account["id"], "amount": 100, "source_transaction": charge["id"]}
    refused = api.post("/v1/transfers", currency="gbp", **given)
    assert "balance transaction (usd) must be the same as the transfer currency (gbp)" in refused.error["message"]
    api.ok("post", "/v1/transfers", currency="usd", **given)
    transfer = api.ok("post", "/v1/transfers", currency="eur", expand=["balance_transaction"], **given)
    assert (transfer["balance_transaction"]["currency"], transfer["balance_transaction"]["amount"]) == ("usd", -116)
    back = api.ok("post", f"/v1/transfers/{transfer['id']}/reversals", expand=["balance_transaction"])
    assert (back["amount"], back["balance_transaction"]["currency"], back["balance_transaction"]["amount"]) == (
        100,
        "usd",
        116,
    )
    audit(api, account)


def test_a_transfer_of_a_group_is_reversed_only_while_its_receiver_has_the_money(api: Api) -> None:
    account = connected(api)
    fund(api, 10_000)
    made = {
        group: api.ok("post", "/v1/transfers", amount=500, currency="usd", destination=account["id"], **more)["id"]
        for group, more in (("none", {}), ("order", {"transfer_group": "order"}))
    }
    api.ok("post", "/v1/payouts", amount=700, currency="usd", headers=acting(account))
    refused = api.post(f"/v1/transfers/{made['order']}/reversals")
    assert (refused.status, refused.error["code"]) == (400, "balance_insufficient")
    assert api.post(f"/v1/transfers/{made['order']}/reversals", amount=300).status == 200
    assert api.post(f"/v1/transfers/{made['none']}/reversals").status == 200
    assert available(api, account) == -500
    audit(api, account)


def test_transfers_and_reversals_take_only_metadata_and_a_description_later(api: Api) -> None:
    account = connected(api)
    fund(api, 10_000)
    given = {"amount": 500, "currency": "usd", "destination": account["id"]}
    transfer = f"/v1/transfers/{api.ok('post', '/v1/transfers', **given)['id']}"
    reversal = f"{transfer}/reversals/{api.ok('post', f'{transfer}/reversals', amount=100)['id']}"
    for path in (transfer, reversal):
        assert api.post(path, metadata={"a": "b"})["metadata"] == {"a": "b"}
        assert api.post(path, amount=1).error["code"] == "parameter_unknown"
    assert api.post("/v1/transfers", **given, source_type="cash").error["param"] == "source_type"
