"""New cards: what is typed in is checked, and what is stored of it.

The number of a real card is not stored. Where the card vault has it (``processors.vault``), the object has its
reference as ``_vault``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tollkey.payments.methods import kinds
from tollkey.payments.processors import cards, vault
from tollkey.wire import ApiError, Call, invalid
from tollkey.wire.errors import card_error

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import StoredCard, StoredPaymentMethod


def refuse(problem: cards.CardProblem) -> ApiError:
    """Return the 402 error for invalid card data."""
    return card_error(problem.code, problem.message, problem.param, problem.decline_code, keep=False)


def default_expiry(now: int) -> tuple[int, int]:
    """Return the expiry month and year of a test card given by name: a year from ``now`` (UTC epoch seconds)."""
    today = datetime.fromtimestamp(now, UTC)
    return today.month, today.year + 1


class NewCard:
    """A validated new card: its test card, and the data given with it. kept: its number, if the vault has it."""

    def __init__(
        self,
        card: cards.TestCard,
        exp_month: int,
        exp_year: int,
        *,
        cvc: bool,
        zip: bool = False,
        line1: bool = False,
        kept: vault.Kept | None = None,
    ) -> None:
        self.card, self.exp_month, self.exp_year = card, exp_month, exp_year
        self.cvc, self.zip, self.line1, self.kept = cvc, zip, line1, kept

    @classmethod
    def typed(cls, call: Call, data: Mapping[str, Any], where: Mapping[str, Any] | None = None) -> NewCard:
        """Return a card from ``number``, ``exp_month``, ``exp_year`` and ``cvc``.

        where: the billing address. Raises ApiError 402 for invalid data.
        """
        number, cvc = str(data["number"]), data.get("cvc")
        month, year = _whole(data.get("exp_month"), "exp_month"), _whole(data.get("exp_year"), "exp_year")
        digits = cards.normal_number(number)
        kept: vault.Kept | None = call.apart.get(digits)
        mode = call.livemode if kept is None else None  # a processor decides on every number
        problem = cards.validate_new_card(number, month, year, cvc or None, call.now, mode)
        if problem is not None:
            raise refuse(problem)
        where = where or {}
        year = cards.full_year(year, call.now)
        return cls(
            cards.card_of(digits) if kept is None else cards.unknown_card(digits),
            month,
            year,
            cvc=bool(cvc),
            zip=bool(where.get("postal_code")),
            line1=bool(where.get("line1")),
            kept=kept,
        )

    @classmethod
    def named(cls, call: Call, card: cards.TestCard) -> NewCard:
        """Return a test card given by name; its CVC counts as given."""
        return cls(card, *default_expiry(call.now), cvc=True)

    @classmethod
    def saved(cls, card: StoredCard) -> NewCard | None:
        """Return the card of a ``card`` object, of a token or saved; None when nothing is known that pays."""
        known = cards.by_key(card["_card"]) if "_card" in card else None
        reference, print_ = card.get("_vault"), card["fingerprint"]
        kept = vault.Kept(reference, print_ or "") if reference is not None else None
        if kept is not None:
            known = cards.unknown_card(card["last4"].rjust(16, "0"), cards.brand_named(card["brand"]))
        if known is None:
            return None
        given = {name: bool(card.get(f"_{name}")) for name in ("cvc", "zip", "line1")}
        return cls(known, card["exp_month"], card["exp_year"], kept=kept, **given)

    def remember(self, call: Call, value: StoredPaymentMethod | StoredCard) -> None:
        """Set the private fields of the stored object. The number of a real card is not stored."""
        if not call.livemode:
            value["_card"] = self.card.key
        if self.kept is not None:
            value["_vault"] = self.kept.reference
            shown = value["card"] if kinds.is_payment_method(value) else value
            shown["fingerprint"] = self.kept.fingerprint
        value["_cvc"], value["_zip"], value["_line1"] = self.cvc, self.zip, self.line1

    def details(self, call: Call) -> cards.CardDetails:
        """Return the card as card objects show it, with its checks as they are before a bank is asked."""
        checks = cards.checks_at_creation(cvc=self.cvc, postal_code=self.zip, line1=self.line1)
        return cards.CardDetails(self.card, self.exp_month, self.exp_year, fingerprint_owner(call), checks)


def changed_expiry(call: Call, month: object, year: object) -> tuple[int, int]:
    """Return the expiry that a saved card is given: month, and year with four digits.

    month, year: numbers or texts, as sent. Raises ApiError 402 for one that is no date, or past.
    """
    exp_month, exp_year = _whole(month, "exp_month"), _whole(year, "exp_year")
    problem = cards.expiry_problem(exp_month, exp_year, call.now)
    if problem is not None:
        raise refuse(problem)
    return exp_month, cards.full_year(exp_year, call.now)


def _whole(value: Any, name: str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        problem = "month" if name == "exp_month" else "year"
        raise card_error(
            f"invalid_expiry_{problem}", f"Your card's expiration {problem} is invalid.", name, keep=False
        ) from None


def fingerprint_owner(call: Call) -> str:
    """Return what fingerprints depend on: the account.

    In live mode they also depend on a secret of this server, so that a number cannot be guessed from its fingerprint.
    """
    secret = call.services.authority.keyring.stable_digest(f"fingerprints of {call.account}") if call.livemode else b""
    return call.account + secret.hex()


def check_network(preferred: str | None, available: Sequence[str], param: str) -> None:
    """Raise ApiError 400 for a preferred network that is not among those of the card."""
    if preferred is not None and preferred not in available:
        raise invalid(
            f"The network `{preferred}` is not available for this card. Its networks are: {', '.join(available)}.",
            param,
        )
