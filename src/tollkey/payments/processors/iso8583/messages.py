"""The fields of each message: what a request says, in the numbers of ISO 8583."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from tollkey.payments.processors import iso4217
from tollkey.payments.processors.cards.luhn import luhn_valid
from tollkey.payments.processors.iso8583.codec import Fields
from tollkey.payments.processors.iso8583.config import Config
from tollkey.payments.processors.iso8583.link import transmitted
from tollkey.payments.processors.network import Authorize, Capture, Declined, Method, Refund, Reverse, Void

#: The largest amount that DE 4 holds.
_LARGEST: Final = 10**12 - 1


class Refused(Exception):
    """A request that the network could not take. outcome: what is answered instead of sending it."""

    def __init__(self, outcome: Declined) -> None:
        super().__init__(outcome.code)
        self.outcome = outcome


def name_of(request: Authorize | Capture | Void | Refund) -> str:
    """Return the name of the message that a request is made into, in the dialect."""
    return "purchase" if isinstance(request, Authorize) and request.capture else request.operation


def message_of(config: Config, request: Authorize | Capture | Void | Refund) -> Fields:
    """Return the message of a request. Raises Refused."""
    values = {**_common(config, request.amount, request.currency, request.trace, request.at), "37": request.reference}
    if isinstance(request, Authorize):
        values |= _card(config, request.method)
    else:
        approval = request.data.get("approval", "")
        values |= {**_card(config, request.original.method), "90": _original(config, request.original)}
        values |= {"38": approval} if approval else {}
    found = config.dialect.messages[name_of(request)].made_of(values, repeated=request.repeats > 0)
    if isinstance(request, Authorize) and request.off_session:
        found |= config.dialect.off_session
    return found


def reversal_of(config: Config, request: Reverse) -> Fields:
    """Return the message that undoes an authorization. Raises Refused."""
    original = request.original
    values = _common(config, original.amount, original.currency, request.trace, request.at)
    values |= {**_card(config, original.method), "37": original.reference, "90": _original(config, original)}
    return config.dialect.messages["reverse"].made_of(values, repeated=request.repeats > 0)


def _common(config: Config, amount: int, currency: str, trace: int, at: int) -> dict[str, str]:
    if currency not in config.currencies:
        raise Refused(Declined("currency_not_supported"))
    try:
        units = iso4217.units(amount, currency)
    except ValueError:
        raise Refused(Declined("invalid_amount")) from None
    if not 0 <= units <= _LARGEST:
        raise Refused(Declined("invalid_amount"))
    local = datetime.fromtimestamp(at, UTC)
    return {
        **config.merchant, "4": str(units).zfill(12), "7": transmitted(at), "11": str(trace).zfill(6),
        "12": local.strftime("%H%M%S"), "13": local.strftime("%m%d"), "49": iso4217.number(currency),
    }  # fmt: skip


def _card(config: Config, method: Method) -> dict[str, str]:
    """Return the fields of a card: its token, or its number; none for a request that came without.

    A number may bring its expiry, as on a card's second track: ``<number>=<YYMM>``.
    """
    if not method.token:
        return {}
    dialect, text, expiry = config.dialect, method.token, ""
    if config.numbers:
        text, _, expiry = text.partition("=")
        text = text.replace(" ", "").replace("-", "")
        fits = 12 <= len(text) <= 19 and luhn_valid(text) and (not expiry or (len(expiry) == 4 and expiry.isdigit()))
    else:
        fits = len(text) <= dialect.fields[dialect.token].size and text.isascii()
    if not fits:
        raise Refused(Declined("incorrect_number", "confirm_card_data"))
    if method.exp_month is not None and method.exp_year is not None:
        expiry = f"{method.exp_year % 100:02d}{method.exp_month:02d}"
    found = {dialect.number if config.numbers else dialect.token: text}
    found |= {dialect.cvc: method.cvc} if dialect.cvc and method.cvc else {}
    return {**found, "14": expiry} if expiry else found


def _original(config: Config, original: Authorize) -> str:
    """Return DE 90: type, trace and time of the authorization, who acquired and forwarded it."""
    kind = config.dialect.messages[name_of(original)].type
    acquirer = config.merchant.get("32", "").zfill(11)
    return f"{kind}{original.trace:06d}{transmitted(original.at)}{acquirer}{'0' * 11}"
