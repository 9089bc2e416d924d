"""Country specs: settlement currencies and required fields of the accounts of a country."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tollkey.platform._connect.countries import (
    CURRENCIES,
    company_name_fields,
    extra_person_fields,
    name_fields,
    names_owners,
    place_fields,
)
from tollkey.platform.accounts import PERMISSION
from tollkey.wire import Call, Endpoint, Json, Page, Resource, new_object
from tollkey.wire.errors import missing_object
from tollkey.wire.pages import page_of_list

if TYPE_CHECKING:
    from tollkey.wire import operations

_METHODS = ["ach", "card", "stripe"]


@cache
def spec_of(country: str) -> Json:
    """The country spec of one country, which no caller changes."""
    currency = CURRENCIES[country]
    places = [f"individual.{path}" for path in place_fields(country)]
    person = [
        "dob.day",
        "dob.month",
        "dob.year",
        "email",
        *name_fields(country),
        "phone",
        *extra_person_fields(country),
    ]
    common = ["business_profile.mcc", "business_profile.url", "business_type", "external_account"]
    common += ["tos_acceptance.date", "tos_acceptance.ip"]
    individual = sorted([*common, *places, *(f"individual.{name}" for name in person)])
    representative = [f"relationship.representative.{name}" for name in person]
    company = [
        *common,
        *(f"company.{name}" for name in company_name_fields(country)),
        "company.tax_id",
        "company.phone",
        *(f"company.{path}" for path in place_fields(country)),
    ]
    owners = ["relationship.owner"] if names_owners(country) else []
    return new_object(
        "country_spec",
        id=country,
        default_currency=currency,
        supported_bank_account_currencies={currency: [country], **({"usd": [country]} if currency != "usd" else {})},
        supported_payment_currencies=sorted({currency, "usd", "eur", "gbp", "cad", "aud", "jpy", "chf"}),
        supported_payment_methods=_METHODS if country == "US" else _METHODS[1:],
        supported_transfer_countries=sorted(CURRENCIES) if country == "US" else [country],
        verification_fields={
            "company": {
                "additional": ["company.verification.document"],
                "minimum": sorted([*company, *representative, *owners]),
            },
            "individual": {"additional": ["individual.verification.document"], "minimum": individual},
        },
    )


def list_specs(call: Call, params: operations.GetCountrySpecs) -> Page:
    """List the specs of all countries, by code."""
    return page_of_list([spec_of(country) for country in sorted(CURRENCIES)], "/v1/country_specs", params)


def retrieve_spec(call: Call, params: operations.GetCountrySpecsCountry) -> Json:
    """Retrieve one country's spec."""
    if call.path["country"] not in CURRENCIES:
        raise missing_object("country_spec", call.path["country"], "country", in_path=True)
    return spec_of(call.path["country"])


COUNTRY_SPEC = Resource(
    object="country_spec",
    permission=PERMISSION,
    endpoints=(
        Endpoint("GET", "/v1/country_specs", list_specs),
        Endpoint("GET", "/v1/country_specs/{country}", retrieve_spec),
    ),
    title="Country specs",
    stored=False,
)
