"""What refusals of a host mean in the words of the API."""

from __future__ import annotations

import pytest

from tollkey.payments.processors.iso8583 import declines
from tollkey.payments.processors.network import Declined

#: Decline codes of https://docs.stripe.com/declines/codes that the table uses.
DOCUMENTED = {
    "call_issuer", "card_not_supported", "card_velocity_exceeded", "do_not_honor", "expired_card", "fraudulent",
    "generic_decline", "incorrect_number", "incorrect_pin", "insufficient_funds", "invalid_account", "invalid_amount",
    "issuer_not_available", "lost_card", "pickup_card", "pin_try_exceeded", "processing_error",
    "reenter_transaction", "restricted_card", "security_violation", "service_not_allowed", "stolen_card",
    "transaction_not_allowed", "withdrawal_count_limit_exceeded",
}  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "code", "advice"),
    [
        ("51", "insufficient_funds", "try_again_later"),
        ("54", "expired_card", "confirm_card_data"),
        ("43", "stolen_card", "do_not_try_again"),
        ("91", "issuer_not_available", "try_again_later"),
        ("Z9", "generic_decline", None),
    ],
)
def test_an_answer_becomes_a_decline_code(answer: str, code: str, advice: str | None) -> None:
    assert declines.declined(answer) == Declined(code, advice, answer)


def test_a_dialect_has_the_last_word_on_a_code() -> None:
    assert declines.declined("05", {"05": "generic_decline"}).code == "generic_decline"


def test_every_code_is_documented() -> None:
    used = {declines.declined(f"{number:02d}").code for number in range(100)}
    assert used == DOCUMENTED
