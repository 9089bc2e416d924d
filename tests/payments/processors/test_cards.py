"""Test cards do what the documentation says, and cards look as recorded answers do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tollkey.payments.processors import cards
from tollkey.payments.processors.cards import (
    AccountEffect,
    CardPayout,
    CardProblem,
    Dispute,
    RefundOutcome,
    ThreeDSecure,
)

NOW = int(datetime(2026, 6, 15, tzinfo=UTC).timestamp())
REAL_NUMBER = "4111111111111111"  # valid, and not a test card here


def named(name: str) -> cards.TestCard:
    card = cards.by_payment_method(name) if name.startswith("pm_") else cards.by_token(name)
    assert card is not None, name
    return card


def numbered(number: str) -> cards.TestCard:
    card = cards.by_number(number)
    assert card is not None, number
    return card


# -- the data as a whole


def test_every_number_is_valid_and_of_its_brand() -> None:
    for card in cards.ALL:
        assert cards.luhn_valid(card.number), card.number
        assert cards.brand_of(card.number) == card.brand
        assert cards.validate_new_card(card.number, 12, 2030, None, NOW, False) is None


def test_every_name_stands_for_one_card() -> None:
    names = [name for card in cards.ALL for name in card.names]
    assert len(names) == len(set(names))


def test_every_card_is_found_again_by_its_key() -> None:
    for card in cards.ALL:
        assert cards.by_key(card.key) == card


def test_a_name_is_looked_for_only_among_its_kind() -> None:
    assert cards.by_token("pm_card_visa") is None
    assert cards.by_payment_method("tok_visa") is None
    assert cards.by_token("tok_nobody") is None
    assert cards.by_number(REAL_NUMBER) is None


@pytest.mark.parametrize(
    ("name", "number", "brand", "funding", "country"),
    [
        ("pm_card_visa", "4242424242424242", "visa", "credit", "US"),
        ("tok_visa_debit", "4000056655665556", "visa", "debit", "US"),
        ("pm_card_mastercard", "5555555555554444", "mastercard", "credit", "US"),
        ("tok_mastercard_prepaid", "5105105105105100", "mastercard", "prepaid", "US"),
        ("pm_card_amex", "371449635398431", "amex", "credit", "US"),
        ("pm_card_discover", "6011000990139424", "discover", "credit", "US"),
        ("tok_diners", "3056930009020004", "diners", "credit", "US"),
        ("pm_card_jp", "4000003920000003", "visa", "credit", "JP"),
        ("tok_gb_debit", "4000058260000005", "visa", "debit", "GB"),
        ("pm_card_th_credit", "4000007640000003", "visa", "credit", "TH"),
        ("pm_card_authenticationRequired", "4000002760003184", "visa", "credit", "DE"),
        ("tok_mastercard_debit_nz_transferSuccess", "5555055540000165", "mastercard", "debit", "NZ"),
        ("tok_visa_debit_fr_transferFail", "4000052500000016", "visa", "debit", "FR"),
        ("tok_visa_debit_my_transferSuccess", "4000054580000031", "visa", "debit", "MY"),
    ],
)
def test_a_name_stands_for_its_number(name: str, number: str, brand: str, funding: str, country: str) -> None:
    card = named(name)
    assert (card.number, card.brand, card.funding, card.country) == (number, brand, funding, country)


@pytest.mark.parametrize(
    "name", ["pm_card_chargeDeclined", "pm_card_visa_chargeDeclined", "tok_chargeDeclined", "tok_visa_chargeDeclined"]
)
def test_a_behaviour_goes_by_its_name_with_and_without_visa(name: str) -> None:
    assert named(name).number == "4000000000000002"


# -- what cards do


@pytest.mark.parametrize(
    ("number", "code", "decline_code", "param", "advice", "network", "network_advice", "message"),
    [
        ("4000000000000002", "card_declined", "generic_decline", None, "try_again_later", "01", None,
        "Your card was declined."),
        (
            "4000000000009995", "card_declined", "insufficient_funds", None, "try_again_later", "51", "02",
            "Your card has insufficient funds.",
        ),
        ("4000000000009987", "card_declined", "lost_card", None, "do_not_try_again", "41", "01",
        "Your card was declined."),
        ("4000000000009979", "card_declined", "stolen_card", None, "do_not_try_again", "43", "01",
        "Your card was declined."),
        ("4000000000000069", "expired_card", "expired_card", "exp_month", "confirm_card_data", "54", "03",
        "Your card has expired."),
        (
            "4000000000000127", "incorrect_cvc", "incorrect_cvc", "cvc", "confirm_card_data", "N7", "03",
            "Your card's security code is incorrect.",
        ),
        (
            "4000000000000119", "processing_error", "processing_error", None, "try_again_later", "06", None,
            "An error occurred while processing your card. Try again in a little bit.",
        ),
        (
            "4000000000006975", "card_declined", "card_velocity_exceeded", None, "try_again_later", "61", "02",
            "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
        ),
    ],
)  # fmt: skip
def test_a_declining_card_says_why(
    number: str,
    code: str,
    decline_code: str,
    param: str | None,
    advice: str,
    network: str,
    network_advice: str | None,
    message: str,
) -> None:
    decline = numbered(number).decline
    assert decline is not None
    assert (decline.code, decline.decline_code, decline.param, decline.message) == (code, decline_code, param, message)
    assert decline.extra() == {
        "advice_code": advice,
        "network_decline_code": network,
        "network_advice_code": network_advice,
    }


def test_a_declining_or_blocked_card_is_not_saved_and_one_with_a_wrong_cvc_only_if_it_was_given() -> None:
    declining, blocked, wrong = (
        numbered(number) for number in ("4000000000000002", "4100000000000019", "4000000000000127")
    )
    assert declining.refuses_saving(cvc=False) == declining.decline
    refused = blocked.refuses_saving(cvc=True)
    assert refused is not None
    assert refused.decline_code == "fraudulent"
    assert wrong.refuses_saving(cvc=False) is None
    assert wrong.refuses_saving(cvc=True) == wrong.decline


def test_0341_can_be_attached_and_then_declines() -> None:
    card = named("tok_chargeCustomerFail")
    assert card.last4 == "0341"
    assert card.refuses_saving(cvc=True) is None
    assert card.decline is not None
    assert named("tok_visa_chargeCustomerFailLostCard").decline != card.decline


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


def test_radar_cards_carry_their_risk() -> None:
    found = [
        (named(f"pm_card_{name}").risk_level, named(f"pm_card_{name}").blocked)
        for name in ("radarBlock", "riskLevelHighest", "riskLevelElevated", "visa")
    ]
    assert found == [("highest", True), ("highest", False), ("elevated", False), ("normal", False)]


def test_cards_cause_disputes_refund_troubles_and_early_availability() -> None:
    assert named("pm_card_createDispute").dispute is Dispute.FRAUDULENT
    assert named("pm_card_createDispute").dispute_protected_by_3ds
    assert not named("pm_card_createDisputeProductNotReceived").dispute_protected_by_3ds
    assert named("pm_card_createDisputeInquiry").dispute is Dispute.INQUIRY
    assert named("pm_card_createIssuerFraudRecord").early_fraud_warning
    assert named("pm_card_pendingRefund").refund is RefundOutcome.PENDING
    assert named("pm_card_refundFail").refund is RefundOutcome.FAILS_LATER
    assert named("pm_card_bypassPending").bypass_pending
    assert named("pm_card_bypassPendingInternational").country != "US"
    assert named("tok_visa_triggerTransferBlock").account_effect is AccountEffect.PAYOUT_BLOCK
    assert named("tok_visa_debit_us_transferFail").payout is CardPayout.FAILS


@pytest.mark.parametrize(
    ("number", "on_session", "off_session", "off_session_set_up"),
    [
        ("4242424242424242", False, False, False),
        ("4000002500003155", True, True, False),
        ("4000002760003184", True, True, True),
        ("4000003800000446", True, False, False),
        ("4000008260003178", True, True, True),
        ("4000000000003220", True, False, False),
        ("4000008400001280", True, False, False),
        ("4000000000003055", False, False, False),
        ("378282246310005", False, False, False),
    ],
)
def test_a_card_asks_for_3d_secure_when_it_should(
    number: str, on_session: bool, off_session: bool, off_session_set_up: bool
) -> None:
    card = numbered(number)
    assert card.needs_authentication(off_session=False, set_up=False) is on_session
    assert card.needs_authentication(off_session=True, set_up=False) is off_session
    assert card.needs_authentication(off_session=True, set_up=True) is off_session_set_up


def test_3d_secure_that_was_asked_for_happens_where_the_card_has_it() -> None:
    assert numbered("4000000000003055").needs_authentication(off_session=False, set_up=False, requested=True)
    assert not numbered("4242424242424242").needs_authentication(off_session=False, set_up=False, requested=True)
    assert numbered("4000000000003097").authentication_fails()
    assert numbered("4000008400001280").authentication_fails()
    assert not numbered("4000000000003220").authentication_fails()
    decline = numbered("4000008260003178").authenticated_decline
    assert decline is not None
    assert decline.decline_code == "insufficient_funds"
    assert numbered("378282246310005").three_d_secure is ThreeDSecure.NOT_SUPPORTED


# -- a new card's data


@pytest.mark.parametrize(
    ("number", "month", "year", "cvc", "code", "param"),
    [
        ("4242424242424241", 12, 2030, "123", "incorrect_number", "number"),
        ("424242424242", 12, 2030, "123", "incorrect_number", "number"),
        ("4242", 12, 2030, "123", "invalid_number", "number"),
        ("", 12, 2030, "123", "invalid_number", "number"),
        ("4242x24242424242", 12, 2030, "123", "invalid_number", "number"),
        ("٤242424242424242", 12, 2030, "123", "invalid_number", "number"),
        ("4242424242424242", 13, 2030, "123", "invalid_expiry_month", "exp_month"),
        ("4242424242424242", 0, 2030, "123", "invalid_expiry_month", "exp_month"),
        ("4242424242424242", 5, 2026, "123", "invalid_expiry_month", "exp_month"),
        ("4242424242424242", 12, 2025, "123", "invalid_expiry_year", "exp_year"),
        ("4242424242424242", 12, 95, "123", "invalid_expiry_year", "exp_year"),
        ("4242424242424242", 12, 2077, "123", "invalid_expiry_year", "exp_year"),
        ("4242424242424242", 12, -1, "123", "invalid_expiry_year", "exp_year"),
        ("4242424242424242", 12, 2030, "99", "invalid_cvc", "cvc"),
        ("4242424242424242", 12, 2030, "1234", "invalid_cvc", "cvc"),
        ("4242424242424242", 12, 2030, "12a", "invalid_cvc", "cvc"),
        ("4242424242424242", 12, 2030, "", "invalid_cvc", "cvc"),
        ("4242424242424241", 13, 95, "99", "incorrect_number", "number"),
    ],
)
def test_wrong_card_data_is_named(number: str, month: int, year: int, cvc: str, code: str, param: str) -> None:
    problem = cards.validate_new_card(number, month, year, cvc, NOW, False)
    assert problem is not None
    assert (problem.code, problem.param, problem.decline_code) == (code, param, None)


@pytest.mark.parametrize(
    ("number", "month", "year", "cvc"),
    [
        ("4242 4242 4242 4242", 6, 2026, "123"),
        ("4242-4242-4242-4242", 1, 34, None),
        ("378282246310005", 1, 2030, "1234"),
        ("6205500000000000004", 1, 2030, "123"),
        ("36227206271667", 1, 2030, "123"),
    ],
)
def test_a_good_test_card_has_no_problem_in_test_mode(number: str, month: int, year: int, cvc: str | None) -> None:
    assert cards.validate_new_card(number, month, year, cvc, NOW, False) is None


def test_a_card_of_the_other_mode_is_declined() -> None:
    assert cards.validate_new_card(REAL_NUMBER, 12, 2030, "123", NOW, False) == CardProblem(
        "card_declined",
        "Your card was declined. Your request was in test mode, but used a non test card."
        " For a list of valid test cards, visit: https://stripe.com/docs/testing.",
        "",
        "test_mode_live_card",
    )
    assert cards.validate_new_card("4242424242424242", 12, 2030, "123", NOW, True) == CardProblem(
        "card_declined",
        "Your card was declined. Your request was in live mode, but used a known test card.",
        "",
        "live_mode_test_card",
    )
    assert cards.validate_new_card(REAL_NUMBER, 12, 2030, "123", NOW, True) is None


def test_a_two_digit_year_is_the_nearest_one() -> None:
    assert [cards.full_year(year, NOW) for year in (26, 34, 76, 77, 95, 2031)] == [2026, 2034, 2076, 1977, 1995, 2031]


def test_a_real_number_tells_its_brand_and_nothing_else() -> None:
    card = cards.card_of(REAL_NUMBER)
    assert (card.brand, card.country, card.funding, card.last4) == ("visa", None, "unknown", "1111")
    assert cards.card_of("9999999999999999").brand == "unknown"


# -- how cards look


def test_a_fingerprint_is_the_cards_own_within_an_account() -> None:
    mine = cards.fingerprint("4242424242424242", "acct_1")
    assert len(mine) == 16
    assert mine.isalnum()
    assert mine == cards.fingerprint("4242424242424242", "acct_1")
    others = {
        cards.fingerprint("4242424242424242", "acct_2"),
        cards.fingerprint("4000056655665556", "acct_1"),
        cards.fingerprint("4242424242424242", "acct_1", b"key"),
    }
    assert len(others | {mine}) == 4


def test_a_payment_methods_card_has_the_keys_of_a_recorded_one() -> None:
    body = cards.payment_method_card(
        named("pm_card_visa"), exp_month=5, exp_year=2027, account="acct_1", checks=cards.Checks("pass")
    )
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
    card = numbered(number)
    modern = cards.payment_method_card(card, exp_month=1, exp_year=2030, account="acct_1")
    old = cards.legacy_card(card, id="card_1", exp_month=1, exp_year=2030, account="acct_1")
    assert (modern["brand"], modern["display_brand"], modern["networks"]["available"]) == (brand, display, networks)
    assert old["brand"] == legacy


def test_a_legacy_card_takes_its_address_apart() -> None:
    body = cards.legacy_card(
        named("tok_visa"),
        id="card_1",
        exp_month=12,
        exp_year=2030,
        account="acct_1",
        checks=cards.Checks("pass", "fail"),
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
        named("pm_card_visa"),
        amount=2500,
        exp_month=11,
        exp_year=2026,
        account="acct_1",
        checks=cards.Checks("pass"),
        authorization_code="850665",
        network_transaction_id="119528868122817",
    )
    assert list(body) == sorted(body)
    assert set(body) == {
        "amount_authorized", "authorization_code", "brand", "checks", "country", "exp_month", "exp_year",
        "extended_authorization",
        "fingerprint", "funding", "incremental_authorization", "installments", "last4", "mandate", "multicapture",
        "network",
        "network_token", "network_transaction_id", "overcapture", "regulated_status", "three_d_secure",
        "transaction_link_id", "wallet",
    }  # fmt: skip
    assert body["overcapture"] == {"maximum_amount_capturable": 2500, "status": "unavailable"}
    assert body["amount_authorized"] == 2500
