"""The representation of a card: in a PaymentMethod, as a legacy ``card`` object, and in a charge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from tollkey.payments.processors.cards.card import TestCard, ThreeDSecure
from tollkey.payments.processors.cards.checks import fingerprint

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import StoredCard
    from tollkey.wire import api

_DISPLAY = {"amex": "american_express", "diners": "diners_club", "unionpay": "union_pay", "unknown": "other"}
_LEGACY = {
    "amex": "American Express",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "discover": "Discover",
    "eftpos_au": "Eftpos Australia",
    "interac": "Interac",
    "jcb": "JCB",
    "mastercard": "MasterCard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}
OMITTED: Any = object()  # marks a key to leave out


class Checks(NamedTuple):
    """Results of the bank's checks; None where nothing was given."""

    cvc: str | None = None
    postal_code: str | None = None
    line1: str | None = None

    def wire(self) -> api.PaymentMethodCardChecks:
        """Return the checks as payment methods show them."""
        return {
            "address_line1_check": self.line1,
            "address_postal_code_check": self.postal_code,
            "cvc_check": self.cvc,
        }


_NOT_ASKED = Checks()


@dataclass(frozen=True)
class CardDetails:
    """What the makers of card objects are present of a card.

    exp_year: four digits. account: the merchant, whose fingerprint of the number it is. checks: none of them when
        nothing was asked.
    """

    card: TestCard
    exp_month: int
    exp_year: int
    account: str
    checks: Checks = _NOT_ASKED


@dataclass(frozen=True)
class NetworkAnswer:
    """What the card network said to a charge.

    authorization_code: six digits; None for a declined charge. transaction_id: 15 digits. capture_before: UTC epoch
        seconds, only while a charge waits to be captured.
    """

    authorization_code: str | None = None
    transaction_id: str | None = None
    capture_before: int | None = None


def checks_at_creation(*, cvc: bool, postal_code: bool = False, line1: bool = False) -> Checks:
    """Return the checks before a bank is asked: ``unchecked`` for what was given."""
    return Checks(*("unchecked" if given else None for given in (cvc, postal_code, line1)))


def checks_at_charge(card: TestCard, *, cvc: bool, postal_code: bool = False, line1: bool = False) -> Checks:
    """Return the checks after a charge or after saving the card: the test card's results for what was given."""
    results = ((cvc, card.cvc_check), (postal_code, card.zip_check), (line1, card.line1_check))
    return Checks(*(result if given else None for given, result in results))


def legacy_brand(brand: str) -> str:
    """Return the brand as sources, tokens and legacy cards name it: ``Visa`` for ``visa``."""
    return _LEGACY.get(brand, "Unknown")


def brand_named(name: str) -> str:
    """Return the brand that sources, tokens and legacy cards call so: ``visa`` for ``Visa``."""
    return next((brand for brand, called in _LEGACY.items() if called == name), "unknown")


def payment_method_card(details: CardDetails, *, preferred_network: str | None = None) -> api.PaymentMethodCard:
    """Return ``PaymentMethod.card``. The caller removes ``fingerprint`` for publishable keys.

    account, key: what the fingerprint depends on, see ``fingerprint``.
    """
    card = details.card
    return {
        "brand": card.brand,
        "checks": details.checks.wire(),
        "country": card.country,
        "display_brand": _DISPLAY.get(card.brand, card.brand),
        "exp_month": details.exp_month,
        "exp_year": details.exp_year,
        "fingerprint": fingerprint(card.number, details.account),
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": list(card.available_networks), "preferred": preferred_network},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": card.three_d_secure is not ThreeDSecure.NOT_SUPPORTED},
        "wallet": None,
    }


def legacy_card(
    details: CardDetails,
    *,
    id: str,
    address: Mapping[str, str | None] | None = None,
    name: str | None = None,
    customer: str | None = OMITTED,
    currency: str | None = OMITTED,
    owner_account: str | None = OMITTED,
) -> StoredCard:
    """Return a ``card`` object, as in tokens and in ``customer.sources``.

    address: with the keys city, country, line1, line2, state, postal_code.
    customer, owner_account: set (or None) for a saved card or an external account; left out for a token's card.
    """
    where, card, checks = address or {}, details.card, details.checks
    body: dict[str, object] = {
        "id": id,
        "object": "card",
        "address_city": where.get("city"),
        "address_country": where.get("country"),
        "address_line1": where.get("line1"),
        "address_line1_check": checks.line1,
        "address_line2": where.get("line2"),
        "address_state": where.get("state"),
        "address_zip": where.get("postal_code"),
        "address_zip_check": checks.postal_code,
        "brand": legacy_brand(card.brand),
        "country": card.country,
        "customer": customer,
        "cvc_check": checks.cvc,
        "dynamic_last4": None,
        "exp_month": details.exp_month,
        "exp_year": details.exp_year,
        "fingerprint": fingerprint(card.number, details.account),
        "funding": card.funding,
        "last4": card.last4,
        "metadata": {},
        "name": name,
        "networks": {"preferred": None},
        "regulated_status": "unregulated",
        "tokenization_method": None,
        "wallet": None,
        "account": owner_account,
        "currency": currency,
    }
    if owner_account is not OMITTED:
        body["available_payout_methods"] = ["standard", "instant"] if card.funding == "debit" else ["standard"]
        body["default_for_currency"] = False
    present = {name: value for name, value in body.items() if value is not OMITTED}
    return cast("StoredCard", present)  # all its required fields are never left out


def charge_card_details(
    details: CardDetails,
    answer: NetworkAnswer,
    *,
    amount: int,
    three_d_secure: api.ThreeDSecureDetailsCharge | None = None,
    mandate: str | None = None,
    wallet: api.PaymentMethodDetailsCardWallet | None = None,
) -> api.PaymentMethodDetailsCard:
    """Return ``charge.payment_method_details.card``.

    amount: authorized minor units. authorization_code (six digits), network_transaction_id (15 digits): of an approved
        charge; None for a declined one. capture_before: UTC epoch seconds, for an uncaptured charge only.
    """
    card, approved = details.card, answer.authorization_code is not None
    made: api.PaymentMethodDetailsCard = {
        "amount_authorized": amount if approved else None,
        "authorization_code": answer.authorization_code,
        "brand": card.brand,
        "checks": details.checks.wire(),
        "country": card.country,
        "electronic_commerce_indicator": None,
        "exp_month": details.exp_month,
        "exp_year": details.exp_year,
        "extended_authorization": {"status": "disabled"},
        "fingerprint": fingerprint(card.number, details.account),
        "funding": card.funding,
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": card.last4,
        "mandate": mandate,
        "multicapture": {"status": "unavailable"},
        "network": card.network,
        "network_token": {"used": False},
        "network_transaction_id": answer.transaction_id,
        "overcapture": {"maximum_amount_capturable": amount if approved else 0, "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": three_d_secure,
        "transaction_link_id": None,
        "wallet": wallet,
    }
    if answer.capture_before is not None:
        made["capture_before"] = answer.capture_before
    return made
