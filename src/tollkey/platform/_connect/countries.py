"""What differs by country: the currency, and what a person or a company there is asked for.

The address fields and extra fields follow recorded answers for the countries that were recorded;
others use the common set.
"""

from __future__ import annotations

from tollkey.wire import ApiError

#: Country -> the currency its accounts settle in.
CURRENCIES: dict[str, str] = {
    country: currency
    for currency, countries in {
        "usd": "US EC PR SV PA GU VI AS UM TL",
        "eur": "AT BE CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK MC SM AD VA ME XK GP MQ RE GF",
        "gbp": "GB GG JE IM GI", "chf": "CH LI", "cad": "CA", "aud": "AU", "nzd": "NZ", "jpy": "JP", "sgd": "SG",
        "hkd": "HK", "sek": "SE",
        "dkk": "DK", "nok": "NO", "pln": "PL", "czk": "CZ", "huf": "HU", "ron": "RO", "bgn": "BG", "brl": "BR",
        "mxn": "MX", "inr": "IN",
        "myr": "MY", "thb": "TH", "aed": "AE", "krw": "KR", "clp": "CL", "cop": "CO", "pen": "PE", "ars": "AR",
        "uyu": "UY", "bob": "BO",
        "pyg": "PY", "crc": "CR", "dop": "DO", "jmd": "JM", "gtq": "GT", "ttd": "TT", "gyd": "GY", "php": "PH",
        "idr": "ID", "vnd": "VN",
        "twd": "TW", "mop": "MO", "mnt": "MN", "khr": "KH", "lak": "LA", "bnd": "BN", "btn": "BT", "bdt": "BD",
        "lkr": "LK", "pkr": "PK",
        "kzt": "KZ", "uzs": "UZ", "amd": "AM", "azn": "AZ", "ils": "IL", "try": "TR", "sar": "SA", "qar": "QA",
        "kwd": "KW", "bhd": "BH",
        "omr": "OM", "jod": "JO", "egp": "EG", "mad": "MA", "tnd": "TN", "dzd": "DZ", "zar": "ZA", "ngn": "NG",
        "ghs": "GH", "kes": "KE",
        "tzs": "TZ", "rwf": "RW", "etb": "ET", "mur": "MU", "mga": "MG", "mzn": "MZ", "nad": "NA", "bwp": "BW",
        "aoa": "AO", "gmd": "GM",
        "xof": "BJ CI NE SN", "xaf": "GA", "isk": "IS", "rsd": "RS", "bam": "BA", "mkd": "MK", "all": "AL", "mdl": "MD",
        "bsd": "BS",
        "xcd": "AG LC",
    }.items()
    for country in countries.split()
}  # fmt: skip

#: Currencies that accounts in Europe settle in.
_EUROPEAN = frozenset({"eur", "gbp", "chf", "sek", "nok", "dkk", "pln", "czk", "huf", "ron", "bgn", "isk"})
_ADDRESS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("US", "CA", "AU", "BR", "MX", "IN", "MY"), ("city", "line1", "postal_code", "state")),
    "SG": ("line1", "postal_code"),
    "AE": ("line1", "state"),
    "HK": ("city", "line1"),
    "MO": ("city", "line1"),
    "JP": ("city", "line1", "postal_code", "state", "town"),
}
#: Where names and addresses are told in two scripts (recorded; a public list of what accounts in Japan are asked for).
IN_SCRIPTS = frozenset({"JP"})
SCRIPTS = ("kana", "kanji")
#: What follows from a postal code there, and is not asked for when it is told (recorded).
FROM_POSTAL_CODE = frozenset({"city", "state", "town"})
_EXTRA_PERSON: dict[str, tuple[str, ...]] = {
    "US": ("ssn_last_4",),
    "CA": ("id_number",),
    "SG": ("full_name_aliases", "id_number", "nationality"),
    "AE": ("id_number", "nationality"),
    "HK": ("id_number",),
    "BR": ("id_number", "political_exposure"),
    "IN": ("id_number",),
    "MY": ("id_number",),
    "MX": ("id_number",),
    "IT": ("id_number",),
    "ES": ("id_number",),
}
#: Where the owners of a company have to be named.
_OWNERS = frozenset({
    "US", "CA", "AE", "GB", "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE",
    "IT", "LI",
    "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK", "CH",
})  # fmt: skip
#: What is looked at after it was told, while capabilities wait: paths in the person.
CHECKED: dict[str, tuple[str, ...]] = {
    "US": (
        "address.city",
        "address.line1",
        "address.postal_code",
        "address.state",
        "id_number",
        "verification.document",
    ),
    "HK": ("verification.document",),
}
#: Where a capability waits until the checks are done; elsewhere only payouts do.
WAITS = frozenset({"US"})
#: Where the rules changed on a day that was told beforehand (2024-06-04 16:00 UTC). ``future_requirements`` name it
#: still, and repeat what is due (recorded until 2025).
CHANGED_AT = {"US": 1_717_516_800}
#: Where a document is asked for at once.
DOCUMENT_DUE = frozenset({"JP", "AE"})


def default_currency(country: str) -> str:
    """The currency of a country's accounts. Raises ApiError for a code that is not a country's."""
    found = CURRENCIES.get(country)
    if found is None:
        raise ApiError(
            400,
            code="country_code_invalid",
            param="country",
            message=f"Country '{country}' is unknown. Try using a 2-character alphanumeric country code instead,"
            f" such as 'US', 'EG',"
            " or 'GB'. A full list of country codes is available at https://stripe.com/global",
        )
    return found


def check_currency(country: str, given: str | None) -> None:
    """Check the default currency that parameters ask for. Raises ApiError 400 for one that accounts there cannot have.

    An account has the currency of its country or US dollars, in Europe any of the currencies that are settled there.
    """
    own = CURRENCIES.get(country)
    allowed = {own, "usd", *(_EUROPEAN if own in _EUROPEAN else ())}
    if given is not None and given.lower() not in allowed:
        message = f"The currency {given} is not supported as the default currency of accounts in {country}."
        raise ApiError(400, message=message, param="default_currency")


def address_fields(country: str) -> tuple[str, ...]:
    """What an address must have there."""
    return _ADDRESS.get(country, ("city", "line1", "postal_code"))


def place_fields(country: str) -> tuple[str, ...]:
    """Return the fields of an address there, as paths: in Japan in kana and in kanji."""
    if country in IN_SCRIPTS:
        return tuple(f"address_{script}.{name}" for script in SCRIPTS for name in _ADDRESS[country])
    return tuple(f"address.{name}" for name in address_fields(country))


def name_fields(country: str) -> tuple[str, ...]:
    """Return the fields of a person's name there: in Japan in kana and in kanji."""
    names = ("first_name", "last_name")
    if country in IN_SCRIPTS:
        return tuple(f"{name}_{script}" for name in names for script in SCRIPTS)
    return names


def company_name_fields(country: str) -> tuple[str, ...]:
    """Return the fields of a company's name there."""
    return ("name", *(f"name_{script}" for script in SCRIPTS)) if country in IN_SCRIPTS else ("name",)


def extra_person_fields(country: str) -> tuple[str, ...]:
    """What a person there is asked for besides name, birth, address, email and phone."""
    return _EXTRA_PERSON.get(country, ())


def has_register(country: str) -> bool:
    """Whether the directors of a company there are compared with a register."""
    return country in _OWNERS - {"US", "CA", "AE"}


def names_owners(country: str) -> bool:
    """Whether a company there names its owners."""
    return country in _OWNERS
