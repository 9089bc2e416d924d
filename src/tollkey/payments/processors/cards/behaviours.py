"""Test cards with special behavior: declines, failed checks, disputes, 3-D Secure (reference sections 6.5 to 6.8)."""

from __future__ import annotations

from typing import Any

from tollkey.payments.processors.cards import card as c
from tollkey.payments.processors.cards.brands import names
from tollkey.payments.processors.cards.card import AccountEffect, Dispute, RefundOutcome, TestCard, ThreeDSecure


def _visa(number: str, *suffixes: str, country: str = "US", **behaviour: Any) -> TestCard:
    """Each name exists with and without ``visa_`` before it."""
    both = tuple(name for suffix in suffixes for name in (suffix, f"visa_{suffix}"))
    return TestCard(number, "visa", country, names=names(*both), **behaviour)


def _named(number: str, suffix: str, **behaviour: Any) -> TestCard:
    return TestCard(number, "visa", names=names(f"visa_{suffix}"), **behaviour)


_DECLINES = (
    _visa("4000000000000002", "chargeDeclined", decline=c.GENERIC),
    _visa(
        "4000000000009995", "chargeDeclinedInsufficientFunds", "chargeInsufficientFunds", decline=c.INSUFFICIENT_FUNDS
    ),
    _visa("4000000000009987", "chargeDeclinedLostCard", decline=c.LOST),
    _visa("4000000000009979", "chargeDeclinedStolenCard", decline=c.STOLEN),
    _visa("4000000000000069", "chargeDeclinedExpiredCard", decline=c.EXPIRED),
    _visa("4000000000000127", "chargeDeclinedIncorrectCvc", decline=c.INCORRECT_CVC, cvc_check="fail"),
    _visa("4000000000000119", "chargeDeclinedProcessingError", decline=c.PROCESSING_ERROR),
    _visa("4000000000006975", "chargeDeclinedVelocityLimitExceeded", decline=c.VELOCITY),
    _visa("4000000000000341", "chargeCustomerFail", decline=c.GENERIC, decline_at_attach=False),
    # Known by name only; their number is that of a similar card.
    _named("4000000000000341", "chargeCustomerFailLostCard", decline=c.LOST, decline_at_attach=False),
    _named("4000000000000341", "chargeCustomerFailStolenCard", decline=c.STOLEN, decline_at_attach=False),
    _named("4000056655665556", "debit_chargeDeclinedInsufficientFunds", funding="debit", decline=c.INSUFFICIENT_FUNDS),
    _visa("4000003560000263", country="IN", decline_off_session=c.MANDATE_CANCELED),
    _visa("4000003560000123", country="IN", three_d_secure=ThreeDSecure.OPTIONAL, fingerprinted=True),
)

_RADAR = (
    _visa("4100000000000019", "radarBlock", "chargeDeclinedFraudulent", risk_level="highest", blocked=True),
    _visa("4000000000004954", "riskLevelHighest", risk_level="highest"),
    _visa("4000000000009235", "riskLevelElevated", risk_level="elevated"),
    _visa("4000000000000101", "cvcCheckFail", cvc_check="fail"),
    _visa("4000000000000036", "avsZipFail", zip_check="fail"),
    _visa("4000058400307872", "cvcCheckFailElevatedRisk", cvc_check="fail", risk_level="elevated"),
    _visa("4000058400306072", "avsZipFailElevatedRisk", zip_check="fail", risk_level="elevated"),
    _visa("4000000000000028", "avsLine1Fail", line1_check="fail"),
    _visa("4000000000000010", "avsFail", zip_check="fail", line1_check="fail"),
    _visa("4000000000000044", "avsUnchecked", zip_check="unavailable", line1_check="unavailable"),
)

