"""Every answer of the card-payment resources is what Stripe's own document says it is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api
from tests.support.openapi import problems
from tests.support.recipes import CARD


class Judge:
    """Sends requests that must succeed and holds each answer against the document."""

    def __init__(self, api: Api) -> None:
        self.api, self.wrong = api, []  # type: ignore[var-annotated]

    def __call__(self, method: str, template: str, /, *ids: str, **params: Any) -> Answer:
        path = template
        for id in ids:
            start, end = path.index("{"), path.index("}")
            path = path[:start] + id + path[end + 1 :]
        answer = getattr(self.api, method.lower())(path, **params)
        if answer.status != 200:
            self.wrong.append(f"{method} {path}: {answer.status} {dict(answer)}")
        self.wrong += [
            f"{method} {template}: {problem}" for problem in problems(method, template, answer.status, answer.body)
        ]
        return answer


@pytest.fixture
def judge(api: Api) -> Judge:
    return Judge(api)


def test_customers_and_what_they_save(judge: Judge) -> None:
    customer = judge(
        "POST", "/v1/customers", email="a@example.com", name="Jane", metadata={"k": "v"}, source="tok_visa"
    )
    judge(
        "GET",
        "/v1/customers/{customer}",
        customer["id"],
        expand=["sources", "subscriptions", "tax_ids", "tax", "default_source"],
    )
    judge("GET", "/v1/customers")
    judge("GET", "/v1/customers/search", query="email:'a@example.com'")
    bank = judge("POST", "/v1/customers/{customer}/sources", customer["id"], source="btok_us")
    judge("POST", "/v1/customers/{customer}/sources/{id}/verify", customer["id"], bank["id"], amounts=[32, 45])
    judge("POST", "/v1/customers/{customer}/sources/{id}", customer["id"], customer["default_source"], name="J")
    judge("GET", "/v1/customers/{customer}/sources", customer["id"])
    judge("GET", "/v1/customers/{customer}/sources/{id}", customer["id"], bank["id"])
    judge("DELETE", "/v1/customers/{customer}/sources/{id}", customer["id"], bank["id"])
    method = judge("POST", "/v1/payment_methods", type="card", card=CARD)
    judge("POST", "/v1/payment_methods/{payment_method}/attach", method["id"], customer=customer["id"])
    judge("POST", "/v1/payment_methods/{payment_method}", method["id"], billing_details={"name": "J"})
    judge("GET", "/v1/payment_methods", customer=customer["id"], type="card")
    judge("GET", "/v1/customers/{customer}/payment_methods", customer["id"])
    judge("POST", "/v1/customers/{customer}", customer["id"], invoice_settings={"default_payment_method": method["id"]})
    judge("POST", "/v1/payment_methods/{payment_method}/detach", method["id"])
    judge("DELETE", "/v1/customers/{customer}", customer["id"])
    judge("GET", "/v1/customers/{customer}", customer["id"])
    assert judge.wrong == []


def test_tokens_sources_and_payment_methods_of_every_kind(judge: Judge) -> None:
    judge("POST", "/v1/tokens", card=CARD)
    bank = {"country": "US", "currency": "usd", "account_number": "000123456789", "routing_number": "110000000"}
    token = judge("POST", "/v1/tokens", bank_account=bank)
    judge("POST", "/v1/tokens", pii={"id_number": "000000000"})
    judge("POST", "/v1/tokens", account={"business_type": "individual", "tos_shown_and_accepted": True})
    judge("POST", "/v1/tokens", person={"first_name": "Jane"})
    judge("POST", "/v1/tokens", cvc_update={"cvc": "123"})
    judge("GET", "/v1/tokens/{token}", token["id"])
    source = judge("POST", "/v1/sources", type="card", token="tok_visa")
    judge("GET", "/v1/sources/{source}", source["id"])
    for kind in ("ideal", "bancontact", "giropay", "eps", "p24", "sofort", "alipay"):
        judge(
            "POST",
            "/v1/sources",
            type=kind,
            amount=1000,
            currency="eur",
            redirect={"return_url": "https://example.com"},
        )
    judge(
        "POST",
        "/v1/sources",
        type="sepa_debit",
        currency="eur",
        sepa_debit={"iban": "DE89370400440532013000"},
        owner={"name": "J"},
    )
    judge("POST", "/v1/sources", type="ach_credit_transfer", currency="usd", owner={"email": "amount_4242@example.com"})
    judge("POST", "/v1/payment_methods", type="sepa_debit", sepa_debit={"iban": "DE89370400440532013000"})
    us = {"account_number": "000123456789", "routing_number": "110000000", "account_holder_type": "individual"}
    judge("POST", "/v1/payment_methods", type="us_bank_account", us_bank_account=us)
    for kind in (
        "alipay",
        "bancontact",
        "giropay",
        "klarna",
        "affirm",
        "link",
        "paypal",
        "cashapp",
        "oxxo",
        "wechat_pay",
        "twint",
        "blik",
    ):
        judge("POST", "/v1/payment_methods", type=kind)
    judge("POST", "/v1/payment_methods", type="ideal", ideal={"bank": "ing"})
    judge("POST", "/v1/payment_methods", type="eps", eps={"bank": "bank_austria"})
    judge("POST", "/v1/payment_methods", type="boleto", boleto={"tax_id": "00000000000"})
    assert judge.wrong == []


def test_charges_refunds_disputes_and_the_balance(judge: Judge) -> None:
    charge = judge("POST", "/v1/charges", amount=2000, currency="usd", source="tok_visa", description="d")
    judge("GET", "/v1/charges/{charge}", charge["id"], expand=["balance_transaction", "refunds"])
    judge("POST", "/v1/charges/{charge}", charge["id"], metadata={"a": "b"})
    held = judge("POST", "/v1/charges", amount=2000, currency="usd", source="tok_visa", capture=False)
    judge("POST", "/v1/charges/{charge}/capture", held["id"], amount=1500)
    refund = judge("POST", "/v1/refunds", charge=charge["id"], amount=500)
    judge("POST", "/v1/refunds/{refund}", refund["id"], metadata={"a": "b"})
    judge("GET", "/v1/refunds", charge=charge["id"])
    judge("GET", "/v1/charges/{charge}/refunds", charge["id"])
    judge("GET", "/v1/charges", limit=2)
    judge("GET", "/v1/charges/search", query="amount>1000")
    for token in (
        "createDispute",
        "createDisputeInquiry",
        "createMultipleDisputes",
        "createCe3EligibleDispute",
        "createComplianceDispute",
    ):
        disputed = judge("POST", "/v1/charges", amount=2000, currency="usd", source=f"tok_{token}")
        judge("POST", "/v1/disputes/{dispute}", disputed["dispute"], evidence={"uncategorized_text": "x"}, submit=False)
        judge("POST", "/v1/disputes/{dispute}/close", disputed["dispute"])
    judge("GET", "/v1/disputes")
    judge("POST", "/v1/charges", amount=2000, currency="usd", source="tok_riskLevelElevated")
    review = judge("GET", "/v1/reviews")["data"][0]
    judge("GET", "/v1/reviews/{review}", review["id"])
    judge("POST", "/v1/reviews/{review}/approve", review["id"])
    judge("POST", "/v1/charges", amount=2000, currency="usd", source="tok_createIssuerFraudRecord")
    warning = judge("GET", "/v1/radar/early_fraud_warnings")["data"][0]
    judge("GET", "/v1/radar/early_fraud_warnings/{early_fraud_warning}", warning["id"])
    judge("GET", "/v1/balance")
    page = judge("GET", "/v1/balance_transactions")
    judge("GET", "/v1/balance_transactions/{id}", page["data"][0]["id"])
    assert judge.wrong == []
