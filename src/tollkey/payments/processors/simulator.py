"""The simulator of test mode: test cards and test accounts behave as documented (reference section 6)."""

from __future__ import annotations

from tollkey.db import Ids
from tollkey.payments.processors import banks
from tollkey.payments.processors.cards import Decline, TestCard, ThreeDSecure
from tollkey.payments.processors.cards.card import AUTHENTICATION_REQUIRED, FRAUDULENT
from tollkey.payments.processors.protocol import Authorization, Verdict, card_of_instrument, kind_of

#: Methods that take days to settle, simulated in seconds.
DELAYED = frozenset(
    {"us_bank_account", "sepa_debit", "ach_debit", "bacs_debit", "au_becs_debit", "acss_debit", "nz_bank_account"}
)
_BANK_DEMANDS = (ThreeDSecure.ALWAYS, ThreeDSecure.UNLESS_SET_UP, ThreeDSecure.ALREADY_SET_UP)
_SCORES = {"normal": (0, 65), "elevated": (65, 10), "highest": (75, 25)}
_FAILURES = {
    "insufficient_funds": "The customer's account has insufficient funds to cover this payment.",
    "account_closed": "The customer's bank account has been closed.",
    "no_account": "The customer's bank account could not be located.",
    "debit_not_authorized": "The customer has notified their bank that this payment was unauthorized.",
    "invalid_currency": "The bank was unable to process this payment because of its currency.",
    "charge_exceeds_source_limit": "This payment exceeds the weekly volume limit of the payment method.",
    "charge_exceeds_weekly_limit": "This payment exceeds the weekly limit of the payment method.",
    "generic_could_not_process": "The bank could not process this payment.",
    "bank_account_unusable": "The bank account provided cannot be used.",
    "invalid_account_number": "The bank account number is not valid.",
    "refer_to_customer": "The customer's bank declined this payment; the customer knows more.",
    "charge_exceeds_transaction_limit": "This payment exceeds the transaction limit of the payment method.",
}


class Simulator:
    """Simulates the answers of networks and banks to the test numbers."""

    def check(self) -> None:
        """Do nothing: charges are always possible in test mode."""

    def authorize(self, request: Authorization, ids: Ids) -> Verdict:
        """Return the verdict on a charge."""
        card = card_of_instrument(request.instrument)
        if card is not None:
            return _of_card(card, request, ids)
        bank = request.instrument.get("_bank")
        if bank:
            return _of_bank(bank, ids)
        score = ids.number(65)
        if kind_of(request.instrument) in DELAYED:
            return Verdict("pending", risk_score=score, later="succeeded")
        return Verdict("succeeded", risk_score=score)


def _of_card(card: TestCard, request: Authorization, ids: Ids) -> Verdict:
    low, width = _SCORES[card.risk_level]
    score = low + ids.number(width)
    decline = _decline(card, request)
    status = "succeeded" if decline is None else "failed"
    return Verdict(status, decline, card.blocked, card.risk_level, score)


def _decline(card: TestCard, request: Authorization) -> Decline | None:
    """Return why the card is declined, or None.

    A failed check of CVC or postal code declines the card if that was given (recorded; Radar's default rules).
    """
    instrument = request.instrument
    given = {"cvc": bool(instrument.get("_cvc")), "zip": bool(instrument.get("_zip"))}
    if card.blocked:
        return FRAUDULENT
    if card.decline is not None and (card.decline.needs is None or given[card.decline.needs]):
        return card.decline
    failed = card.failed_check(cvc=given["cvc"], postal_code=given["zip"])
    if failed is not None:
        return failed
    if request.off_session and card.decline_off_session is not None:
        return card.decline_off_session
    if request.authenticated:
        return card.authenticated_decline
    demanded = card.three_d_secure in _BANK_DEMANDS
    if demanded and card.needs_authentication(off_session=request.off_session, set_up=bool(instrument.get("_set_up"))):
        return AUTHENTICATION_REQUIRED
    return None


def _of_bank(key: str, ids: Ids) -> Verdict:
    bank = banks.bank_by_key(key)
    score = ids.number(65)
    if bank is None or bank.outcome == "succeeds":
        return Verdict("pending", risk_score=score, later="succeeded")
    if bank.mark == "blocked":
        return Verdict("failed", FRAUDULENT, True, "highest", 75 + ids.number(25))
    delay = banks.LATER_SECONDS if bank.outcome.endswith("_later") else 0
    if bank.outcome in ("fails", "fails_later", "unusable"):
        code = bank.failure or "generic_could_not_process"
        failure = (code, _FAILURES.get(code, "The payment failed."))
        ends = bank.mark == "ends_mandate"
        return Verdict(
            "pending", risk_score=score, later="failed", after_seconds=delay, failure=failure, ends_mandate=ends
        )
    if bank.outcome == "processing":
        return Verdict("pending", risk_score=score)
    disputed = bank.outcome.startswith("disputed")
    return Verdict("pending", risk_score=score, later="succeeded", after_seconds=delay, disputed=disputed)
