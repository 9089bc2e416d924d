"""Currencies: their decimal digits, and the amounts that can be charged in them.

The list, its order and the texts follow the real answers (reference section 1.10, recordings); the
smallest amounts follow the documentation's currencies page.
"""

from __future__ import annotations

from tollkey.wire import ApiError, invalid
from tollkey.wire.decimals import THREE_DECIMAL as THREE_DECIMAL
from tollkey.wire.decimals import ZERO_DECIMAL as ZERO_DECIMAL
from tollkey.wire.decimals import decimals as decimals
from tollkey.wire.errors import too_small

#: In the order of the real API's error message.
SUPPORTED: tuple[str, ...] = (
    "usd", "aed", "afn", "all", "amd", "ang", "aoa", "ars", "aud", "awg", "azn", "bam", "bbd", "bdt", "bgn", "bhd",
    "bif", "bmd", "bnd", "bob", "brl", "bsd", "bwp", "byn", "bzd", "cad", "cdf", "chf", "clp", "cny", "cop", "crc",
    "cve", "czk", "djf", "dkk", "dop", "dzd", "egp", "etb", "eur", "fjd", "fkp", "gbp", "gel", "gip", "gmd", "gnf",
    "gtq", "gyd", "hkd", "hnl", "hrk", "htg", "huf", "idr", "ils", "inr", "isk", "jmd", "jod", "jpy", "kes", "kgs",
    "khr", "kmf", "krw", "kwd", "kyd", "kzt", "lak", "lbp", "lkr", "lrd", "lsl", "mad", "mdl", "mga", "mkd", "mmk",
    "mnt", "mop", "mur", "mvr", "mwk", "mxn", "myr", "mzn", "nad", "ngn", "nio", "nok", "npr", "nzd", "omr", "pab",
    "pen", "pgk", "php", "pkr", "pln", "pyg", "qar", "ron", "rsd", "rub", "rwf", "sar", "sbd", "scr", "sek", "sgd",
    "shp", "sle", "sos", "srd", "std", "szl", "thb", "tjs", "tnd", "top", "try", "ttd", "twd", "tzs", "uah", "ugx",
    "uyu", "uzs", "vnd", "vuv", "wst", "xaf", "xcd", "xcg", "xof", "xpf", "yer", "zar", "zmw", "usdc", "btn", "ghs",
    "eek", "lvl", "svc", "vef", "ltl", "sll", "mro",
)  # fmt: skip
_SUPPORTED = frozenset(SUPPORTED)
#: Currencies without fractions whose amounts are given with two decimals all the same (special cases of that page).
WHOLE_UNITS = frozenset({"isk", "ugx"})
#: Charged with two decimals, paid out in whole units only.
WHOLE_PAYOUTS = frozenset({"huf", "twd"}) | WHOLE_UNITS

#: Minimum charge in minor units, for currencies with payouts. The minimum of other currencies is 1.
MINIMUM = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50,
    "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50,
    "pln": 200,
    "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip
MAXIMUM = 99_999_999
#: IDR takes twelve digits.
_MAXIMUM_OF = {"idr": 999_999_999_999}
_SYMBOL = {
    "usd": "$", "aud": "A$", "brl": "R$", "cad": "C$", "eur": "€", "gbp": "£", "hkd": "HK$", "inr": "₹", "jpy": "¥",
    "mxn": "MX$", "nzd": "NZ$", "sgd": "S$", "krw": "₩", "vnd": "₫", "ils": "₪", "twd": "NT$", "cny": "CN¥",
}  # fmt: skip
_TOO_SMALL = (
    "The amount must be greater than or equal to the minimum charge amount allowed for your account and the currency"
    " set"
    " (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts)."
    "  If you want to save a Payment Method for future"
    " use without an immediate payment, use a Setup Intent instead: https://docs.stripe.com/payments/setup-intents"
)


def minimum(currency: str) -> int:
    """Return the minimum charge in a currency, in minor units."""
    return MINIMUM.get(currency, 1)


def maximum(currency: str) -> int:
    """Return the largest charge in a currency, in minor units."""
    return _MAXIMUM_OF.get(currency, MAXIMUM)


def show(amount: int, currency: str) -> str:
    """Format an amount (minor units) for error messages: ``$10.00``, ``¥500``, ``DKK 10.00`` without a symbol."""
    places = decimals(currency)
    digits = str(abs(amount)).rjust(places + 1, "0")
    whole = f"{int(digits[: len(digits) - places]):,}"
    text = f"{whole}.{digits[-places:]}" if places else whole
    symbol = _SYMBOL.get(currency) or f"{currency.upper()} "
    return f"{'-' if amount < 0 else ''}{symbol}{text}"


def check_currency(currency: str, param: str = "currency") -> str:
    """Return the currency code in lower case. Raises ApiError 400 for an unknown currency."""
    lower = currency.lower()
    if lower not in _SUPPORTED:
        raise invalid(
            f"Invalid currency: {lower}. Stripe currently supports these currencies: {', '.join(SUPPORTED)}", param
        )
    return lower


def check_amount(amount: int, currency: str, param: str = "amount", *, smallest: int | None = None) -> None:
    """Raise ApiError 400 if a payment of that many minor units is not possible.

    smallest: replaces the currency's minimum; 1 for refunds and transfers.
    Codes: below 1 and below the minimum ``parameter_invalid_integer`` (recorded 2024 and later; before that it was
    ``amount_too_small``), above eight digits ``amount_too_large``; amounts in three-decimal currencies must end in 0,
    those in ISK and UGX in 00.
    """
    if amount < 1:
        raise too_small(param)
    if amount < (minimum(currency) if smallest is None else smallest):
        raise invalid(_TOO_SMALL, param, "parameter_invalid_integer")
    if amount > maximum(currency):
        raise too_large(currency, param)
    check_step(amount, currency, 10 if currency in THREE_DECIMAL else 100 if currency in WHOLE_UNITS else 1, param)


def check_step(amount: int, currency: str, step: int, param: str = "amount") -> None:
    """Raise ApiError 400 for an amount of minor units that is no multiple of ``step``.

    The text is recorded for three-decimal currencies, and inferred for those in whole units.
    """
    if amount % step:
        raise invalid(
            f"Invalid amount. Amounts in {currency.upper()} must be evenly divisible by {step}; you passed {amount}.",
            param,
            "parameter_invalid_integer",
        )


def too_large(currency: str, param: str = "amount") -> ApiError:
    """Return the 400 error of an amount above the currency's maximum."""
    return invalid(
        f"Amount must be no more than {show(maximum(currency), currency)}", param, "amount_too_large", retry=False
    )


def session_too_small(currency: str) -> ApiError:
    """Return the 400 error ``amount_too_small`` of a Checkout Session whose total is below the minimum."""
    amount = f"{show(minimum(currency), currency)} {currency.upper()}"
    return invalid(
        f"The Checkout Session's total amount due must add up to at least {amount}",
        None,
        "amount_too_small",
        retry=False,
    )
