"""What comes of a confirmation: the charge, and the state of the intent that follows from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.payments.intents.steps import PAYMENT, pay, types
from tests.support.api import NOW, Api


def test_a_decline_is_a_402_that_carries_the_charge_the_intent_and_the_payment_method(api: Api) -> None:
    answer = pay(api, "pm_card_chargeDeclinedInsufficientFunds")
    assert answer.status == 402
    error = answer.error
    assert (error["type"], error["code"], error["decline_code"]) == (
        "card_error",
        "card_declined",
        "insufficient_funds",
    )
    intent = error["payment_intent"]
    assert (intent["status"], intent["payment_method"], intent["latest_charge"]) == (
        "requires_payment_method",
        None,
        error["charge"],
    )
    assert intent["last_payment_error"]["decline_code"] == "insufficient_funds"
    assert intent["last_payment_error"]["payment_method"]["id"] == error["payment_method"]["id"]
    assert api.get(f"/v1/payment_intents/{intent['id']}") == intent
    assert types(api) == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]


def test_a_card_is_saved_by_the_payment_that_asks_for_it(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    intent = pay(api, customer=customer, setup_future_usage="off_session")
    assert api.get(f"/v1/payment_methods/{intent['payment_method']}")["customer"] == customer
    assert pay(api, intent["payment_method"], customer=customer, off_session=True)["status"] == "succeeded"


def test_save_payment_method_saves_what_has_paid(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    paid = api.ok("POST", "/v1/payment_intents", **PAYMENT, customer=customer, save_payment_method=True)
    done = api.ok("POST", f"/v1/payment_intents/{paid['id']}/confirm", payment_method="pm_card_visa")
    assert api.get(f"/v1/payment_methods/{done['payment_method']}")["customer"] == customer
    other = api.ok("POST", "/v1/payment_intents", **PAYMENT, customer=customer)
    done = api.ok("POST", f"/v1/payment_intents/{other['id']}/confirm", payment_method="pm_card_visa")
    assert api.get(f"/v1/payment_methods/{done['payment_method']}")["customer"] is None


def test_a_debit_for_a_later_day_is_not_made_before_it(api: Api) -> None:
    given = {"name": "Jenny", "email": "jenny@example.com"}
    iban = {"iban": "DE89370400440532013000"}
    bank = api.ok("POST", "/v1/payment_methods", type="sepa_debit", sepa_debit=iban, billing_details=given)["id"]
    day = datetime.fromtimestamp(NOW, UTC).replace(hour=0, minute=0, second=0) + timedelta(days=5)
    paid = api.ok(
        "POST", "/v1/payment_intents", amount=900, currency="eur", allowed_payment_method_types=["sepa_debit"],
        payment_method=bank, confirm=True, mandate_data={"customer_acceptance": {"type": "offline"}},
        payment_method_options={"sepa_debit": {"target_date": day.date().isoformat()}},
    )  # fmt: skip
    api.advance(int(day.timestamp()) - NOW - 1)
    assert api.get(f"/v1/payment_intents/{paid['id']}")["status"] == "processing"
    api.advance(3600)
    assert api.get(f"/v1/payment_intents/{paid['id']}")["status"] == "succeeded"


#: A type whose options ask for a capture by hand, and the method that pays -> the status of the intent.
BY_HAND = {
    "card": ("card", {"type": "card", "card": {"token": "tok_visa"}}, "requires_capture"),
    "link": ("link", {"type": "link"}, "requires_capture"),
    "another type than the one that pays": ("link", {"type": "card", "card": {"token": "tok_visa"}}, "succeeded"),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_HAND)
def test_the_options_of_the_type_that_pays_decide_when_money_is_captured(api: Api, case: str) -> None:
    name, data, status = BY_HAND[case]
    made = api.ok(
        "POST", "/v1/payment_intents", amount=2000, currency="usd", allowed_payment_method_types=["card", "link"],
        payment_method_options={name: {"capture_method": "manual"}}, payment_method_data=data, confirm=True,
    )  # fmt: skip
    assert made["status"] == status
