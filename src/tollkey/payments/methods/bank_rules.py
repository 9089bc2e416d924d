"""What the numbers of a bank account are, by its country.

country        routing number                       account number
US             nine digits                          a test account's in test mode
with IBANs     none                                 an IBAN of that country
others         as it was sent                       as it was sent
"""

from __future__ import annotations

from tollkey.payments.processors import banks
from tollkey.wire import Call, invalid
from tollkey.wire.errors import missing_param

#: Where bank accounts that are paid out to are named by an IBAN ("Add a bank account" in Stripe's guide to Connect).
WITH_IBAN = frozenset({
    "AE", "AL", "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GI", "GR", "HR", "HU", "IE",
    "IS", "IT", "LI", "LT", "LU", "LV", "MC", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK", "SM",
})  # fmt: skip
_DIGITS_OF_ROUTING = 9


def example_number(country: str) -> str:
    """Return the number of the test bank account of a country."""
    return f"{country}89370400440532013000" if country in WITH_IBAN else "000123456789"


def check_account_type(country: str, given: str | None, param: str) -> None:
    """Raise ApiError 400 for a type of bank account that the country does not have. given: None when it is not told."""
    allowed = ("futsu", "toza") if country == "JP" else ("checking", "savings")
    if given and given not in allowed:
        message = f"Invalid account_type: must be {' or '.join(allowed)} for bank accounts in {country}"
        raise invalid(message, param)


def check_holder_type(given: str | None, param: str) -> None:
    """Raise ApiError 400 for a holder who is neither an individual nor a company. given: None when it is not told."""
    if given and given not in ("company", "individual"):
        raise invalid("Invalid account_holder_type: must be one of company or individual", param)


def check_routing(routing: str | None, param: str) -> None:
    """Check the routing number of a US bank account, which it needs.

    Its check digit is not compared: in test mode numbers without the right one are taken (recorded).
    Raises ApiError 400. Source of the text: public reports; that it is required: the parameter's description.
    """
    if not routing:
        raise missing_param(f"{param}[routing_number]")
    if not (routing.isascii() and routing.isdigit() and len(routing) == _DIGITS_OF_ROUTING):
        message = "Routing number must have 9 digits"
        raise invalid(message, f"{param}[routing_number]", "routing_number_invalid")


def check_number(call: Call, country: str, number: str, param: str) -> None:
    """Check the account number or IBAN of a bank account that money is paid out to.

    In test mode any IBAN goes that begins with the country, also with other check digits: stripe-python issue 347,
    where one of another country got the text of a real number. Raises ApiError 400.
    """
    if country in WITH_IBAN:
        fits = number.upper().startswith(country)
    else:
        fits = country != "US" or call.livemode or banks.bank_by_number(number) is not None
    if not fits:
        message = banks.TEST_ACCOUNT_MESSAGE.format(number=example_number(country))
        message = "Invalid IBAN" if call.livemode else message
        raise invalid(message, f"{param}[account_number]", "account_number_invalid", retry=False)
