"""Card numbers: the test cards and what each does, checks on a new card, and how cards look on the wire."""

from tollkey.payments._cards.card import (
    INCORRECT_ZIP,
    MANDATE_CANCELED,
    AccountEffect,
    CardPayout,
    Decline,
    Dispute,
    RefundOutcome,
    TestCard,
    ThreeDSecure,
)
from tollkey.payments._cards.checks import (
    CardProblem,
    brand_of,
    card_of,
    fingerprint,
    full_year,
    normal_number,
    validate_new_card,
)
from tollkey.payments._cards.luhn import luhn_valid
from tollkey.payments._cards.numbers import ALL, by_key, by_number, by_payment_method, by_token
from tollkey.payments._cards.shapes import (
    Checks,
    charge_card_details,
    checks_at_charge,
    checks_at_creation,
    legacy_brand,
    legacy_card,
    payment_method_card,
)

__all__ = [
    "ALL",
    "INCORRECT_ZIP",
    "MANDATE_CANCELED",
    "AccountEffect",
    "CardPayout",
    "CardProblem",
    "Checks",
    "Decline",
    "Dispute",
    "RefundOutcome",
    "TestCard",
    "ThreeDSecure",
    "brand_of",
    "by_key",
    "by_number",
    "by_payment_method",
    "by_token",
    "card_of",
    "charge_card_details",
    "checks_at_charge",
    "checks_at_creation",
    "fingerprint",
    "full_year",
    "legacy_brand",
    "legacy_card",
    "luhn_valid",
    "normal_number",
    "payment_method_card",
    "validate_new_card",
]
