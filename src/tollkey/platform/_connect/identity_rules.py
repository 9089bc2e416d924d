"""What may be said of people and businesses: dates of birth, numbers, addresses, and who has which.

what                     rule                                                         source
individual               only with ``business_type=individual``                       stripe-ruby issue 822
individual, company      only once ``business_type`` is known                         stripe-android issue 943
business_type            none that the country lacks                                  odoo pull request 197222; the
                                                                                      description of the parameter
company[structure]       in the US one of the type of business                        gumroad pull request 2980
date of birth            a day that there is, 13 years ago or more                    public reports
id_number, tax_id        nine digits in the US                                        gumroad pull request 4528
address                  of the account's country, for its business                   documented code
phone                    a number                                                     woocommerce-payments issue 5516
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from tollkey.wire import Json, invalid
from tollkey.wire.errors import in_brackets, too_large, too_small

_YOUNGEST_YEARS = 13
_FIRST_YEAR = 1900
_BOUNDS = {"day": (1, 31), "month": (1, 12)}
_DIGITS_OF_PHONE = range(6, 16)
_WHO = ("individual", "company")
_UNTYPED = "The `business_type` must be provided when sending either of `individual` or `company` parameters."
_ABROAD = (
    "The country of the business address provided does not match the country of the account. Businesses must be located"
    " in the same country as the account."
)
#: Countries whose accounts cannot have a type of business.
_NOT_THERE = {"individual": frozenset({"AE"})}
#: Types of business of one country alone.
_ONLY_THERE = {"government_entity": "US"}
#: Type of business -> its structures in the United States ("Business structure" in Stripe's guide to Connect).
_STRUCTURES = {
    "individual": frozenset[str](),
    "company": frozenset({
        "multi_member_llc", "private_corporation", "private_partnership", "public_corporation", "public_partnership",
        "single_member_llc", "sole_proprietorship", "unincorporated_association",
    }),
    "non_profit": frozenset({"incorporated_non_profit", "unincorporated_non_profit"}),
    "government_entity": frozenset({
        "government_instrumentality", "governmental_unit", "tax_exempt_government_instrumentality",
    }),
}  # fmt: skip


def check_business(account: Json, given: Mapping[str, Any], *, today: bool = True) -> None:
    """Check the parameters of a new or changed account against its type of business and its country.

    account: as it is now. today: False for the v2 API and for versions with ``legal_entity``, which tell of the person
    behind a company in the same hash. Raises ApiError 400.
    """
    kind, country = given.get("business_type") or account["business_type"], account["country"]
    _check_type(kind, country)
    if today:
        _check_who(kind, given)
    company, profile = given.get("company") or {}, given.get("business_profile") or {}
    structure = company.get("structure", (account.get("company") or {}).get("structure"))
    if structure and country == "US" and structure not in _STRUCTURES.get(kind or "", {structure}):
        message = f"'{structure}' is not a valid structure in the country US and under the business type '{kind}'."
        raise invalid(message, "company[structure]")
    check_number(country, company.get("tax_id"), "company[tax_id]")
    check_phone(company.get("phone"), "company[phone]")
    check_phone(profile.get("support_phone"), "business_profile[support_phone]")
    _check_category(profile.get("mcc"))
    for name in _WHO:
        abroad = ((given.get(name) or {}).get("address") or {}).get("country") or country
        if abroad != country:
            raise invalid(_ABROAD, f"{name}[address][country]", "account_country_invalid_address")


def _check_who(kind: str | None, given: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for a person or company told of an account of another type of business. kind: its type."""
    told = next((name for name in _WHO if given.get(name)), None)
    if told is not None and kind is None:
        raise invalid(_UNTYPED, told)
    if given.get("individual") and kind != "individual":
        message = "You can only provide `individual` parameters for accounts with `business_type` of 'individual'."
        raise invalid(message, "individual")


def _check_type(kind: str | None, country: str) -> None:
    if country in _NOT_THERE.get(kind or "", ()) or _ONLY_THERE.get(kind or "", country) != country:
        raise invalid(f"'{kind}' is not a supported business type in the country {country}.", "business_type")


def check_data(country: str, given: Mapping[str, Any], outer: str | None, now: int) -> None:
    """Check what is told of a person. outer: the parameter that contains it, None for none. now: UTC epoch seconds.

    country: of the account. Raises ApiError 400.
    """

    def named(name: str) -> str:
        return in_brackets(outer, name) if outer else name

    if given.get("dob"):
        check_birth(given["dob"], named("dob"), now)
    check_number(country, given.get("id_number"), named("id_number"))
    last = str(given.get("ssn_last_4") or "")
    if last and not (last.isascii() and last.isdigit() and len(last) == 4):
        raise invalid("The last 4 digits of an SSN must be 4 digits", named("ssn_last_4"), "tax_id_invalid")
    check_phone(given.get("phone"), named("phone"))


def check_birth(dob: Mapping[str, Any], param: str, now: int) -> None:
    """Check a date of birth. param: its hash. now: UTC epoch seconds. Raises ApiError 400."""
    for name, (least, most) in _BOUNDS.items():
        if dob[name] < least:
            raise too_small(f"{param}[{name}]", least)
        if dob[name] > most:
            raise too_large(f"{param}[{name}]", most)
    if dob["year"] < _FIRST_YEAR:
        raise too_small(f"{param}[year]", _FIRST_YEAR)
    today = datetime.fromtimestamp(now, UTC).date()
    if (dob["year"] + _YOUNGEST_YEARS, dob["month"], dob["day"]) > (today.year, today.month, today.day):
        raise invalid(f"Must be at least {_YOUNGEST_YEARS} years of age to use Stripe", f"{param}[year]")
    try:
        date(dob["year"], dob["month"], dob["day"])
    except ValueError as problem:
        raise invalid("Invalid date of birth", f"{param}[day]") from problem


def check_number(country: str, number: str | None, param: str) -> None:
    """Check a tax number of a person or company. Raises ApiError 400 for one without nine digits in the US."""
    if number and country == "US" and sum(sign.isdigit() for sign in str(number)) != 9:
        raise invalid("US tax IDs must have 9 digits", param, "tax_id_invalid")


def check_phone(number: str | None, param: str) -> None:
    """Raise ApiError 400 for a phone number that cannot be one."""
    if not number:
        return
    digits = sum(sign.isdigit() for sign in number)
    if digits not in _DIGITS_OF_PHONE or any(sign.isalpha() for sign in number):
        raise invalid(f'"{number}" is not a valid phone number', param)


def _check_category(code: str | None) -> None:
    if code and not (code.isascii() and code.isdigit() and len(code) == 4):
        raise invalid(f"Invalid merchant category code: {code}", "business_profile[mcc]")


def check_address_of_acceptance(terms: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for terms of service accepted from what is no IP address (the text is inferred)."""
    if terms.get("ip"):
        try:
            ipaddress.ip_address(terms["ip"])
        except ValueError as problem:
            raise invalid(f"Invalid IP address: {terms['ip']}", "tos_acceptance[ip]") from problem
