"""How a card looks: in a PaymentMethod, as a legacy ``card`` object, in a charge. All keys that real answers carry."""

from __future__ import annotations

import pytest

from tests.payments.processors.steps import named, numbered
from tollkey.payments.processors import cards


def test_checks_fail_only_for_what_was_given() -> None:
    card = named("pm_card_avsFail")
    assert cards.checks_at_charge(card, cvc=True).wire() == {
        "address_line1_check": None,
        "address_postal_code_check": None,
        "cvc_check": "pass",
    }
    assert cards.checks_at_charge(card, cvc=False, postal_code=True, line1=True) == cards.Checks(None, "fail", "fail")
    assert cards.checks_at_charge(named("tok_cvcCheckFail"), cvc=True).cvc == "fail"
    assert cards.checks_at_charge(named("tok_avsUnchecked"), cvc=False, postal_code=True).postal_code == "unavailable"
    assert cards.checks_at_creation(cvc=True, postal_code=True) == cards.Checks("unchecked", "unchecked", None)


def test_a_payment_methods_card_has_the_keys_of_a_recorded_one() -> None:
    body = cards.payment_method_card(cards.CardDetails(named("pm_card_visa"), 5, 2027, "acct_1", cards.Checks("pass")))
    fingerprint = body.pop("fingerprint")
    assert len(fingerprint) == 16
    assert body == {
        "brand": "visa",
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": "visa",
        "exp_month": 5,
        "exp_year": 2027,
        "funding": "credit",
        "generated_from": None,
        "last4": "4242",
        "networks": {"available": ["visa"], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


@pytest.mark.parametrize(
    ("number", "brand", "display", "legacy", "networks"),
    [
        ("371449635398431", "amex", "american_express", "American Express", ["amex"]),
        ("5555555555554444", "mastercard", "mastercard", "MasterCard", ["mastercard"]),
        ("3056930009020004", "diners", "diners_club", "Diners Club", ["diners"]),
        ("4000002500001001", "visa", "visa", "Visa", ["visa", "cartes_bancaires"]),
    ],
)
def test_a_brand_is_written_as_each_place_writes_it(
    number: str, brand: str, display: str, legacy: str, networks: list[str]
) -> None:
    details = cards.CardDetails(numbered(number), 1, 2030, "acct_1")
    modern, old = cards.payment_method_card(details), cards.legacy_card(details, id="card_1")
    assert (modern["brand"], modern["display_brand"], modern["networks"]["available"]) == (brand, display, networks)
    assert old["brand"] == legacy


def test_a_legacy_card_takes_its_address_apart() -> None:
    body = cards.legacy_card(
        cards.CardDetails(named("tok_visa"), 12, 2030, "acct_1", cards.Checks("pass", "fail")),
        id="card_1",
        address={"line1": "1 Main St", "postal_code": "94103", "city": None},
        name="Jo",
        customer="cus_1",
    )
    assert (body["object"], body["address_line1"], body["address_zip"], body["address_zip_check"]) == (
        "card",
        "1 Main St",
        "94103",
        "fail",
    )
    assert (body["customer"], body["name"], body["cvc_check"]) == ("cus_1", "Jo", "pass")
    assert "account" not in body
    assert "currency" not in body


def test_a_charges_card_has_the_keys_of_a_recorded_one() -> None:
    body = cards.charge_card_details(
        cards.CardDetails(named("pm_card_visa"), 11, 2026, "acct_1", cards.Checks("pass")),
        cards.NetworkAnswer("850665", "119528868122817"),
        amount=2500,
    )
    assert list(body) == sorted(body)
    assert set(body) == {
        "amount_authorized", "authorization_code", "brand", "checks", "country",
        "electronic_commerce_indicator", "exp_month", "exp_year", "extended_authorization",
        "fingerprint", "funding", "incremental_authorization", "installments", "last4", "mandate", "multicapture",
        "network",
        "network_token", "network_transaction_id", "overcapture", "regulated_status", "three_d_secure",
        "transaction_link_id", "wallet",
    }  # fmt: skip
    assert body["overcapture"] == {"maximum_amount_capturable": 2500, "status": "unavailable"}
    assert body["amount_authorized"] == 2500
