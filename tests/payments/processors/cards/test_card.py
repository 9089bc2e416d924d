"""What a test card is: frozen values, no behaviour but three questions about it."""

from __future__ import annotations

import pytest

from tests.payments.processors.steps import named, numbered
from tollkey.payments.processors.cards import (
    AccountEffect,
    CardPayout,
    Dispute,
    RefundOutcome,
    ThreeDSecure,
)


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
