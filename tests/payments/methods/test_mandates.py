"""Mandates: a customer's permission to debit an account."""

from __future__ import annotations

from tests.payments.intents.steps import pay, setup
from tests.support.api import Api
from tests.support.openapi import assert_valid

JENNY = {"name": "Jenny", "email": "jenny@example.com"}


def test_a_debit_needs_a_mandate(api: Api) -> None:
    answer = pay(api, "pm_usBankAccount_success", allowed_payment_method_types=["us_bank_account"])
    assert answer.error["code"] == "payment_intent_mandate_invalid"


def test_a_mandate_for_one_payment_is_inactive_once_it_was_used(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    method = api.ok(
        "POST", "/v1/payment_methods", type="sepa_debit", sepa_debit={"iban": "DE89370400440532013000"},
        billing_details={"name": "Jenny", "email": "jenny@example.com"},
    )["id"]  # fmt: skip
    intent = setup(
        api, method, customer=customer, allowed_payment_method_types=["sepa_debit"], usage="on_session",
        mandate_data={"customer_acceptance": {"type": "online", "online": {"ip_address": "192.0.2.1",
        "user_agent": "a browser"}}},
        single_use={"amount": 5200, "currency": "EUR"},
    )  # fmt: skip
    mandate = api.get(f"/v1/mandates/{intent['single_use_mandate']}")
    assert_valid("GET", "/v1/mandates/{mandate}", 200, dict(mandate))
    assert (mandate["status"], mandate["single_use"]) == ("active", {"amount": 5200, "currency": "eur"})
    api.ok(
        "POST", "/v1/payment_intents", amount=5200, currency="eur", customer=customer, payment_method=method,
        confirm=True,
        allowed_payment_method_types=["sepa_debit"], mandate=mandate["id"],
    )  # fmt: skip
    assert api.get(f"/v1/mandates/{mandate['id']}")["status"] == "inactive"


def test_detaching_the_account_ends_its_mandate(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    accepted = {"customer_acceptance": {"type": "offline"}}
    types = ["us_bank_account"]
    intent = setup(
        api, "pm_usBankAccount_success", customer=customer, allowed_payment_method_types=types, mandate_data=accepted
    )
    api.ok("POST", f"/v1/payment_methods/{intent['payment_method']}/detach")
    assert api.get(f"/v1/mandates/{intent['mandate']}")["status"] == "inactive"
    assert [event["type"] for event in api.events()][-2:] == ["payment_method.detached", "mandate.updated"]


def test_a_mandate_is_of_what_the_options_of_the_intent_say(api: Api) -> None:
    accepted = {"customer_acceptance": {"type": "offline"}}
    sepa = {"type": "sepa_debit", "sepa_debit": {"iban": "DE89370400440532013000"}, "billing_details": JENNY}
    prefix = {"sepa_debit": {"mandate_options": {"reference_prefix": "TEA-"}}}
    made = pay(
        api, currency="eur", allowed_payment_method_types=["sepa_debit"], mandate_data=accepted,
        payment_method=api.ok("POST", "/v1/payment_methods", **sepa)["id"], payment_method_options=prefix,
        expand=["latest_charge"],
    )  # fmt: skip
    mandate = api.get(f"/v1/mandates/{made['latest_charge']['payment_method_details']['sepa_debit']['mandate']}")
    assert mandate["payment_method_details"]["sepa_debit"]["reference"].startswith("TEA-")


def test_a_canadian_mandate_says_what_it_is_for(api: Api) -> None:
    options = {"currency": "cad", "mandate_options": {
        "default_for": ["invoice"], "payment_schedule": "interval", "interval_description": "each month",
        "transaction_type": "business"}}  # fmt: skip
    data = {"type": "acss_debit", "billing_details": JENNY, "acss_debit": {
        "account_number": "000123456789", "institution_number": "000", "transit_number": "11000"}}  # fmt: skip
    made = api.ok(
        "POST", "/v1/setup_intents", allowed_payment_method_types=["acss_debit"], confirm=True,
        mandate_data={"customer_acceptance": {"type": "offline"}}, payment_method_data=data,
        payment_method_options={"acss_debit": options},
    )  # fmt: skip
    api.ok("POST", f"/v1/setup_intents/{made['id']}/verify_microdeposits", amounts=[32, 45])
    mandate = api.get(f"/v1/mandates/{api.get('/v1/setup_intents/' + made['id'])['mandate']}")
    assert_valid("GET", "/v1/mandates/{mandate}", 200, dict(mandate))
    told = {name: value for name, value in options["mandate_options"].items()}
    assert mandate["payment_method_details"]["acss_debit"] == told
