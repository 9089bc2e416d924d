"""What a processor is asked and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tollkey.db import Ids
from tollkey.payments.processors.cards import Decline, TestCard, by_key

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import Instrument


@dataclass(frozen=True, slots=True)
class Authorization:
    """May this much be taken from this instrument?

    amount: minor units of ``currency``. instrument: the stored payment method, card, source or bank account.
    off_session: the customer is not there. authenticated: 3-D Secure has been passed. stored: it belongs to a customer.
    """

    amount: int
    currency: str
    instrument: Instrument
    off_session: bool = False
    authenticated: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of it.

    status: succeeded, pending or failed. decline: why it failed. blocked: Radar refused before the bank was asked.
    later: what a pending one becomes: succeeded, failed, or None for one that never settles.
    after_seconds: until then, 0 for the server's usual.
    failure: code and text of a failure that comes later. disputed: the bank takes it back afterwards.
    risk_score: 0 to 99.
    """

    status: str
    decline: Decline | None = None
    blocked: bool = False
    risk_level: str = "normal"
    risk_score: int = 0
    later: str | None = None
    after_seconds: int = 0
    failure: tuple[str, str] | None = None
    disputed: bool = False


class Processor(Protocol):
    """A provider of payments."""

    def check(self) -> None:
        """Raise ApiError when no charge can be made at all."""

    def authorize(self, request: Authorization, ids: Ids) -> Verdict:
        """Ask the bank. Raises ApiError when no charge can be made at all; a refusal is a Verdict."""


def kind_of(instrument: Instrument | None) -> str:
    """The type of payment method that an instrument is: ``card``, ``us_bank_account``, ``ideal``, …"""
    if instrument is None:
        return "card"
    object = instrument.get("object")
    if object == "bank_account":
        return "ach_debit"
    return str(instrument.get("type") or "card") if object in ("payment_method", "source") else "card"


def card_of_instrument(instrument: Instrument | None) -> TestCard | None:
    """The test card behind a stored object, or None."""
    key = instrument.get("_card") if instrument is not None else None
    return by_key(key) if key else None
