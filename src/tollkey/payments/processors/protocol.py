"""The interface of payment processors: authorization requests and verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tollkey.db import Ids
from tollkey.payments.processors.cards import Decline, TestCard, by_key

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import Instrument


@dataclass(frozen=True, slots=True)
class Authorization:
    """A request to authorize an amount on an instrument.

    amount: minor units of ``currency``. instrument: the stored payment method, card, source or bank account.
    off_session: the customer is not present. authenticated: 3-D Secure succeeded. stored: it is saved to a customer.
    """

    amount: int
    currency: str
    instrument: Instrument
    off_session: bool = False
    authenticated: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The processor's answer to an authorization request.

    status: succeeded, pending or failed. decline: why it failed. blocked: Radar refused before the bank was asked.
    later: what a pending payment becomes: succeeded, failed, or None if it never settles.
    after_seconds: delay until then, 0 for the server's default.
    failure: code and text of a later failure. disputed: the bank disputes it afterwards.
    ends_mandate: a later failure makes the mandate inactive.
    risk_score: 0 to 99.
    authorization_code, network_reference: what a network gave; None of the simulator's, which makes up its own.
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
    ends_mandate: bool = False
    authorization_code: str | None = None
    network_reference: str | None = None


class Processor(Protocol):
    """A provider of payments."""

    def check(self) -> None:
        """Raise ApiError if no charges are possible at all."""

    def authorize(self, request: Authorization, ids: Ids) -> Verdict:
        """Request an authorization. A decline is a Verdict; raises ApiError if no charges are possible."""


def kind_of(instrument: Instrument | None) -> str:
    """Return the payment method type of an instrument: ``card``, ``us_bank_account``, ``ideal``, …"""
    if instrument is None:
        return "card"
    object = instrument.get("object")
    if object == "bank_account":
        return "ach_debit"
    return str(instrument.get("type") or "card") if object in ("payment_method", "source") else "card"


def card_of_instrument(instrument: Instrument | None) -> TestCard | None:
    """Return the test card of a stored instrument, or None."""
    key = instrument.get("_card") if instrument is not None else None
    return by_key(key) if key else None
