"""Amounts as text, and the test cards and accounts with their behavior, for other packages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tollkey.payments.processors import banks, cards
from tollkey.payments.shared import currency as currencies

CURRENCIES = currencies.SUPPORTED


class CardFacts(NamedTuple):
    """A test card. name: its shortest ``pm_card_…`` name, or "". does: its behavior in words."""

    number: str
    brand: str
    country: str
    name: str
    does: str


class BankFacts(NamedTuple):
    """A test bank account. kind: of the payment method. name: its ``pm_…`` name, or "". does: its behavior in words."""

    number: str
    kind: str
    country: str
    name: str
    does: str


def decimals(currency: str) -> int:
    """Return the number of decimal digits of a currency: 0, 2 or 3."""
    return currencies.decimals(currency)


def money(amount: int, currency: str) -> str:
    """Format an amount of minor units: ``$10.00``, ``¥500``, ``DKK 10.00``."""
    return currencies.show(amount, currency)


def test_cards() -> Sequence[CardFacts]:
    """Return all test cards with a number of their own, in the order of the documentation."""
    seen: dict[str, CardFacts] = {}
    for card in cards.ALL:
        if card.number not in seen:
            name = min((name for name in card.names if name.startswith("pm_card_")), key=len, default="")
            seen[card.number] = CardFacts(card.number, card.brand, card.country or "", name, _does(card))
    return list(seen.values())


def test_banks() -> Sequence[BankFacts]:
    """Return all test bank accounts, with what becomes of a payment from each."""
    found = []
    for bank in banks.ALL:
        name = next((name for name in bank.names if name.startswith("pm_")), "")
        found.append(BankFacts(bank.number, bank.kind, bank.country, name, _ends(bank)))
    return found


_ENDS = {
    "succeeds": "succeeds",
    "succeeds_later": "succeeds after three minutes",
    "fails": "fails",
    "fails_later": "fails after three minutes",
    "disputed": "succeeds, then disputed",
    "disputed_later": "succeeds after three minutes, then disputed",
    "processing": "stays in processing",
    "unusable": "becomes no payment method",
}
_MARKS = {
    "blocked": "blocked by Radar",
    "ends_mandate": "the mandate becomes inactive",
    "refuses_mandate": "the bank refuses the mandate",
    "no_deposits": "micro-deposits fail",
    "owner_matches": "its owner is verified",
    "owner_asked": "a document about its owner is asked for",
}


def _ends(bank: banks.TestBank) -> str:
    said = [
        "" if bank.mark == "blocked" else _ENDS[bank.outcome],
        bank.failure or "",
        _MARKS[bank.mark] if bank.mark else "",
    ]
    return "; ".join(filter(None, said))


def _refused(decline: cards.Decline) -> str:
    return f"declined: {decline.code}" + (f" / {decline.decline_code}" if decline.decline_code else "")


_AUTHENTICATION = {
    cards.ThreeDSecure.OPTIONAL: "3-D Secure possible, not required",
    cards.ThreeDSecure.OPTIONAL_ERROR: "3-D Secure possible; it fails with processing_error",
    cards.ThreeDSecure.REQUIRED: "3-D Secure required",
    cards.ThreeDSecure.REQUIRED_ERROR: "3-D Secure required; it fails with processing_error",
    cards.ThreeDSecure.ALWAYS: "3-D Secure required on every payment, also off session",
    cards.ThreeDSecure.UNLESS_SET_UP: "3-D Secure required unless the card was set up before",
    cards.ThreeDSecure.ALREADY_SET_UP: "3-D Secure required on session only",
}


def _does(card: cards.TestCard) -> str:
    """Return a card's behavior in words, separated by semicolons."""
    said = [
        _refused(card.decline) if card.decline else "",
        f"{_refused(card.decline_off_session)} off session" if card.decline_off_session else "",
        _AUTHENTICATION.get(card.three_d_secure, ""),
        f"after 3-D Secure {_refused(card.authenticated_decline)}" if card.authenticated_decline else "",
        "blocked by Radar" if card.blocked else f"risk level {card.risk_level}" if card.risk_level != "normal" else "",
        *(f"{what} check: {result}" for what, result in (("CVC", card.cvc_check), ("ZIP", card.zip_check), ("line 1",
        card.line1_check))
          if result != "pass"),
        f"succeeds, then disputed: {card.dispute.value}" if card.dispute else "",
        "early fraud warning after the charge" if card.early_fraud_warning else "",
        f"refund: {card.refund.value}" if card.refund is not cards.RefundOutcome.SUCCEEDED else "",
        "money available at once" if card.bypass_pending else "",
        "a human test is shown first" if card.captcha else "",
        f"connected account: {card.account_effect.value}" if card.account_effect else "",
        f"payout: {card.payout.value}" if card.payout else "",
    ]  # fmt: skip
    return "; ".join(part for part in said if part) or "succeeds"
