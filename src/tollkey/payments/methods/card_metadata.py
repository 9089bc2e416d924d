"""What card fields ask while a number is typed: the brand of its first digits, and which banks are reachable.

Paths, parameters and shapes: the mobile SDKs and their network tests. Test cards tell their country and kind; of other
numbers only the brand is known. Co-branded cards are not offered (``card_brand_choice``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from tollkey.payments.methods.payment_methods import PERMISSION
from tollkey.payments.processors import cards
from tollkey.payments.shared import providers
from tollkey.wire import Call, Endpoint, P, Resource
from tollkey.wire.access import publishable_access
from tollkey.wire.live import needs

if TYPE_CHECKING:
    from tollkey.wire import operations

#: Brands as the SDKs read them here -> the length of their numbers.
_BRANDS = {
    "amex": ("AMERICAN_EXPRESS", 15),
    "diners": ("DINERS_CLUB", 14),
    "discover": ("DISCOVER", 16),
    "jcb": ("JCB", 16),
    "mastercard": ("MASTERCARD", 16),
    "unionpay": ("UNIONPAY", 16),
    "visa": ("VISA", 16),
}
_LEAST = 6  # digits of a number that tell its issuer
#: Banks of FPX: the specification's words.
_FPX = (
    "affin_bank", "agrobank", "alliance_bank", "ambank", "bank_islam", "bank_muamalat", "bank_of_china", "bank_rakyat",
    "bsn", "cimb", "deutsche_bank", "hong_leong_bank", "hsbc", "kfh", "maybank2e", "maybank2u", "ocbc", "pb_enterprise",
    "public_bank", "rhb", "standard_chartered", "uob",
)  # fmt: skip


class AccountRange(TypedDict):
    """The numbers that begin with the same digits. country, funding: None when they are not known."""

    account_range_high: str
    account_range_low: str
    brand: str
    country: str | None
    funding: str | None
    pan_length: int


class CardMetadata(TypedDict):
    """The ranges that numbers with some first digits belong to."""

    data: list[AccountRange]


class BankStatuses(TypedDict):
    """Which banks of FPX are online."""

    object: str
    parsed_bank_status: dict[str, bool]


class BrandChoice(TypedDict):
    """Whether customers choose the network of a co-branded card."""

    eligible: bool


class ElementConfig(TypedDict):
    """How the card fields of an app behave."""

    card_brand_choice: BrandChoice


def metadata(call: Call, params: operations.GetEdgeInternalCardMetadata) -> CardMetadata:
    """Return the range of the numbers that begin with these digits; none for digits of no known brand."""
    prefix = params["bin_prefix"]
    if len(prefix) < _LEAST or not (prefix.isascii() and prefix.isdigit()):
        return {"data": []}
    known = [] if call.livemode else [card for card in cards.ALL if card.number.startswith(prefix)]
    brand, length = _BRANDS.get(known[0].brand if known else cards.unknown_card(prefix).brand, ("", 0))
    length = len(known[0].number) if known else length
    if not brand or len(prefix) > length:
        return {"data": []}
    return {
        "data": [
            {
                "account_range_high": prefix.ljust(length, "9"),
                "account_range_low": prefix.ljust(length, "0"),
                "brand": brand,
                "country": _same([card.country for card in known]),
                "funding": _same([card.funding.upper() for card in known]),
                "pan_length": length,
            }
        ]
    }


def _same(told: Sequence[str | None]) -> str | None:
    """Return what all test cards with these digits have in common, or None."""
    return told[0] if len(set(told)) == 1 else None


def banks_online(call: Call, params: operations.GetFpxBankStatuses) -> BankStatuses:
    """Say that every bank of FPX is online: in test mode their pages are this server's."""
    return {"object": "fpx_bank_statuses", "parsed_bank_status": dict.fromkeys(_FPX, True)}


def element_config(call: Call, params: operations.GetElementsMobileCardElementConfig) -> ElementConfig:
    """Say that networks of co-branded cards are not chosen."""
    return {"card_brand_choice": {"eligible": False}}


CARD_METADATA = Resource(
    object="card_metadata",
    permission=PERMISSION,
    stored=False,
    client_view=lambda call, value: value,
    endpoints=(
        Endpoint(
            "GET",
            "/edge-internal/card-metadata",
            metadata,
            params=P.object(required=["bin_prefix"], bin_prefix=P.string()),
            publishable=publishable_access(takes="bin_prefix"),
        ),
        Endpoint(
            "GET",
            "/elements/mobile-card-element-config",
            element_config,
            params=P.object(),
            publishable=publishable_access(),
            host="merchant-ui-api.stripe.com",
        ),
        Endpoint(
            "GET",
            "/v1/fpx/bank_statuses",
            banks_online,
            params=P.object(),
            live=needs(providers.CHARGES),
            publishable=publishable_access(ignores="account_holder_type"),
        ),
    ),
)
