"""A connected account accepts the payment methods whose capability is active, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api, rule_table
from tests.support.connected import acting, connected, everything
from tests.support.versions import BEFORE_ENDIVE
from tollkey.payments.methods.method_capabilities import capabilities_of
from tollkey.payments.methods.method_types import TYPES

#: Types that every account with ``card_payments`` accepts: the document knows no capability of their own.
WITHOUT_ONE = {"card", "card_present", "interac_present", "alipay", "paypal", "wechat_pay"}
LATER = {"paypay_payments", "sequra_payments"}
BASE = {"card_payments", "transfers"}
GATED = sorted(TYPES.keys() - WITHOUT_ONE)
MESSAGE = (
    "The payment method type provided: {} is invalid. Please ensure the provided type is activated in your dashboard"
)
WAYS = ["acting", "on_behalf_of"]


def test_every_type_has_a_capability_or_is_known_to_have_none() -> None:
    assert {kind for kind in TYPES if not capabilities_of(kind)} == WITHOUT_ONE


def currency_of(kind: str) -> str:
    return "usd" if "usd" in TYPES[kind].currencies else min(TYPES[kind].currencies, default="usd")


def account_with(api: Api, *names: str, **params: Any) -> str:
    """An account with these capabilities; those that accounts are not created with are requested afterwards."""
    wanted = {name: {"requested": True} for name in {*BASE, *names} - LATER}
    made: str = connected(api, capabilities=wanted, **params)["id"]
    for name in LATER.intersection(names):
        api.ok("post", f"/v1/accounts/{made}/capabilities/{name}", requested=True)
    return made


def as_merchant(way: str, account: str) -> dict[str, Any]:
    """The parameters that make a connected account the merchant of record."""
    return {"headers": {"Stripe-Account": account}} if way == "acting" else {"on_behalf_of": account}


def intent(api: Api, way: str, account: str, **params: Any) -> Any:
    given = {"amount": 5_000, "currency": "usd", **params}
    return api.post("/v1/payment_intents", **given, **as_merchant(way, account))


@rule_table
@pytest.mark.parametrize("kind", GATED)
def test_each_type_is_refused_without_its_capability_and_taken_with_it(api: Api, kind: str) -> None:
    old, currency = api.under(BEFORE_ENDIVE), currency_of(kind)
    without, having = account_with(api), account_with(api, capabilities_of(kind, currency)[0])
    for way in WAYS:
        refused = intent(old, way, without, currency=currency, payment_method_types=["card", kind])
        assert refused.status == 400
        assert refused.error["message"].startswith(MESSAGE.format(kind))
        assert (refused.error["code"], refused.error["param"]) == (
            "payment_intent_invalid_parameter",
            "payment_method_types",
        )
        taken = intent(old, way, having, currency=currency, payment_method_types=["card", kind])
        assert (taken.status, taken["payment_method_types"]) == (200, ["card", kind])


@pytest.mark.parametrize("way", WAYS)
def test_allowed_and_automatic_types_are_those_that_the_account_accepts(api: Api, way: str) -> None:
    account = account_with(api, "klarna_payments")
    allowed = intent(api, way, account, allowed_payment_method_types=["card", "cashapp", "klarna"])
    assert allowed["payment_method_types"] == ["card", "klarna"]
    none = intent(api, way, account, allowed_payment_method_types=["cashapp"])
    assert (none.status, none.error["param"]) == (400, "allowed_payment_method_types")
    assert set(intent(api, way, account)["payment_method_types"]) - WITHOUT_ONE == {"klarna"}
    own = api.ok("POST", "/v1/payment_intents", amount=5_000, currency="usd")
    assert {"cashapp", "us_bank_account"} < set(own["payment_method_types"])


@pytest.mark.parametrize("way", WAYS)
def test_a_setup_and_a_checkout_session_offer_what_the_account_accepts(api: Api, way: str) -> None:
    old, account = api.under(BEFORE_ENDIVE), account_with(api, "us_bank_account_ach_payments")
    merchant = as_merchant(way, account)
    setup = api.ok("POST", "/v1/setup_intents", **merchant)
    assert setup["payment_method_types"] == ["card", "us_bank_account"]
    named = old.post("/v1/setup_intents", payment_method_types=["sepa_debit"], **merchant)
    assert (named.status, named.error["param"]) == (400, "payment_method_types")
    line = {"quantity": 1, "price_data": {"currency": "usd", "unit_amount": 5_000, "product_data": {"name": "A"}}}
    page = {"mode": "payment", "line_items": [line], "success_url": "https://example.com/"}
    behalf = merchant.pop("on_behalf_of", None)
    if behalf is not None:
        page["payment_intent_data"] = {"on_behalf_of": behalf}
    session = api.ok("POST", "/v1/checkout/sessions", **page, **merchant)
    assert set(session["payment_method_types"]) - WITHOUT_ONE == {"us_bank_account"}
    refused = old.post("/v1/checkout/sessions", **page, payment_method_types=["card", "klarna"], **merchant)
    assert refused.error["message"].startswith(MESSAGE.format("klarna"))


@pytest.mark.parametrize("way", WAYS)
def test_a_capability_that_was_lost_since_is_asked_for_when_the_payment_is_confirmed(api: Api, way: str) -> None:
    account = account_with(api, "us_bank_account_ach_payments")
    made = intent(api, way, account, allowed_payment_method_types=["us_bank_account"])
    api.ok("POST", f"/v1/accounts/{account}/capabilities/us_bank_account_ach_payments", requested=False)
    paying = {
        "payment_method": "pm_usBankAccount_success",
        "mandate_data": {"customer_acceptance": {"type": "offline"}},
    }
    headers = as_merchant(way, account).get("headers")
    refused = api.post(f"/v1/payment_intents/{made['id']}/confirm", **paying, headers=headers)
    assert refused.error["message"].startswith(MESSAGE.format("us_bank_account"))
    assert api.get(f"/v1/payment_intents/{made['id']}", headers=headers)["status"] == "requires_payment_method"
    api.ok("POST", f"/v1/accounts/{account}/capabilities/us_bank_account_ach_payments", requested=True)
    assert (
        api.ok("POST", f"/v1/payment_intents/{made['id']}/confirm", **paying, headers=headers)["status"] == "processing"
    )


@pytest.mark.parametrize(("state", "status"), [("inactive", 400), ("pending", 200), ("active", 200), ("rejected", 400)])
def test_the_state_of_the_capability_decides(api: Api, state: str, status: int) -> None:
    wanted = {name: {"requested": True} for name in (*BASE, "klarna_payments")}
    given: dict[str, Any] = {**everything(api), "capabilities": wanted}
    if state == "inactive":
        given = {"type": "custom", "country": "US", "capabilities": wanted}
    account = api.ok("POST", "/v1/accounts", **given)["id"]
    if state in ("active", "rejected"):
        api.advance(10)
    if state == "rejected":
        api.ok("POST", f"/v1/accounts/{account}/reject", reason="fraud_other")
    shown = api.get(f"/v1/accounts/{account}/capabilities/klarna_payments")["status"]
    assert shown == {"rejected": "inactive"}.get(state, state)
    answer = intent(api.under(BEFORE_ENDIVE), "acting", account, payment_method_types=["klarna"])
    assert answer.status == status


def test_an_invoice_of_a_connected_account_offers_what_it_accepts(api: Api) -> None:
    account = connected(api)
    there = {"headers": acting(account)}
    customer = api.ok("POST", "/v1/customers", **there)["id"]
    api.ok("POST", "/v1/invoiceitems", customer=customer, amount=500, currency="usd", **there)
    invoice = api.ok("POST", "/v1/invoices", customer=customer, pending_invoice_items_behavior="include", **there)
    api.ok("POST", f"/v1/invoices/{invoice['id']}/finalize", **there)
    (made,) = api.get("/v1/payment_intents", **there)["data"]
    assert made["payment_method_types"] == ["card"]


def test_a_charge_of_a_bank_account_needs_its_capability(api: Api) -> None:
    for names, status in (((), 400), (("us_bank_account_ach_payments",), 200)):
        there = {"headers": {"Stripe-Account": account_with(api, *names)}}
        customer = api.ok("POST", "/v1/customers", source="btok_us_verified", **there)
        bank = customer["default_source"]
        if api.get(f"/v1/customers/{customer['id']}/sources/{bank}", **there)["status"] != "verified":
            api.ok("POST", f"/v1/customers/{customer['id']}/sources/{bank}/verify", amounts=[32, 45], **there)
        answer = api.post("/v1/charges", amount=500, currency="usd", customer=customer["id"], **there)
        assert answer.status == status
        assert status == 200 or answer.error["message"].startswith(MESSAGE.format("ach_debit"))
