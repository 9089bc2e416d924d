"""PaymentMethods of live mode that are made from a token of the account's processor (``card[token]``).

The token is kept sealed and never shown. The number of a card itself is never kept; a text that looks like one is
refused, unless the processor says that its tokens do (network tokens have the form of a number). Such a token may bring
its expiry, as on a card's second track: ``<number>=<YYMM>``; more of a track is never taken. The API takes nothing else
beside a token, so of others nothing is known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from tollkey.payments.methods import kinds
from tollkey.payments.methods.new_cards import changed_expiry
from tollkey.payments.processors import asking, cards
from tollkey.payments.shared import fields
from tollkey.wire import Call, invalid, new_object

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import StoredPaymentMethod
    from tollkey.wire import api

_PARAM = "card[token]"
_LONGEST = 255
#: A text in the form of a card's number, whatever separates its digits, or of one of its tracks (ISO/IEC 7813).
_FORM: Final = re.compile(
    r"[%;]?[Bb]?(?P<number>[0-9](?:[^0-9A-Za-z=^]*[0-9]){11,18})[^0-9A-Za-z=^]*(?P<more>[=Dd^].*)?"
)
_EXPIRY: Final = re.compile(r"=([0-9]{4})")
_TRACK = "This looks like the track of a card. Tracks are not kept; a number may bring its expiry, as <number>=<YYMM>."
_NUMBER = (
    "This looks like the number of a card. Live mode takes tokens of the account's processor; the numbers of cards are"
    " not kept."
)


def of_processor(call: Call, data: Mapping[str, Any], billing: Mapping[str, Any] | None) -> StoredPaymentMethod | None:
    """Return a PaymentMethod of a token of the processor, not stored; None for a token of this server, or in test mode.

    data: ``token``, which the caller seals. Raises ApiError 400 for a text that is no token, 402 for one that has
    expired.
    """
    backend, token = asking.backend_of(call), str(data["token"])
    if backend is None or call.objects.find(kinds.TOKEN, token) is not None:
        return None
    if not token or len(token) > _LONGEST or not token.isascii() or not token.isprintable():
        raise invalid("The token of a processor is a text of up to 255 printable characters.", _PARAM)
    number, month, year = _parts(call, token)
    if number and not backend.features.raw_numbers:
        raise invalid(_NUMBER, _PARAM, retry=False)
    value = new_object(
        kinds.PAYMENT_METHOD,
        id=call.ids.new("pm"),
        allow_redisplay="unspecified",
        billing_details=fields.billing_details(billing),
        card=_card(number, month, year),
        created=call.now,
        livemode=call.livemode,
        type="card",
    )
    return value


def without_expiry(token: str) -> str:
    """Return a token as its processor gets it: the expiry that one in the form of a number brings goes apart."""
    return _number_of(_FORM.fullmatch(token)) or token


def _number_of(form: re.Match[str] | None) -> str:
    return re.sub(r"[^0-9]", "", form["number"]) if form is not None else ""


def _parts(call: Call, token: str) -> tuple[str, int | None, int | None]:
    """Return the number of a token that has the form of one, and its expiry; empty and None for others.

    Raises ApiError 400 for a track, 402 for an expiry that is over.
    """
    form = _FORM.fullmatch(token)
    if form is None:
        return "", None, None
    if not form["more"]:
        return _number_of(form), None, None
    expiry = _EXPIRY.fullmatch(form["more"])
    if expiry is None:
        raise invalid(_TRACK, _PARAM, retry=False)
    return _number_of(form), *changed_expiry(call, expiry[1][2:], expiry[1][:2])


def _card(number: str, month: int | None, year: int | None) -> api.PaymentMethodCard:
    """Return the card as it is shown. number: a token in the form of one, or empty: nothing is known then."""
    brand = cards.brand_of(number) if number else "unknown"
    shown = {
        "brand": brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": None},
        "country": None,
        "display_brand": brand,
        "exp_month": month,
        "exp_year": year,
        "fingerprint": None,
        "funding": "unknown",
        "generated_from": None,
        "last4": number[-4:],
        "networks": {"available": [brand], "preferred": None},
        "regulated_status": None,
        "three_d_secure_usage": {"supported": False},
        "wallet": None,
    }
    return cast("api.PaymentMethodCard", shown)  # the API has no null for an expiry that nobody knows