_AFTERWARDS = (
    _visa("4000000000000259", "createDispute", dispute=Dispute.FRAUDULENT, dispute_protected_by_3ds=True),
    _visa("4000000000002685", "createDisputeProductNotReceived", dispute=Dispute.PRODUCT_NOT_RECEIVED),
    _visa("4000000000001976", "createDisputeInquiry", dispute=Dispute.INQUIRY),
    _visa("4000000000005423", "createIssuerFraudRecord", early_fraud_warning=True),
    _visa("4000000404000079", "createMultipleDisputes", dispute=Dispute.MULTIPLE),
    _visa("4000000404000038", "createCe3EligibleDispute", dispute=Dispute.CE3_ELIGIBLE),
    _visa("4000008400000779", "createComplianceDispute", dispute=Dispute.COMPLIANCE),
    _visa("4000000000007726", "pendingRefund", refund=RefundOutcome.PENDING),
    _visa("4000000000005126", "refundFail", refund=RefundOutcome.FAILS_LATER),
    _visa("4000000000000077", "bypassPending", bypass_pending=True),
    _visa("4000003720000278", "bypassPendingInternational", country="IE", bypass_pending=True),
    TestCard(
        "4000000000004202",
        "visa",
        names=("tok_visa_triggerNextRequirements", "tok_visa_triggerVerification"),
        account_effect=AccountEffect.NEXT_REQUIREMENTS,
    ),
    TestCard(
        "4000000000004210", "visa", names=("tok_visa_triggerChargeBlock",), account_effect=AccountEffect.CHARGE_BLOCK
    ),
    TestCard(
        "4000000000004236",
        "visa",
        names=("tok_visa_triggerPayoutBlock", "tok_visa_triggerTransferBlock"),
        account_effect=AccountEffect.PAYOUT_BLOCK,
    ),
)

_REQUIRED = ThreeDSecure.REQUIRED

_AUTHENTICATION = (
    _visa("4000002500003155", "authenticationRequiredOnSetup", country="FR", three_d_secure=ThreeDSecure.UNLESS_SET_UP),
    _visa(
        "4000002760003184",
        "authenticationRequired",
        country="DE",
        three_d_secure=ThreeDSecure.ALWAYS,
        fingerprinted=True,
    ),
    _visa(
        "4000003800000446",
        "authenticationRequiredSetupForOffSession",
        country="IT",
        three_d_secure=ThreeDSecure.ALREADY_SET_UP,
    ),
    _visa(
        "4000008260003178",
        "authenticationRequiredChargeDeclinedInsufficientFunds",
        country="GB",
        three_d_secure=ThreeDSecure.ALWAYS,
        authenticated_decline=c.INSUFFICIENT_FUNDS,
    ),
    _visa(
        "4000000000003220",
        "threeDSecure2Required",
        country="IE",
        three_d_secure=_REQUIRED,
        fingerprinted=True,
    ),
    _visa(
        "4000008400001629",
        "threeDSecureRequiredChargeDeclined",
        three_d_secure=_REQUIRED,
        authenticated_decline=c.GENERIC,
    ),
    _visa("4000008400001280", "threeDSecureRequiredProcessingError", three_d_secure=ThreeDSecure.REQUIRED_ERROR),
    _visa("4000000000003055", "threeDSecureOptional", three_d_secure=ThreeDSecure.OPTIONAL),
    _visa("4000000000003097", "threeDSecureOptionalProcessingError", three_d_secure=ThreeDSecure.OPTIONAL_ERROR),
    _visa("4000000000003063", "threeDSecureRequired", three_d_secure=_REQUIRED, decline_off_session=c.GENERIC),
    _visa("4000000000003238", country="IE", three_d_secure=_REQUIRED, fingerprinted=True),
    _visa("4000000000003246", country="IE", three_d_secure=_REQUIRED, fingerprinted=True),
    _visa("4000000000003253", country="IE", three_d_secure=_REQUIRED, fingerprinted=True),
    _visa("4000582600000094", country="GB", three_d_secure=_REQUIRED, fingerprinted=True),
    _visa("4000582600000045", country="GB", three_d_secure=_REQUIRED, fingerprinted=True),
    _visa("4000582600000102", country="GB", three_d_secure=_REQUIRED, fingerprinted=True),
    _visa("4000582600000110", country="GB", three_d_secure=_REQUIRED, fingerprinted=True),
    _visa("4000000000001208", captcha=True),
    _visa("4000000000003725", captcha=True),
)

BEHAVIOURS: tuple[TestCard, ...] = (*_DECLINES, *_RADAR, *_AFTERWARDS, *_AUTHENTICATION)
