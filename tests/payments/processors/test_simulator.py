"""The simulator decides by the test number, by what was typed in, and by whether the customer is there."""

from __future__ import annotations

from typing import Any

import pytest

from tollkey.db import Ids
from tollkey.payments.processors import banks
from tollkey.payments.processors.cards import by_number
from tollkey.payments.processors.protocol import Authorization, Verdict
from tollkey.payments.processors.simulator import DELAYED, Simulator


def asked(number: str, *, off_session: bool = False, authenticated: bool = False, **typed: Any) -> Verdict:
    card = by_number(number)
    assert card is not None
    instrument = {"object": "card", "_card": card.key, **{f"_{name}": value for name, value in typed.items()}}
    return Simulator().authorize(Authorization(1000, "usd", instrument, off_session, authenticated), Ids.seeded(1))


def test_a_failed_check_refuses_only_what_was_typed_in() -> None:
    assert asked("4000000000000127").status == "succeeded"
    refused = asked("4000000000000127", cvc=True)
    assert refused.decline is not None
    assert (refused.status, refused.decline.code) == ("failed", "incorrect_cvc")


def test_a_card_that_asks_for_its_owner_pays_once_they_were_authenticated() -> None:
    refused = asked("4000002760003184")
    assert refused.decline is not None
    assert refused.decline.code == "authentication_required"
    assert asked("4000002760003184", authenticated=True).status == "succeeded"


def test_a_card_that_was_set_up_pays_without_its_owner() -> None:
    assert asked("4000002500003155", off_session=True).status == "failed"
    assert asked("4000002500003155", off_session=True, set_up=True).status == "succeeded"


@pytest.mark.parametrize(
    ("number", "level", "low", "high"),
    [
        ("4242424242424242", "normal", 0, 64),
        ("4000000000009235", "elevated", 65, 74),
        ("4000000000004954", "highest", 75, 99),
    ],
)
def test_a_risk_level_has_its_scores(number: str, level: str, low: int, high: int) -> None:
    verdict = asked(number)
    assert verdict.risk_level == level
    assert low <= verdict.risk_score <= high


def test_a_blocked_card_never_reaches_the_bank() -> None:
    verdict = asked("4100000000000019", authenticated=True)
    assert (verdict.status, verdict.blocked) == ("failed", True)


@pytest.mark.parametrize("kind", ["ideal", *sorted(DELAYED)])
def test_money_of_a_bank_debit_comes_later_and_of_other_methods_at_once(kind: str) -> None:
    request = Authorization(1000, "eur", {"object": "payment_method", "type": kind})
    verdict = Simulator().authorize(request, Ids.seeded(1))
    assert (verdict.status, verdict.later) == (("pending", "succeeded") if kind in DELAYED else ("succeeded", None))


def test_a_test_bank_account_says_later_why_it_failed() -> None:
    bank = banks.bank_by_number("000111111116")
    assert bank is not None
    instrument = {"object": "payment_method", "type": "us_bank_account", "_bank": banks.key_of("000111111116")}
    verdict = Simulator().authorize(Authorization(1000, "usd", instrument), Ids.seeded(1))
    assert (verdict.status, verdict.later, (verdict.failure or ("",))[0]) == ("pending", "failed", "no_account")
