"""Who may charge; and what of a charge goes to others: an application fee, the transfer of a destination charge."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api
from tests.support.connected import acting, audit, available, connected, in_state, korean_recipient
from tests.support.openapi import assert_valid

DISABLED = "Your account cannot currently make charges."
DIRECT = "You cannot create a charge on a connected account without the `card_payments` capability enabled."
BEHALF = "You cannot create a charge with the `on_behalf_of` parameter set to a connected account with `transfers`"


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


def charge(api: Api, way: str, **more: Any) -> Answer:
    """Try a payment in one of the ways that there are."""
    if way == "charge":
        return api.post("/v1/charges", amount=100, currency="usd", source="tok_visa", **more)
    headers = {"headers": more["headers"]} if "headers" in more else {}
    given = {"allowed_payment_method_types": ["card"], "payment_method": "pm_card_visa", **more}
    intent = api.ok("post", "/v1/payment_intents", amount=100, currency="usd", **given)
    return api.post(f"/v1/payment_intents/{intent['id']}/confirm", **headers)


@pytest.mark.parametrize("way", ["charge", "intent"])
@pytest.mark.parametrize(
    ("state", "refusal"),
    [("unrequested", DISABLED), ("inactive", DISABLED), ("rejected", DISABLED), ("pending", None), ("active", None)],
)
def test_only_an_account_that_is_enabled_is_charged_for(api: Api, way: str, state: str, refusal: str | None) -> None:
    account = in_state(api, state)
    for more in ({"headers": acting(account)}, {"on_behalf_of": account["id"]}):
        answer = charge(api, way, **more)
        assert answer.status == (200 if refusal is None else 400)
        assert refusal is None or answer.error["message"] == refusal


@pytest.mark.parametrize("way", ["charge", "intent"])
def test_a_recipient_cannot_charge_nor_be_charged_for(api: Api, way: str) -> None:
    account = korean_recipient(api)
    assert charge(api, way, headers=acting(account)).error["message"] == DIRECT
    assert charge(api, way, on_behalf_of=account["id"]).error["message"].startswith(BEHALF)


def test_a_test_card_that_blocks_charges_stops_the_next_one(api: Api) -> None:
    account = connected(api)
    given = {"amount": 100, "currency": "usd", "headers": acting(account)}
    api.ok("post", "/v1/charges", source="tok_visa_triggerChargeBlock", **given)
    api.advance(1)
    assert api.post("/v1/charges", source="tok_visa", **given).error["message"] == DISABLED


def test_an_invoice_of_an_account_that_cannot_charge_stays_open(api: Api) -> None:
    account = in_state(api, "active")
    headers = acting(account)
    method = api.ok("post", "/v1/payment_methods", type="card", card={"token": "tok_visa"}, headers=headers)["id"]
    given = {"payment_method": method, "invoice_settings": {"default_payment_method": method}}
    customer = api.ok("post", "/v1/customers", headers=headers, **given)["id"]
    api.ok("post", "/v1/invoiceitems", customer=customer, amount=500, currency="usd", headers=headers)
    invoice = api.ok(
        "post", "/v1/invoices", customer=customer, pending_invoice_items_behavior="include", headers=headers
    )
    api.ok("post", f"/v1/accounts/{account['id']}/reject", reason="fraud_other")
    api.ok("post", f"/v1/invoices/{invoice['id']}/finalize", headers=headers)
    assert api.post(f"/v1/invoices/{invoice['id']}/pay", headers=headers).error["message"] == DISABLED
    assert api.get(f"/v1/invoices/{invoice['id']}", headers=headers)["status"] == "open"


def test_an_application_fee_stays_within_the_country_where_it_is_not_supported_across(api: Api) -> None:
    bank = {"object": "bank_account", "country": "MX", "currency": "mxn", "account_number": "000123456789"}
    account = connected(api, country="MX", external_account=bank)
    message = "Stripe doesn't currently support application fees for platforms in US with connected accounts in MX."
    direct = {"amount": 100, "currency": "usd", "application_fee_amount": 10, "headers": acting(account)}
    for path, more in (("/v1/charges", {"source": "tok_visa"}), ("/v1/payment_intents", {})):
        refused = api.post(path, **direct, **more)
        assert (refused.status, refused.error["code"]) == (400, "charge_invalid_parameter")
        assert (refused.error["param"], refused.error["message"]) == ("application_fee_amount", message)
    behalf = {"transfer_data": {"destination": account["id"]}, "on_behalf_of": account["id"]}
    given = {"amount": 100, "currency": "usd", "application_fee_amount": 10, **behalf}
    assert api.post("/v1/payment_intents", **given).error["message"] == message


def test_a_destination_gets_no_more_than_is_paid_or_captured(api: Api) -> None:
    account = connected(api)
    given = {"amount": 1_000, "currency": "usd", "source": "tok_visa"}
    for share, status in ((1_001, 400), (1_000, 200)):
        answer = api.post("/v1/charges", **given, transfer_data={"destination": account["id"], "amount": share})
        assert (answer.status, answer.get("error", {}).get("param")) == (
            status,
            "transfer_data[amount]" if status == 400 else None,
        )
    held = api.ok("post", "/v1/charges", **given, capture=False, transfer_data={"destination": account["id"]})
    path = f"/v1/charges/{held['id']}/capture"
    refused = api.post(path, amount=600, transfer_data={"amount": 601})
    assert (refused.status, refused.error["param"]) == (400, "transfer_data[amount]")
    assert api.post(path, amount=600, transfer_data={"amount": 600}).status == 200
